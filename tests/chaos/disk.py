"""Disks that are full, that fail, that become read-only, and folders that are closed, while visitors talk."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import time

from harness import BROKEN, PATIENCE_S, Closed, World, until

FIU = pathlib.Path("/usr/lib/fiu/fiu_run_preload.so")
FULL = ("storage_full", "storage_unavailable", "unknown_outcome")


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextlib.contextmanager
def small_disk(folder, kind):
    """A disk of a few MiB as a folder; ext4 on a file, or memory. OSError where this machine gives none."""
    place = pathlib.Path(folder) / f"disk-{kind}"
    place.mkdir(exist_ok=True)
    if kind == "tmpfs":
        sh("mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(place))
    else:
        image = pathlib.Path(folder) / "disk.img"
        with open(image, "wb") as file:
            file.truncate(24 << 20)
        sh("mkfs.ext4", "-q", "-F", str(image))
        sh("mount", "-o", "loop", str(image), str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def made(folder, name):
    place = pathlib.Path(folder) / name
    place.mkdir(exist_ok=True)
    return place


def fill(place):
    """Leaves no byte."""
    with open(place / "ballast", "wb", buffering=0) as ballast:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(size))


def refused_until_mended(client, harm, mend, faults, wanted=1, at_once=False):
    """Talks, does the harm, sees inputs refused by name, mends, sends them again. `at_once`: from the harm on nothing
    reaches the disk, so nothing may be accepted. Gives (what was seen, seconds)."""
    client.turn("hello there")
    client.put("what do you still need?")
    client.until("response.output_text.delta")
    harm()
    refused, sent, closed = set(), [], ""
    try:
        while len(client.refused) < wanted and len(sent) < 400:
            before = len(client.refused)
            item = client.put(f"My name is Anna Schmidt, number {len(sent)} " + "and so on " * 60)
            sent.append(item)
            while item in client.unacknowledged and len(client.refused) == before:
                client.take(60)
            refused.update(error["code"] for error in client.refused[before:])
    except Closed as why:
        closed = f", the socket {why}"
    accepted = [item for item in sent if item in client.acknowledged]
    if at_once and accepted:
        faults.append(f"{len(accepted)} inputs were accepted that had not reached the disk")
    if not refused and not closed:
        faults.append("nothing was refused: the fault was none")
    if not refused <= set(FULL):
        faults.append(f"inputs were refused as {sorted(refused)}")
    mend()
    began = time.monotonic()
    if closed:
        client.come_back()

    def stored():
        for frame in list(client.unacknowledged.values()):
            client.line.send(frame)
            with contextlib.suppress(TimeoutError):
                while frame["item"]["id"] in client.unacknowledged:
                    if client.take(5)["type"] == "error":
                        break
        return not client.unacknowledged
    until(stored, "the refused inputs to be taken", PATIENCE_S)
    client.turn("are you there?")
    normal = time.monotonic() - began
    faults += client.faults()
    said = f"{len(client.refused)} inputs refused with {', '.join(sorted(refused))}" if refused else "no input accepted"
    return f"{said}{closed}, all taken when sent again", normal


def alive(world, faults):
    if world.server.process.poll() is not None:
        faults.append(f"the process ended with {world.server.process.returncode}")


def full(binary, folder, table, kind):
    with small_disk(folder, kind) as place:
        world = World(binary, made(folder, kind), data=place / "data")
        world.server.log_path = str(world.folder / "server.log")
        try:
            world.start()
            for n in range(2):
                faults = []
                client = world.client().connect()
                saw, normal = refused_until_mended(client, lambda: fill(place), (place / "ballast").unlink, faults)
                alive(world, faults)
                faults += world.check_all()
                table.add([f"full disk ({kind})", str(n + 1), saw, f"{normal:.2f} s"], faults)
                client.close()
            world.server.stop()
        finally:
            world.close()


def becomes_read_only(binary, folder, table):
    """ext4 gives up, as it does on a failing disk; then the file system is repaired and mounted anew."""
    with small_disk(folder, "ext4") as place:
        world = World(binary, made(folder, "read-only"), data=place / "data")
        world.server.log_path = str(world.folder / "server.log")
        try:
            world.start()
            faults = []
            client = world.client().connect()

            def mend():
                # The server holds files of the old one, which stays as it is: the repaired disk is another.
                sh("umount", "-l", str(place))
                image, repaired = pathlib.Path(folder) / "disk.img", pathlib.Path(folder) / "repaired.img"
                shutil.copyfile(image, repaired)
                subprocess.run(["e2fsck", "-fy", str(repaired)], capture_output=True, check=False)
                sh("mount", "-o", "loop", str(repaired), str(place))
            saw, normal = refused_until_mended(
                client, lambda: sh("mount", "-o", "remount,abort", str(place)), mend, faults, wanted=2)
            alive(world, faults)
            table.add(["the file system becomes read-only", "1", saw, f"{normal:.2f} s"], faults)
            client.close()
            world.server.kill()
        finally:
            world.close()


class Faulty:
    """A server under fiu-run: system calls fail while somebody says so."""

    def __init__(self, world, folder):
        self.world, self.fifo = world, os.path.join(folder, "fiu")
        world.server.env.update(FIU_CTRL_FIFO=self.fifo, FIU_ENABLE="",
                                LD_PRELOAD=f"{FIU} {FIU.with_name('fiu_posix_preload.so')}")

    def set(self, command):
        pid = self.world.server.process.pid
        sh("fiu-ctrl", "-f", self.fifo, "-c", command, str(pid))


CALLS = (("fsync fails with EIO", "posix/io/sync/fdatasync", 5), 
         ("write fails with ENOSPC", "posix/io/rw/pwrite64", 28))


def failing_calls(binary, folder, table):
    for name, point, number in CALLS:
        world = World(binary, made(folder, point.replace("/", "-")))
        try:
            faulty = Faulty(world, str(world.folder))
            world.start()
            world.server.env.pop("LD_PRELOAD")
            faults = []
            client = world.client().connect()
            points = (point, point.replace("fdatasync", "fsync").replace("pwrite64", "pwrite"))

            def harm(points=points, number=number, faulty=faulty):
                for one in points:
                    faulty.set(f"enable name={one},failinfo={number}")

            def mend(points=points, faulty=faulty):
                for one in points:
                    faulty.set(f"disable name={one}")
            saw, normal = refused_until_mended(client, harm, mend, faults, wanted=2, at_once=True)
            alive(world, faults)
            faults += world.check_all()
            table.add([name, "1", saw, f"{normal:.2f} s"], faults)
            client.close()
            world.server.kill()
        finally:
            world.close()


def closed_folder(binary, folder, table):
    """chmod 000 of the data folder, for a server that is not root."""
    base = made(folder, "closed")
    world = World(binary, base)
    try:
        data = pathlib.Path(world.server.data)
        data.mkdir()
        for path in (pathlib.Path(folder), base, *base.rglob("*")):
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
        os.chown(data, 65534, 65534)
        program = base / "as-nobody"
        program.write_text(f'#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups "{binary}" "$@"\n')
        program.chmod(0o755)
        world.server.binary = str(program)
        world.start()
        faults = []
        client = world.client().connect()
        client.turn("hello there")
        os.chmod(data, 0)
        began = time.monotonic()
        client.turn("My name is Anna Schmidt")
        went_on = time.monotonic() - began
        world.server.kill()
        # Its owner puts the mode right; somebody else's folder is refused.
        os.chown(data, 0, 0)
        try:
            world.start()
            faults.append("a server started in a folder that it may not read")
            world.server.kill()
        except RuntimeError as refused:
            why = str(refused).strip().splitlines()[-1]
            if "--data" not in why:
                faults.append(f"the refusal names no way out: {why}")
        os.chown(data, 65534, 65534)
        world.start()
        if data.stat().st_mode & 0o777 != 0o700:
            faults.append(f"the folder has the mode {data.stat().st_mode:o}")
        client.come_back()
        client.turn("are you there?")
        faults += client.faults()
        table.add(["chmod 000 of the data folder", "1", "nothing: what is open stays open; a start puts the "
                   "mode right, in somebody else's folder it is refused with the way out", f"{went_on:.2f} s"], faults)
        client.close()
        world.server.kill()
    finally:
        world.close()


def run(binary, folder, table, short):
    if os.geteuid() != 0:
        return table.skip("full and failing disks", "needs root")
    for kind in ("tmpfs",) if short else ("tmpfs", "ext4"):
        try:
            full(binary, folder, table, kind)
        except OSError as why:
            if isinstance(why, BROKEN[:1]):
                raise
            table.skip(f"full disk ({kind})", str(why))
    if short:
        return None
    try:
        becomes_read_only(binary, folder, table)
    except OSError as why:
        table.skip("a file system that becomes read-only", str(why))
    if FIU.exists():
        failing_calls(binary, folder, table)
    else:
        table.skip("failing system calls", "needs fiu-run (scripts/install.sh chaos)")
    closed_folder(binary, folder, table)
    return None
