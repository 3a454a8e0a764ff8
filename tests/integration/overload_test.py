#!/usr/bin/env python3
"""The real server short of descriptors: new sessions are refused before there are none, whoever has a session comes
back to it, and when there really are none it neither spins nor dies.

overload_test.py BINARY. Prints what failed and "N passed, M failed".
"""
import contextlib
import json
import os
import pathlib
import socket
import sys
import tempfile
import time

from drain_test import Client, World, upgrade
from support import Checks, request, until

DESCRIPTORS = 128


@contextlib.contextmanager
def narrow_world(binary):
    with tempfile.TemporaryDirectory(prefix="sidevoice-overload-") as folder:
        wrapper = pathlib.Path(folder) / "narrow"
        wrapper.write_text(f'#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec "{binary}" "$@"\n')
        wrapper.chmod(0o755)
        world = World(str(wrapper), folder, args=["--no-speech"])
        try:
            yield world
        finally:
            world.close()


def open_descriptors(world):
    return len(os.listdir(f"/proc/{world.server.process.pid}/fd"))


def idle_sockets(world, count):
    """TCP connections that say nothing."""
    return [socket.create_connection(("127.0.0.1", world.server.port), timeout=30) for _ in range(count)]


def gauge(world, name):
    return world.counter(name)


def new_sessions_are_refused_before_descriptors_run_out(binary):
    with narrow_world(binary) as world:
        client = Client(world)
        assert gauge(world, "sidevoice_shedding_level") == 0
        idle = idle_sockets(world, int(DESCRIPTORS * 0.95) - open_descriptors(world))
        until(lambda: gauge(world, "sidevoice_shedding_level") == 2, "the node to refuse new sessions")
        assert gauge(world, "sidevoice_headroom") == 0
        began = time.monotonic()
        status, fields, code = upgrade(world.server.port)
        took = time.monotonic() - began
        assert (status, code) == (503, "server_overloaded"), (status, code)
        assert 1 <= int(fields["Retry-After"]) <= 10, fields
        assert gauge(world, "sidevoice_sessions_shed_total") == 1
        # Who is in is served, and who comes back is let in.
        item = client.begin_answer()
        client.until("response.done")
        assert item in client.acknowledged
        client.line.cut()
        client.connect()
        assert request(world.server.port, "GET", "/readyz")[0] == 200
        for line in idle:
            line.close()
        until(lambda: gauge(world, "sidevoice_shedding_level") == 0, "the node to let people in again")
        Client(world, "n")
        log = world.log()
        assert "overload.level" in log and "tightest=descriptors" in log, log[-500:]
        print(f"  refused in {1000 * took:.1f} ms")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def without_descriptors_the_port_neither_spins_nor_dies(binary):
    with narrow_world(binary) as world:
        client = Client(world)
        idle = idle_sockets(world, DESCRIPTORS)
        # Those for whom there is no descriptor are closed, not left hanging.
        for line in idle:
            line.setblocking(False)

        def closed():
            gone = 0
            for line in idle:
                with contextlib.suppress(BlockingIOError):
                    try:
                        gone += line.recv(1) == b""
                    except ConnectionResetError:
                        gone += 1
            return gone

        until(lambda: closed() > 0, "connections to be turned away")
        pid = world.server.process.pid
        before, began = cpu_seconds(pid), time.monotonic()
        client.begin_answer()
        client.until("response.done")
        until(lambda: time.monotonic() - began > 1, "a second of it")
        share = (cpu_seconds(pid) - before) / (time.monotonic() - began)
        assert share < 0.5, f"it burns {share:.2f} of a core"
        for line in idle:
            line.close()
        until(lambda: gauge_when_there_is_room(world) > 0, "the counter")
        until(lambda: gauge(world, "sidevoice_shedding_level") == 0, "the node to let people in again")
        Client(world, "n")
        lines = [line for line in world.log().splitlines() if "cannot accept connections" in line]
        assert 1 <= len(lines) <= 3, lines
        assert world.server.stop() == 0


def gauge_when_there_is_room(world):
    with contextlib.suppress(OSError, StopIteration, json.JSONDecodeError):
        return gauge(world, "sidevoice_accepts_failed_total")
    return 0


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    for check in (new_sessions_are_refused_before_descriptors_run_out,
                  without_descriptors_the_port_neither_spins_nor_dies):
        checks.run(check.__name__.replace("_", " "), check, os.path.abspath(sys.argv[1]))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
