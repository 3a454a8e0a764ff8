"""The process has no descriptors left, because strangers hold sockets that say nothing."""
import contextlib
import os
import resource
import socket
import threading
import time

from harness import BROKEN, until

ROOM = 12
# Of one core, over the watched time: an accept loop that spins takes all of it.
CPU_MOST = 0.5
WATCHED_S = 2.0


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def exhaust(world, faults):
    client = world.client().connect()
    client.turn("hello there")
    pid = world.server.process.pid
    before = count(pid)
    limit = before + ROOM
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]))
    idle = []
    try:
        for _ in range(4 * ROOM):
            idle.append(socket.create_connection(("127.0.0.1", world.server.port), timeout=5))
        until(lambda: count(pid) >= limit, "the descriptors to be used up", 30)
        begin, used = time.monotonic(), cpu_seconds(pid)
        # Somebody who is in goes on; nobody new is served.
        client.turn("what do you still need?")
        threading.Event().wait(max(0.0, WATCHED_S - (time.monotonic() - begin)))
        share = (cpu_seconds(pid) - used) / (time.monotonic() - begin)
        if share > CPU_MOST:
            faults.append(f"the server used {share:.0%} of a core while it could accept nobody")
        if world.server.process.poll() is not None:
            faults.append("the server has died")
    finally:
        for sock in idle:
            with contextlib.suppress(OSError):
                sock.close()
    begin = time.monotonic()
    fresh = world.client()
    try:
        fresh.come_back()
        fresh.turn("are you there?")
    except (*BROKEN, AssertionError) as why:
        faults.append(f"nobody new was served once there were descriptors again: {why}")
    normal = time.monotonic() - begin
    resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
    faults += client.faults()
    if fresh.session:
        faults += fresh.faults()
    for one in (client, fresh):
        one.close()
    return len(idle), share, normal


def run(world, table, short):
    world.start()
    for _ in range(1 if short else 3):
        faults = []
        held, share, normal = exhaust(world, faults)
        table.add([f"no descriptors left: {held} sockets that say nothing", "1",
                   f"who was in went on; the server used {share:.0%} of a core meanwhile", f"{normal:.2f} s"], faults)
    world.server.stop()
