#!/usr/bin/env python3
"""Faults made on purpose (`serve --fault`) in the real binary: each actor of one session crashes once a second while
a second session talks undisturbed; the metrics, the tree and the page's notice tell of it.

fault_scenario_test.py BINARY starts servers on free ports. Prints what failed and "N passed, M failed".
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from support import KEY, Checks, Closed, Journal, Server, Visitor, lost, request, unsettled, until, write_app

ACTORS = ("session", "conversation", "analyzer", "audio", "stt", "tts")
CRASHES = 8
APP = {"app": "faults",
       "checklist": {"topics": [{"id": "name"}, {"id": "city"}]},
       "live": {"access": {"server_keys": ["${env:FAULTS_KEY}"]}}}
TALK = ("My name is Anna.", "I live in Berlin.", "What is open?", "Hello.", "Thank you.", "Are you there?")
# An answer of the offline agent takes milliseconds; this leaves room for a crowded machine.
ANSWERED_S = 5.0


def metrics(server):
    """{"name{labels}": value} of the admin port."""
    status, body = request(server.admin_port, "GET", "/metrics")
    assert status == 200, status
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in body.splitlines() if line and not line.startswith("#"))}


def tree(server, session):
    status, body = request(server.admin_port, "GET", "/debug/tree")
    assert status == 200, status
    return {e["name"]: e for e in json.loads(body)["entries"] if e["session"] == session}


class Talker(threading.Thread):
    """The session whose actors crash: takes the voice seat, and comes back whenever it is sent away."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.visitor = Visitor(server, "faults", name="a")
        self.notices, self.over, self.fault = [], threading.Event(), None
        self.ask()

    def ask(self):
        pcm = {"type": "audio/pcm", "rate": 16000}
        self.visitor.line.send({"type": "session.update", "session": {
            "type": "realtime", "output_modalities": ["audio"],
            "audio": {"input": {"format": pcm}, "output": {"format": {"type": "audio/pcm", "rate": 24000}}}}})
        self.visitor.line.send({"type": "sidevoice.audio.replay", "stream": "mic_1", "from_ms": 0})

    def run(self):
        try:
            while not self.over.is_set():
                self.step()
        except Exception as why:  # noqa: BLE001: told to whoever asks for the result
            self.fault = why

    def step(self):
        try:
            event = self.visitor.line.receive(0.2)
        except TimeoutError:
            return
        except Closed:
            self.visitor.connect()
            return self.ask()
        if event["type"] == "sidevoice.notice":
            self.notices.append(event)
        elif event["type"] == "sidevoice.voice.seat" and event["state"] in ("free", "unavailable"):
            self.ask()

    def end(self):
        self.over.set()
        self.join()
        if self.fault:
            raise self.fault


class World:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, pathlib.Path(folder)
        self.apps = write_app(self.folder, APP)

    def scenario(self, name, faults):
        path = self.folder / f"{name}.jsonc"
        path.write_text("// of this test\n" + json.dumps({"version": 1, "faults": faults}))
        return str(path)

    def server(self, name, faults):
        server = Server(self.binary, self.apps, str(self.folder / name),
                        args=["--fake-speech", "--fault", self.scenario(name, faults)], env={"FAULTS_KEY": KEY})
        server.start()
        return server


def comes_back(visitor):
    """False while the last of the faults still hit it."""
    try:
        visitor.connect()
        visitor.turn("Is all of it still there?")
        return True
    except (Closed, OSError):
        return False


def everybody_crashes(world):
    """One fault of each actor a second, 150 ms apart; the first session of the server is the one that has them."""
    server = world.server("crashes", [
        {"do": "crash", "actor": actor, "session": "first", "at_ms": 1000 + 150 * n, "every_ms": 1000,
         "times": CRASHES} for n, actor in enumerate(ACTORS)])
    try:
        talker = Talker(server)
        other = Visitor(server, "faults", name="b")
        talker.start()
        begin, slowest, told = time.monotonic(), 0.0, 0
        while time.monotonic() - begin < 1.0 + CRASHES:
            asked = time.monotonic()
            other.turn(TALK[told % len(TALK)])
            slowest, told = max(slowest, time.monotonic() - asked), told + 1
        seen = metrics(server)
        figures = tree(server, other.session)
        assert slowest < ANSWERED_S, f"an answer of the other session took {slowest:.1f} s"
        assert told >= CRASHES, f"only {told} turns"
        assert set(figures) >= {"session", "conversation", "analyzer"}, figures
        for name, entry in figures.items():
            assert entry["restarts"] == 0 and entry["crashes"] == 0, (name, entry)
            assert entry["queue_age_us"] is not None, (name, entry)
        assert not [e for e in other.frames if e["type"] == "sidevoice.notice"], "the other session was told"
        for actor in ACTORS:
            count = seen[f'sidevoice_restarts_total{{actor="{actor}",reason="threw"}}']
            assert count >= 1, f"{actor} was restarted {count} times"
        assert seen["sidevoice_faults_made_total"] >= len(ACTORS), seen["sidevoice_faults_made_total"]
        assert sum(seen[f'sidevoice_intensity_reached_total{{what="{what}"}}'] for what in ("session", "seat")) >= 1
        talker.end()
        assert "agent_restarted" in [n["code"] for n in talker.notices], talker.notices
        # It was beaten for seconds, and nothing of it is lost.
        until(lambda: comes_back(talker.visitor), "the beaten session to answer again")
        for session in (talker.visitor.session, other.session):
            events = until(lambda s=session: settled(server, s), f"{session} to settle")
            assert not lost(events), lost(events)
        print(f"  {told} turns beside it, the slowest {slowest * 1000:.0f} ms; "
              + ", ".join(f"{a} {seen[restarts(a)]:.0f}" for a in ACTORS) + " restarts")
    finally:
        server.stop()


