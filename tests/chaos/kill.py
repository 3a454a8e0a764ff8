#!/usr/bin/env python3
"""Kills the real server with SIGKILL at every named point, in different states, restarts it, lets the clients come
back, and checks from outside that nothing accepted was lost (oracle.py).

  kill.py BINARY [--hits N] [--only POINT] [--random N] [--jobs 2] [--seed 1] [--report FILE]

BINARY must be built with fault points (preset dev or lab). --hits: how many of a point's hits (points.py), else all;
--random: kills at random moments beside them. A data folder lives through all kills of a job, so that every restart
also has to cope with what the former ones left. Prints a table, then "N passed, M failed".
"""
import argparse
import collections
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import scenarios  # noqa: E402
from harness import BROKEN, PATIENCE_S, Table, World, until  # noqa: E402
from points import POINTS  # noqa: E402


HEAD = ("killed at", "in what", "in flight there", "found in the journal", "started again", "answered again")
AT_RANDOM = "at random"


class Kills:
    """One data folder, and the kills it lives through. `found`: rows and broken promises by hit."""

    def __init__(self, binary, folder, seed):
        folder.mkdir()
        self.world = World(binary, folder, passivate_s=1)
        self.seed = seed
        self.keys_made = 0
        self.found = collections.defaultdict(list)
        self.late = []

    def run(self, hits):
        try:
            for hit in hits:
                self.one(*hit)
            self.late = self.world.check_all()
        except Exception as why:  # noqa: BLE001: the other jobs' rows are worth having
            self.late.append(f"the test itself broke: {type(why).__name__}: {why}")
        finally:
            self.world.close()

    def hit(self, point, scenario, n):
        """One kill, and what comes back. Gives the stage, and sentences about what went wrong on the way."""
        stage = scenarios.Stage(self.world, self.seed + n)
        fault = f"{point}:{n}"
        act = getattr(scenarios, scenario)
        try:
            if scenario == "key":
                self.world.start()
                act(stage, fault)
                return stage, self.check_keys(fault)
            if scenario.startswith("starts_"):
                self.world.start()
                act(stage)
                self.world.server.kill()
                self.world.start(fault)
            else:
                self.world.start(fault)
                act(stage)
        except BROKEN + (AssertionError, RuntimeError) as why:
            # The server is gone, which is what this is about; whether it really is shows below.
            stage.ended = why
        try:
            until(stage.is_dead, "the server to die", PATIENCE_S / 4)
        except AssertionError:
            self.world.server.kill()
            why = getattr(stage, "ended", "no error")
            return stage, [f"{fault} in {scenario}: the point was never reached ({why})"]
        code = self.world.server.process.returncode
        return stage, [] if code == -signal.SIGKILL else [f"{fault} in {scenario}: the server ended with {code}"]

    def check_keys(self, fault):
        """The key of a program that died exists where its point says so, and the server lives."""
        self.world.server.kill()
        count = self.world.ledger.query("select count(*) from keys where name=?1", fault)[0][0]
        self.keys_made += 1 if fault.startswith("key.after") else 0
        wanted = self.keys_made if fault.startswith("key.after") else 0
        return [] if count == wanted else [f"{fault}: {count} keys of that name, not {wanted}"]

    def one(self, point, scenario, n):
        begun = time.monotonic()
        stage, faults = (self.at_random(n), []) if point == AT_RANDOM else self.hit(point, scenario, n)
        flying = stage.clients[0].in_flight() if stage.clients else "no session yet"
        died = time.monotonic()
        started = self.world.start()
        try:
            comes_back = stage.clients[-1:] or [stage.client()]
            comes_back[0].come_back()
            self.ask(comes_back[0])
            answered = time.monotonic() - died
            for client in stage.clients[:-1]:
                client.come_back()
                client.settle()
            faults += self.broken(stage.clients)
        except BROKEN + (AssertionError,) as why:
            faults.append(f"{point}:{n} in {scenario}: {type(why).__name__}: {why}")
            answered = time.monotonic() - died
        for client in stage.clients:
            client.close()
        self.world.server.kill()
        name = point if point == AT_RANDOM else f"`{point}:{n}`"
        row = [name, scenario.replace("_", " "), POINTS[point].flying if point in POINTS else "-", flying,
               f"{started:.2f} s", f"{answered:.2f} s"]
        self.found[point, scenario, n].append((row, [f"{point}:{n} in {scenario}: {fault}" for fault in faults]))
        print(f"{point}:{n} {scenario} ({time.monotonic() - begun:.1f} s)", *faults, sep="\n  ", file=sys.stderr,
              flush=True)

    @staticmethod
    def ask(client):
        """An answer, on another socket where the machine is so busy that this one's pings go unanswered."""
        try:
            client.turn("are you there?")
        except BROKEN:
            client.come_back()
            client.settle()

    @staticmethod
    def broken(clients):
        """What is still wrong once everything has had time to arrive."""
        last = []

        def whole():
            for client in clients:
                client.settle()
            last[:] = [fault for client in clients for fault in client.faults()]
            return not last
        try:
            until(whole, "all promises to hold", 10)
        except AssertionError:
            pass
        return list(last)

    def at_random(self, n):
        """SIGKILL at any moment of a talk."""
        stage = scenarios.Stage(self.world, self.seed + n)
        self.world.start()
        killer = threading.Timer(stage.chance.uniform(0.05, 1.5), self.world.server.process.kill)
        killer.start()
        try:
            scenarios.interrupted(stage)
        except BROKEN + (AssertionError, RuntimeError):
            pass
        until(stage.is_dead, "the server to die")
        return stage


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--hits", type=int, default=99)
    parser.add_argument("--only", default="")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    hits = [(point, scenario, n) for point, about in POINTS.items() if point.startswith(args.only)
            for scenario, n in about.hits[:args.hits]] + [(AT_RANDOM, "interrupted", n) for n in range(args.random)]
    table = Table(*HEAD)
    with tempfile.TemporaryDirectory(prefix="sidevoice-kills-") as folder:
        workers = [Kills(os.path.abspath(args.binary), pathlib.Path(folder, str(job)), args.seed)
                   for job in range(min(args.jobs, len(hits)))]
        threads = [threading.Thread(target=worker.run, args=(hits[job::len(workers)],))
                   for job, worker in enumerate(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = {hit: row for worker in workers for hit, row in worker.found.items()}
        for hit in dict.fromkeys(hits):
            for row, faults in found.get(hit, [(["-"] * len(HEAD), [f"{hit} was not run"])]):
                table.add(row, faults)
        table.faults += [fault for worker in workers for fault in worker.late]
    if args.report:
        table.write(args.report, f"tests/chaos/kill.py sidevoice --random {args.random} --seed {args.seed}",
                    [f"{len(POINTS)} named points (`tests/chaos/points.py`), {len(table.rows)} kills. \"Found in the "
                     "journal\" is what stood open there before the restart; \"answered again\" is from the kill to "
                     "the end of the next answer, that answer's own pace included."])
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
