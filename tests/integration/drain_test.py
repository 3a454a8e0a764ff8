#!/usr/bin/env python3
"""SIGTERM on the real server: answers under way end, clients are told to come back, and the next server has everything.

drain_test.py BINARY [PART OF A NAME]... Prints what failed and "N passed, M failed".
"""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

from support import (KEY, Checks, Closed, Fake, Journal, RealtimeClient, Server, lost, of, request, unsettled, until,
                     write_app)

QUESTION = "what do you still need?"


# Twelve words in three sentences.
ANSWER = "We have your name. The date is still open. So is the address."


def app(fake):
    return {"app": "drain", "conversation": {"greeting": "Hello."},
            "checklist": {"topics": [{"id": "name", "required": True}, {"id": "date", "type": "date"}]},
            "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["rules"]},
            "live": {"access": {"server_keys": ["${env:DRAIN_KEY}"]}, "vendors": {"openai": {"base_url": fake.url}}}}


class World:
    """A server whose data outlive its processes."""

    def __init__(self, binary, folder, words_per_second=3, args=(), settings=None, shedding=False):
        self.folder = pathlib.Path(folder)
        self.fake = Fake(binary, {"defaults": {"text": ANSWER, "words_per_second": words_per_second}})
        config = write_app(self.folder, app(self.fake))
        if settings is not None:
            config = str(self.folder / "sidevoice.jsonc")
            pathlib.Path(config).write_text(json.dumps({"apps": "apps/", **settings}))
        self.server = Server(binary, config, str(self.folder / "data"), args=args, shedding=shedding,
                             env={"DRAIN_KEY": KEY, "OPENAI_API_KEY": "fake"})
        self.journal = Journal(self.server.data)
        try:
            self.server.start()
        except RuntimeError:
            self.fake.close()
            raise

    def log(self):
        return pathlib.Path(self.server.log_path).read_text(errors="replace")

    def ask_to_go(self):
        self.server.process.send_signal(signal.SIGTERM)

    def gone(self, within):
        """Waits for the end of the process, which has to be a good one."""
        try:
            code = self.server.process.wait(within)
        except subprocess.TimeoutExpired:
            code = "no end"
        self.server.process.stdout.close()
        assert code == 0, f"{code} within {within} s: {self.log()[-12000:]}"

    def counter(self, name):
        text = request(self.server.admin_port, "GET", "/metrics")[1]
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.fake.close()


class Client:
    """One session as ours behaves: resumes, and sends again what was not acknowledged."""

    def __init__(self, world, name="c"):
        self.world, self.name = world, name
        self.session, self.after, self.store = None, 0, ""
        self.count, self.connects = 0, 0
        self.unacknowledged, self.acknowledged = {}, []
        self.frames, self.line = [], None
        self.connect()

    def connect(self):
        path = "/v1/realtime?model=drain" + (f"&session={self.session}" if self.session else "")
        self.line = RealtimeClient(self.world.server.port, path, key=KEY, protocols=("sidevoice.v1",), timeout=60)
        self.session = self.line.until("session.created")[-1]["session"]["id"]
        self.line.send({"type": "sidevoice.session.resume", "after_seq": self.after, "store": self.store})
        while self.take()["type"] not in ("sidevoice.session.snapshot", "sidevoice.session.resumed"):
            pass
        self.connects += 1
        for frame in list(self.unacknowledged.values()):
            self.line.send(frame)

    def take(self, timeout=60):
        event = self.line.receive(timeout)
        self.frames.append(event)
        if event["type"] == "sidevoice.session.snapshot":
            self.store, self.after = event["store"], event["seq"]
        if isinstance(event.get("seq"), int):
            self.after = max(self.after, event["seq"])
        if event["type"] == "conversation.item.added" and event["item"]["id"] in self.unacknowledged:
            del self.unacknowledged[event["item"]["id"]]
            self.acknowledged.append(event["item"]["id"])
        return event

    def until(self, kind):
        while True:
            event = self.take()
            if event["type"] == kind:
                return event

    def say(self, text):
        self.count += 1
        item = f"in_{self.name}_{self.count}"
        self.unacknowledged[item] = {"type": "conversation.item.create", "answer": True,
                                     "item": {"id": item, "type": "message", "role": "user",
                                              "content": [{"type": "input_text", "text": text}]}}
        self.line.send(self.unacknowledged[item])
        return item

    def begin_answer(self):
        """An answer is being given, a word or more of it is out."""
        item = self.say(QUESTION)
        self.until("response.output_text.delta")
        return item

    def to_the_end(self):
        """What comes until the server closes; how it does."""
        seen = []
        try:
            while True:
                seen.append(self.take())
        except Closed as why:
            # A good client answers the close; the server waits for it.
            self.line.close()
            return seen, str(why)