def restarts(actor):
    return f'sidevoice_restarts_total{{actor="{actor}",reason="threw"}}'


def settled(server, session):
    events = Journal(server.data).events(session)
    return events if not unsettled(events) else None


def quit_and_hang(world):
    """An actor that quits is started again; one that hangs for a moment is shown as silent and goes on."""
    server = world.server("quits", [
        {"do": "quit", "actor": "analyzer", "at_ms": 500, "every_ms": 4000, "times": 20},
        {"do": "hang", "actor": "conversation", "for_ms": 1500, "every_ms": 3000, "times": 30}])
    try:
        visitor = Visitor(server, "faults")
        until(lambda: metrics(server)['sidevoice_restarts_total{actor="analyzer",reason="quit"}'] >= 1, "a restart")
        until(lambda: tree(server, visitor.session)["conversation"]["queue_age_us"] is None, "a silent actor")
        until(lambda: metrics(server)["sidevoice_actors_hung_total"] >= 1, "it to be counted")
        until(lambda: tree(server, visitor.session)["conversation"]["queue_age_us"] is not None, "it to be back")
        entry = tree(server, visitor.session)["analyzer"]
        assert entry["last_reason"] == "fault made on purpose: analyzer quits", entry
        assert entry["crashes_max"] == 3, entry
        assert tree(server, visitor.session)["conversation"]["restarts"] == 0
        visitor.turn("My name is Anna.")
        until(lambda: metrics(server)["sidevoice_queue_age_seconds_count"] >= 3, "pulses to be counted")
        log = pathlib.Path(server.log_path).read_text(errors="replace")
        line = next(l for l in log.splitlines() if "session.restart" in l)
        for part in (f"session={visitor.session}", "child=analyzer", "class=quit", "restarts=1", "crashes_max=3"):
            assert part in line, line
    finally:
        server.stop()


def store_and_clock(world):
    """A store that is full for a while refuses and recovers; another time of day changes no deadline."""
    server = world.server("store", [
        {"do": "store", "fault": "full", "at_ms": 4000, "for_ms": 1500, "every_ms": 3000, "times": 20},
        {"do": "clock", "by_s": 3600, "at_ms": 0}])
    try:
        visitor = Visitor(server, "faults")
        def refused():
            visitor.line.send({"type": "conversation.item.create", "item": {
                "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}})
            answer = visitor.take()
            while answer["type"] not in ("error", "conversation.item.added"):
                answer = visitor.take()
            return answer["type"] == "error"
        until(refused, "an input to be refused")
        until(lambda: not refused(), "the store to have room again")
        visitor.settle()
        at = visitor.journal.query("select max(at) from events where session_id=?1", visitor.session)[0][0]
        ahead = at / 1000 - time.time()
        assert 3500 < ahead < 3700, f"the journal's clock is {ahead:.0f} s ahead"
        assert metrics(server)["sidevoice_faults_made_total"] >= 2
    finally:
        server.stop()


def bad_scenarios(world):
    """What cannot be carried out is told with its line, and the server does not start."""
    path = world.folder / "bad.jsonc"
    for text, said in (('{ "version": 1, "faults": [\n { "do": "crash", "actor": "analyser" } ] }',
                        'bad.jsonc:2: faults[0].actor: found "analyser": did you mean "analyzer"?'),
                       ('{ "version": 3, "faults": [ { "do": "quit", "actor": "stt" } ] }', '"version": 1'),
                       ('{ "version": 1, "faults": [ { "do": "socket" } ] }', "write one of: crash, quit"),
                       ("{", "bad.jsonc:1")):
        path.write_text(text)
        run = subprocess.run([world.binary, "serve", "--config", world.apps, "--data", str(world.folder / "bad"),
                              "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--fault", str(path)],
                             capture_output=True, text=True, timeout=60)
        assert run.returncode == 2, run
        assert said in run.stderr, run.stderr


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        world = World(sys.argv[1], folder)
        for name, check in (("scenarios that cannot be carried out", bad_scenarios),
                            ("each actor crashes once a second beside another session", everybody_crashes),
                            ("an actor quits, an actor hangs", quit_and_hang),
                            ("a full store and another time of day", store_and_clock)):
            checks.run(name, check, world)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
