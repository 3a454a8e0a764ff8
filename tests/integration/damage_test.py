#!/usr/bin/env python3
"""A damaged event in one of two sessions: the session is refused with its number, the other one is served, `store verify`
finds the place, `sessions export --readable` saves the rest, `store repair` heals it, and clients begin with a snapshot.

damage_test.py BINARY starts a server on free ports. Prints what failed and "N passed, M failed".
"""
import contextlib
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

from support import KEY, Checks, Closed, RealtimeClient, Server, Visitor, request, until, write_app

NUMBER = 4


class World:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, pathlib.Path(folder)
        key = self.folder / "app.key"
        key.touch(mode=0o600)
        key.write_text(KEY + "\n")
        apps = write_app(folder, {
            "app": "inn", "checklist": {"topics": [{"id": "name"}]},
            "models": {"conversation": ["rules"], "analyzer": ["rules"]},
            "live": {"access": {"server_keys": [f"${{file:{key}}}"]}}})
        self.data = str(self.folder / "data")
        self.server = Server(binary, apps, self.data)
        self.server.start()
        self.bad, self.good = (Visitor(self.server, "inn", name=name) for name in ("bad", "good"))
        for visitor in (self.bad, self.good):
            visitor.turn("We are three.")
            visitor.turn("My name is Ann.")
            visitor.close()
        # Of the session that is damaged later; analyses may still be on their way.
        self.head = 0

    def run(self, *args):
        done = subprocess.run([self.binary, *args], capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def store(self, *args):
        return self.run("store", *args, "--data", self.data)

    def verify(self):
        code, out, _ = self.store("verify", "--json")
        return code, json.loads(out)

    def change(self, sql, *args):
        """While no server runs, as a broken disk would."""
        base = sqlite3.connect(f"{self.data}/sidevoice.db")
        with contextlib.closing(base), base:
            base.execute(sql, args)

    def metric(self, name):
        _, body = request(self.server.admin_port, "GET", "/metrics")
        found = re.search(rf"^sidevoice_{name}(?:_total)? (\d+)$", body, re.M)
        return int(found[1]) if found else 0

    def refusal(self, session):
        """Status and error of an upgrade, and of the plain GET by which a page asks why."""
        path = f"/v1/realtime?model=inn&session={session}"
        try:
            RealtimeClient(self.server.port, path, key=KEY, protocols=("sidevoice.v1",)).close()
            raise AssertionError("the session was opened")
        except Closed as why:
            upgrade = int(str(why).split()[2].rstrip(":"))
        status, body = request(self.server.port, "GET", path, key=KEY)
        return upgrade, status, json.loads(body)["error"]

    def log(self):
        return pathlib.Path(self.server.log_path).read_text(errors="replace")

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()


def all_is_well(world):
    code, report = world.verify()
    assert code == 0 and report["sessions"] == 2 and not report["findings"], report
    code, out, _ = world.store("verify")
    assert code == 0 and "2 sessions" in out and "all is well" in out, out


def repair_waits_for_the_server(world):
    code, _, err = world.store("repair", "--session", world.bad.session, "--cut", "2")
    assert code == 1 and f"process {world.server.process.pid}" in err, err


def damaged_is_refused_and_the_other_served(world):
    world.server.kill()
    world.head = len(world.bad.events())
    # Behind a crash nothing is a shortcut: the journal is read.
    world.change("delete from snapshots")
    world.change("update events set body = replace(body, '\"', '~') where session_id = ? and seq = ?",
                 world.bad.session, NUMBER)
    world.server.start()
    for asked in (1, 2):
        upgrade, status, error = world.refusal(world.bad.session)
        assert (upgrade, status) == (410, 410), (upgrade, status)
        assert error["code"] == "session_damaged" and error["param"] == "session", error
        assert f"event {NUMBER} " in error["message"] and world.bad.session in error["message"], error
        assert "sidevoice store verify --session" in error["message"], error
        assert world.metric("sessions_damaged") >= asked
    line = next(line for line in world.log().splitlines() if " session.damaged " in line)
    assert f"session={world.bad.session}" in line and f"event={NUMBER}" in line, line
    world.good.connect()
    world.good.turn("Are you there?")
    world.good.close()


def verify_names_the_place_beside_the_server(world):
    code, report = world.verify()
    assert code == 1, report
    finding, = report["findings"]
    assert (finding["session"], finding["kind"], finding["event"]) == (world.bad.session, "event", NUMBER), finding
    assert f"--cut {NUMBER}" in finding["remedy"], finding
    code, out, _ = world.store("verify", "--session", world.bad.session)
    assert code == 1 and f"sidevoice store repair --session {world.bad.session} --cut {NUMBER}" in out, out
    code, out, _ = world.store("verify", "--session", world.good.session)
    assert code == 0, out
    for words in (("verify", "--help"), ("repair", "--help")):
        assert "--session" in world.store(*words)[1]


def what_is_readable_can_be_exported(world):
    code, out, err = world.run("sessions", "export", world.bad.session, "--data", world.data)
    assert code == 1 and not out and f"event {NUMBER} " in err and "--readable" in err, err
    code, out, _ = world.run("sessions", "export", world.bad.session, "--data", world.data, "--readable")
    line = json.loads(out)
    assert code == 0 and [(gap["first"], gap["last"]) for gap in line["missing"]] == [(NUMBER, NUMBER)], line
    assert any("My name is Ann." in str(item) for item in line["items"]), line
    code, out, _ = world.run("sessions", "export", "--data", world.data)
    assert code == 1 and world.good.session in out and world.bad.session not in out


def repair_heals(world):
    assert world.server.stop() == 0
    code, _, err = world.store("repair", "--session", world.bad.session)
    assert code == 1 and f"--cut {NUMBER}" in err, err
    code, out, err = world.store("repair", "--session", world.bad.session, "--cut", str(NUMBER))
    assert code == 0 and f"goes on with {NUMBER - 1} events" in out, (out, err)
    kept, = pathlib.Path(world.data).glob("cut-inn-*.jsonl")
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    cut = [line["event"]["seq"] for line in lines if "event" in line]
    assert cut == list(range(NUMBER, world.head + 1)), cut
    assert kept.stat().st_mode & 0o777 == 0o600
    assert world.verify()[0] == 0
    world.server.start()


def clients_that_knew_more_get_a_snapshot(world):
    """No error: with and without the name of the store that they knew."""
    store = world.bad.snapshot["store"]
    for known in (store, ""):
        line = until(lambda: world.bad.open(f"/v1/realtime?model=inn&session={world.bad.session}"), "an open session")
        line.send({"type": "sidevoice.session.resume", "after_seq": 10_000, "store": known})
        seen = line.until("sidevoice.session.snapshot")
        assert not [event for event in seen if event["type"] == "error"], seen
        assert seen[-1]["seq"] < 10_000
        line.close()
    world.bad.connect()
    world.bad.turn("We are four.")
    assert "We are four." in str(world.bad.events())
    world.bad.close()


def an_older_copy_is_put_back(world):
    """A restore by file copy: the client has seen numbers that the copy does not have, or has for other events."""
    assert world.server.stop() == 0
    backup = world.folder / "copy.db"
    with contextlib.closing(sqlite3.connect(f"{world.data}/sidevoice.db")) as base, \
            contextlib.closing(sqlite3.connect(backup)) as copy:
        base.backup(copy)
    world.server.start()
    world.good.connect()
    world.good.turn("This will be forgotten.")
    seq = max(event.get("seq") or 0 for event in world.good.frames)
    store = world.good.snapshot["store"]
    assert world.server.stop() == 0
    for name in ("sidevoice.db-wal", "sidevoice.db-shm"):
        (pathlib.Path(world.data) / name).unlink(missing_ok=True)
    (pathlib.Path(world.data) / "sidevoice.db").write_bytes(backup.read_bytes())
    world.server.start()
    assert world.verify()[0] == 0
    line = until(lambda: world.good.open(f"/v1/realtime?model=inn&session={world.good.session}"), "an open session")
    line.send({"type": "sidevoice.session.resume", "after_seq": seq, "store": store})
    seen = line.until("sidevoice.session.snapshot")
    assert not [event for event in seen if event["type"] == "error"], seen
    assert seen[-1]["seq"] < seq
    line.close()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="sidevoice-damage-") as folder:
        world = World(sys.argv[1], folder)
        try:
            for check in (all_is_well, repair_waits_for_the_server, damaged_is_refused_and_the_other_served,
                          verify_names_the_place_beside_the_server, what_is_readable_can_be_exported, repair_heals,
                          clients_that_knew_more_get_a_snapshot, an_older_copy_is_put_back):
                checks.run(check.__name__.replace("_", " "), check, world)
            checks.run("the server ends as asked", lambda: world.server.stop() == 0 or 1 / 0)
        finally:
            world.close()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