def types(events):
    return [event["type"] for event in events]


def expect_good_end(seen, why):
    assert "closed with 1012" in why, why
    assert seen and seen[-1]["type"] == "sidevoice.session.move", types(seen)[-3:]
    assert 0 <= seen[-1]["reconnect_in_ms"] < 1000, seen[-1]
    assert types(seen).count("sidevoice.session.move") == 1, types(seen)


def upgrade(port, key=KEY):
    """Status, fields and code of an upgrade that is refused."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", "/v1/realtime?model=drain", headers={
        "Authorization": f"Bearer {key}", "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    reply = line.getresponse()
    body = reply.read().decode()
    line.close()
    return reply.status, dict(reply.getheaders()), json.loads(body)["error"]["code"] if body else ""


@contextlib.contextmanager
def world_of(binary, **how):
    with tempfile.TemporaryDirectory(prefix="sidevoice-drain-") as folder:
        world = World(binary, folder, **how)
        try:
            yield world
        finally:
            world.close()


# -- checks -------------------------------------------------------------------------------------------------


def an_answer_under_way_ends_whole(binary):
    with world_of(binary) as world:
        client = Client(world)
        item = client.begin_answer()
        began = time.monotonic()
        world.ask_to_go()
        until(lambda: request(world.server.port, "GET", "/readyz")[0] == 503, "not ready", 5)
        assert "stopping" in request(world.server.port, "GET", "/readyz")[1]
        status, fields, code = upgrade(world.server.port)
        assert (status, code) == (503, "restarting"), (status, code)
        assert int(fields["Retry-After"]) >= 1, fields
        seen, why = client.to_the_end()
        expect_good_end(seen, why)
        done = [event for event in seen if event["type"] == "response.done"]
        assert [d["response"]["status"] for d in done] == ["completed"], done
        world.gone(10)
        assert time.monotonic() - began < 10
        assert "session.drained" in world.log() and "drain_overdue" not in world.log()
        events = world.journal.events(client.session)
        assert not unsettled(events) and not lost(events), (unsettled(events), lost(events))
        said = "".join(e["delta"] for e in client.frames if e["type"] == "response.output_text.delta")
        world.server.start()
        client.connect()
        shown = [i["item"] for i in of(world.journal.events(client.session), "item.put")]
        assert said == shown[-1]["text"], (said, shown[-1])
        assert item in [i["id"] for i in shown]


def an_input_that_comes_meanwhile_is_answered_by_the_next_server(binary):
    with world_of(binary) as world:
        client = Client(world)
        client.begin_answer()
        world.ask_to_go()
        until(lambda: request(world.server.port, "GET", "/readyz")[0] == 503, "not ready", 5)
        item = client.say("My name is Anna Schmidt")
        seen, why = client.to_the_end()
        expect_good_end(seen, why)
        assert item in client.acknowledged, "it was not accepted"
        assert "response.created" not in types(seen), "an answer was begun while the server went"
        world.gone(10)
        world.server.start()
        client.connect()
        events = until(lambda: not unsettled(world.journal.events(client.session))
                       and world.journal.events(client.session), "the answer of the next server")
        assert not lost(events), lost(events)
        answers = [r["response"] for r in of(events, "response.requested") if item in r["cause"]]
        ends = {d["response"]: d["status"] for d in of(events, "response.done")}
        assert [ends[a] for a in answers] == ["completed"], (answers, ends)


def clients_with_nothing_under_way_go_at_once(binary):
    with world_of(binary, words_per_second=2, settings={"sessions": {"passivate_after_s": 1}}) as world:
        talking, silent, asleep = Client(world, "t"), Client(world, "s"), Client(world, "a")
        talking.begin_answer()
        world.ask_to_go()
        for client in (silent, asleep):
            seen, why = client.to_the_end()
            expect_good_end(seen, why)
        assert world.server.process.poll() is None, "the server did not wait for the answer"
        seen, why = talking.to_the_end()
        expect_good_end(seen, why)
        assert "response.done" in types(seen)
        world.gone(10)


def patience_ends(binary):
    with world_of(binary, words_per_second=1, args=["--drain-s", "1"]) as world:
        client = Client(world)
        client.begin_answer()
        began = time.monotonic()
        world.ask_to_go()
        seen, why = client.to_the_end()
        expect_good_end(seen, why)
        assert "response.done" not in types(seen)
        world.gone(10)
        assert time.monotonic() - began >= 1
        assert "session.drain_overdue" in world.log()
        world.server.start()
        client.connect()
        events = until(lambda: not unsettled(world.journal.events(client.session))
                       and world.journal.events(client.session), "the answer to be continued")
        assert not lost(events), lost(events)
        ends = [(d["status"], d.get("reason")) for d in of(events, "response.done")]
        assert ends[-1][0] == "completed", ends


def a_second_signal_does_not_wait(binary):
    with world_of(binary, words_per_second=1, args=["--drain-s", "600"]) as world:
        client = Client(world)
        client.begin_answer()
        world.ask_to_go()
        until(lambda: request(world.server.port, "GET", "/readyz")[0] == 503, "not ready", 5)
        world.ask_to_go()
        _, why = client.to_the_end()
        assert "closed with 1012" in why, why
        world.gone(10)
        world.server.start()
        client.connect()


def ten_restarts_lose_nothing(binary):
    with world_of(binary, words_per_second=40) as world:
        clients = [Client(world, f"r{n}") for n in range(4)]
        up, stop = threading.Event(), threading.Event()
        up.set()
        faults = []

        def talk(client):
            answered = True
            while not (stop.is_set() and answered):
                try:
                    if answered and not stop.is_set():
                        client.say(QUESTION)
                        answered = False
                    if client.take()["type"] == "response.done" and not client.unacknowledged:
                        answered = True
                except Closed as why:
                    client.line.close()
                    if "1012" not in str(why):
                        faults.append(f"{client.name}: {why} behind {types(client.frames[-3:])}")
                        return
                    # A server that goes has no place for anybody: the next one has.
                    world_up = until(lambda: up.wait(1) and open_again(client), "the next server")
                    assert world_up
                    # What was open may have been answered while nobody looked.
                    answered = not client.unacknowledged and not unsettled(world.journal.events(client.session))

        def open_again(client):
            try:
                client.connect()
                return True
            except (Closed, OSError, TimeoutError):
                return False

        threads = [threading.Thread(target=talk, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for _ in range(10):
            before = sum(len(client.acknowledged) for client in clients)
            until(lambda: faults or sum(len(c.acknowledged) for c in clients) >= before + 4, "talk to go on")
            up.clear()
            world.ask_to_go()
            world.gone(20)
            world.server.start()
            up.set()
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "a visitor waits for an answer that never came"
        assert not faults, faults
        for client in clients:
            assert client.connects <= 11, f"{client.name} connected {client.connects} times"
            events = until(lambda: not unsettled(world.journal.events(client.session))
                           and world.journal.events(client.session), f"{client.session} to settle")
            assert not lost(events), lost(events)
            ends = {d["response"]: d for d in of(events, "response.done")}
            cause_of = {c: r["response"] for r in of(events, "response.requested") for c in r["cause"]}
            for item in client.acknowledged:
                assert ends[cause_of[item]]["status"] == "completed", (item, ends[cause_of[item]])
        assert "drain_overdue" not in world.log()
        assert world.server.stop() == 0


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    checks = Checks()
    for check in (an_answer_under_way_ends_whole, an_input_that_comes_meanwhile_is_answered_by_the_next_server,
                  clients_with_nothing_under_way_go_at_once, patience_ends, a_second_signal_does_not_wait,
                  ten_restarts_lose_nothing):
        name = check.__name__.replace("_", " ")
        if len(sys.argv) == 2 or any(part in name for part in sys.argv[2:]):
            checks.run(name, check, os.path.abspath(sys.argv[1]))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
