#!/usr/bin/env python3
"""Kills the real server with SIGKILL at named points and at random, restarts it, and checks from outside
that nothing accepted was lost.

  kill.py BINARY [--rounds 5] [--seed 1] [--report FILE]

BINARY must be built with fault points (preset dev). One data folder lives through all kills, so that every
restart also has to cope with what the former ones left. Prints a table, then "N passed, M failed".
"""
import argparse
import collections
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from realtime_client import Closed, RealtimeClient, Server  # noqa: E402

KEY = "chaos-key-of-the-test"
APP = {
    "app": "chaos",
    "conversation": {"greeting": "Hello from the chaos test."},
    "checklist": {"topics": [{"id": "name", "required": True}, {"id": "date", "type": "date"},
                             {"id": "email", "type": "email", "required": True}]},
    # Slow enough that a kill finds an answer half said.
    "models": {"conversation": [{"vendor": "rules", "words_per_second": 40}], "analyzer": ["rules"]},
    "live": {"access": {"server_keys": ["${env:CHAOS_KEY}"]}},
}
SENTENCES = ["My name is Anna Schmidt", "on 12 March 2027", "anna@example.com", "what do you still need?",
             "hello there", "actually my name is Anna Weber", "no idea yet", "please go on"]


class Visitor:
    """One session's client as ours behaves: keeps what is unacknowledged, sends it again after a break."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.session = None
        self.line = None
        self.after = 0
        self.store = ""
        self.count = 0
        self.unacknowledged = {}
        self.acknowledged = []

    def connect(self):
        path = "/v1/realtime?model=chaos" + (f"&session={self.session}" if self.session else "")
        self.line = RealtimeClient(self.server.port, path, key=KEY, protocols=("sidevoice.v1",), timeout=30)
        created = self.line.until("session.created")[-1]
        self.session = created["session"]["id"]
        self.line.send({"type": "sidevoice.session.resume", "after_seq": self.after, "store": self.store})
        while True:
            event = self.take()
            if event["type"] in ("sidevoice.session.snapshot", "sidevoice.session.resumed"):
                break
        for frame in list(self.unacknowledged.values()):
            self.line.send(frame)

    def take(self, timeout=30):
        event = self.line.receive(timeout)
        if event["type"] == "sidevoice.session.snapshot":
            self.store = event["store"]
            self.after = event["seq"]
        if isinstance(event.get("seq"), int):
            self.after = max(self.after, event["seq"])
        if event["type"] == "conversation.item.added" and event["item"]["id"] in self.unacknowledged:
            del self.unacknowledged[event["item"]["id"]]
            self.acknowledged.append(event["item"]["id"])
        return event

    def say(self, text):
        self.count += 1
        item = f"in_{self.name}_{self.count}"
        frame = {"type": "conversation.item.create", "answer": True,
                 "item": {"id": item, "type": "message", "role": "user",
                          "content": [{"type": "input_text", "text": text}]}}
        self.unacknowledged[item] = frame
        self.line.send(frame)
        return item

    def await_answer(self):
        """Until every input is acknowledged and no response is open for a while."""
        while True:
            event = self.take()
            if event["type"] == "response.done" and not self.unacknowledged:
                return event


class Chaos:
    def __init__(self, binary, folder, seed):
        self.chance = random.Random(seed)
        app = folder / "chaos"
        app.mkdir()
        (app / "app.jsonc").write_text(json.dumps(APP))
        self.data = str(folder / "data")
        self.server = Server(binary, str(app), self.data, env={"CHAOS_KEY": KEY})
        self.visitors = []
        self.rows = []
        self.faults = []

    def start(self, fault=None):
        self.server.env.pop("SIDEVOICE_FAULT", None)
        if fault:
            self.server.env["SIDEVOICE_FAULT"] = fault
        return self.server.start()

    def visitor(self):
        fresh = Visitor(self.server, f"v{len(self.visitors)}")
        self.visitors.append(fresh)
        return fresh

    def in_flight(self, visitor):
        open_responses = [r[0] for r in self.query(
            "select json_extract(body,'$.response') from events where type='response.requested' and session_id=?1 "
            "and json_extract(body,'$.response') not in (select json_extract(body,'$.response') from events "
            "where type='response.done' and session_id=?1)", visitor.session)]
        return {"unacknowledged": sorted(visitor.unacknowledged), "open_responses": open_responses}

    def query(self, sql, *args):
        base = sqlite3.connect(f"file:{self.data}/sidevoice.db?mode=ro", uri=True)
        try:
            return base.execute(sql, args).fetchall()
        finally:
            base.close()

    def one(self, point, fault, act):
        """Starts, talks until the server dies, restarts, and measures until it answers again."""
        self.start(fault)
        visitor = self.visitor()
        try:
            visitor.connect()
            act(visitor)
        except (Closed, TimeoutError, OSError):
            pass
        alive = False
        try:
            # The socket breaks a moment before the process is gone.
            if fault:
                self.server.process.wait(5)
        except subprocess.TimeoutExpired:
            alive = True
        self.server.kill()
        if fault and alive:
            self.faults.append(f"{point}: the fault point was never reached")
        flying = self.in_flight(visitor) if visitor.session else {"unacknowledged": [], "open_responses": []}
        died = time.monotonic()
        started = self.start()
        visitor.connect()
        visitor.say("are you there?")
        visitor.await_answer()
        answered = time.monotonic() - died
        self.server.stop()
        self.rows.append({"point": point, "fault": fault, "in_flight": flying, "start_s": round(started, 3),
                          "answers_again_s": round(answered, 3)})

    def talk(self, visitor, turns=8):
        for _ in range(turns):
            visitor.say(self.chance.choice(SENTENCES))
            visitor.await_answer()

    def mid_answer(self, visitor):
        self.talk(visitor, turns=self.chance.randint(0, 2))
        visitor.say("what do you still need?")
        deltas = self.chance.randint(1, 6)
        while deltas:
            if visitor.take()["type"] == "response.output_text.delta":
                deltas -= 1

    def at_random(self, visitor):
        end = time.monotonic() + self.chance.uniform(0.0, 1.2)
        while time.monotonic() < end:
            visitor.say(self.chance.choice(SENTENCES))
            stop = min(end, time.monotonic() + self.chance.uniform(0, 0.5))
            while time.monotonic() < stop:
                try:
                    visitor.take(timeout=max(0.001, stop - time.monotonic()))
                except TimeoutError:
                    break

    # -- the oracle ---------------------------------------------------------------------------------------

    def check(self):
        for visitor in self.visitors:
            if visitor.session is None:
                continue
            rows = self.query("select seq, type, body from events where session_id=?1 order by seq", visitor.session)
            self.check_session(visitor, [(seq, kind, json.loads(body)) for seq, kind, body in rows])

    def check_session(self, visitor, events):
        name = visitor.name
        if [seq for seq, _, _ in events] != list(range(1, len(events) + 1)):
            self.faults.append(f"{name}: the numbers have a gap")
        puts = collections.Counter()
        causes = collections.defaultdict(list)
        status = {}
        ends = collections.Counter()
        for _, kind, body in events:
            if kind == "item.put":
                puts[body["item"]["id"]] += 1
            elif kind == "response.requested":
                for cause in body["cause"]:
                    causes[cause].append(body["response"])
            elif kind == "response.done":
                ends[body["response"]] += 1
                status[body["response"]] = body["status"]
        for item in visitor.acknowledged:
            if puts[item] != 1:
                self.faults.append(f"{name}: acknowledged input {item} stands {puts[item]} times in the journal")
            if len(causes[item]) != 1:
                self.faults.append(f"{name}: {item} has {len(causes[item])} responses")
        for cause, responses in causes.items():
            last = responses[-1]
            # A response that was cut by the crash is continued by one whose cause it is.
            while causes.get(last):
                last = causes[last][-1]
            if len(responses) != 1 or status.get(last) not in ("completed", "cancelled"):
                self.faults.append(f"{name}: {cause} ends with {status.get(last)} after {responses}")
        if len(causes["greeting"]) != 1:
            self.faults.append(f"{name}: {len(causes['greeting'])} greetings")
        for response, count in ends.items():
            if count != 1:
                self.faults.append(f"{name}: {response} has {count} ends")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sidevoice-chaos-") as folder:
        chaos = Chaos(args.binary, pathlib.Path(folder), args.seed)
        for _ in range(args.rounds):
            hit = chaos.chance.randint(2, 14)
            chaos.one("before an append", f"append.before:{hit}", chaos.talk)
            chaos.one("after an append", f"append.after:{hit}", chaos.talk)
            chaos.one("in the middle of an answer", None, chaos.mid_answer)
            chaos.one("at random", None, chaos.at_random)
        chaos.check()
        rows, faults = chaos.rows, chaos.faults
    lines = ["| killed | fault | in flight | started again | answered again |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        flying = row["in_flight"]
        lines.append(f"| {row['point']} | {row['fault'] or '-'} | {len(flying['unacknowledged'])} unacknowledged, "
                     f"{len(flying['open_responses'])} open responses | {row['start_s']:.2f} s | "
                     f"{row['answers_again_s']:.2f} s |")
    print("\n".join(lines))
    for fault in faults:
        print("VIOLATION:", fault)
    if args.report:
        with open(args.report, "w", encoding="utf-8") as out:
            out.write(f"Command: `tests/chaos/kill.py sidevoice --rounds {args.rounds} --seed {args.seed}`; load average "
                      f"{os.getloadavg()[0]:.2f} on {os.cpu_count()} cores.\n\n" + "\n".join(lines)
                      + f"\n\nViolations: {len(faults)}\n" + "\n".join(f"- {f}" for f in faults))
    failed = min(len(faults), len(rows))
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
