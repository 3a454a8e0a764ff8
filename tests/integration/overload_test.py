#!/usr/bin/env python3
"""The real server short of descriptors: new sessions are refused before there are none, and whoever has a session comes
back to it. What happens when there really are none is the row "descriptors" of tests/chaos/faults.py.

overload_test.py BINARY. Prints what failed and "N passed, M failed".
"""
import contextlib
import json
import os
import pathlib
import socket
import sqlite3
import sys
import tempfile
import time

from drain_test import Client, World, upgrade
from support import KEY, Checks, request, until

DESCRIPTORS = 128


@contextlib.contextmanager
def narrow_world(binary):
    with tempfile.TemporaryDirectory(prefix="sidevoice-overload-") as folder:
        wrapper = pathlib.Path(folder) / "narrow"
        wrapper.write_text(f'#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec "{binary}" "$@"\n')
        wrapper.chmod(0o755)
        world = World(str(wrapper), folder, args=["--no-speech"], shedding=True)
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


def fill(world):
    """Idle sockets until nobody new is let in."""
    idle = idle_sockets(world, int(DESCRIPTORS * 0.95) - open_descriptors(world))
    until(lambda: gauge(world, "sidevoice_shedding_level") == 2, "the node to refuse new sessions")
    return idle


def new_sessions_are_refused_before_descriptors_run_out(binary):
    with narrow_world(binary) as world:
        client = Client(world)
        assert gauge(world, "sidevoice_shedding_level") == 0
        idle = fill(world)
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


def a_damaged_session_is_called_damaged_where_there_is_no_room(binary):
    """It was there before: its visitor need not be told to come again."""
    with narrow_world(binary) as world:
        session = Client(world, "d").session
        # Bound to a session that might be new: only the journal knows.
        _, body = request(world.server.port, "POST", "/v1/realtime/client_secrets",
                          {"session": {"type": "realtime", "model": "drain"}, "sidevoice": {"session": session}}, KEY)
        key = json.loads(body)["value"]
        world.server.kill()
        base = sqlite3.connect(f"{world.server.data}/sidevoice.db")
        with contextlib.closing(base), base:
            base.execute("update events set body = replace(body, '\"', '~') where session_id = ?", (session,))
            base.execute("delete from snapshots")
        world.server.start()
        idle = fill(world)
        status, _, code = upgrade(world.server.port)
        assert (status, code) == (503, "server_overloaded"), (status, code)
        status, _, code = upgrade(world.server.port, key)
        assert (status, code) == (410, "session_damaged"), (status, code)
        for line in idle:
            line.close()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    for check in (new_sessions_are_refused_before_descriptors_run_out,
                  a_damaged_session_is_called_damaged_where_there_is_no_room):
        checks.run(check.__name__.replace("_", " "), check, os.path.abspath(sys.argv[1]))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
