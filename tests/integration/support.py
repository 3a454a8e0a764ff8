"""What tests of the real binary share: the fake provider, a server with an app, a visitor, the journal, checks.

Nothing here sleeps to synchronise: `until` polls with a deadline.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from realtime_client import Closed, RealtimeClient, Server  # noqa: E402,F401

PATIENCE_S = 60
KEY = "server-key-of-the-integration-tests"


def until(condition, what, patience=PATIENCE_S):
    """The first true value of `condition`."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s for {what}")
        threading.Event().wait(0.03)


def request(port, method, path, body=None, key=None):
    """Status and body of one HTTP request to loopback."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    line.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)
    reply = line.getresponse()
    out = reply.status, reply.read().decode("utf-8", "replace")
    line.close()
    return out


class Fake:
    """`sidevoice fake-providers` on a free port. Behind it every request is kept, not only the last hundred."""

    def __init__(self, binary, script=None, key=None):
        self.key = key
        self.process = subprocess.Popen(
            [binary, "fake-providers", "--listen", "127.0.0.1:0", *(["--key", key] if key else [])],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        found = re.search(r"127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if not found:
            raise RuntimeError("the fake provider did not start")
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}/v1"
        if script is not None:
            self.script(script)

    def script(self, script):
        status, body = request(self.port, "POST", "/fake/script", script, self.key)
        assert status == 200, f"the script was refused: {body}"

    def requests(self):
        """What was asked, the oldest first: {body, status, rule, state, ...}, `body` as an object."""
        status, body = request(self.port, "GET", "/fake/requests", key=self.key)
        assert status == 200, body
        found = json.loads(body)
        found = found["requests"] if isinstance(found, dict) else found
        for entry in found:
            if isinstance(entry.get("body"), str):
                with contextlib.suppress(ValueError):
                    entry["body"] = json.loads(entry["body"])
        return found

    def reset(self):
        request(self.port, "POST", "/fake/reset", "", self.key)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


def write_app(folder, app):
    """Writes apps/ID/app.jsonc in one step, as editors that save well do. Gives the folder of apps."""
    place = pathlib.Path(folder) / "apps" / app["app"]
    place.mkdir(parents=True, exist_ok=True)
    fresh = place / ".app.jsonc.new"
    fresh.write_text(app if isinstance(app, str) else json.dumps(app, indent=1))
    os.replace(fresh, place / "app.jsonc")
    return str(place.parent)


class Journal:
    """A data folder's events, read beside the running server."""

    def __init__(self, data):
        self.path = os.path.join(data, "sidevoice.db")

    def query(self, sql, *args):
        base = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=20)
        try:
            return base.execute(sql, args).fetchall()
        finally:
            base.close()

    def events(self, session):
        """[(type, body)] in order; asserts that the numbers have no gap."""
        rows = self.query("select seq, type, body from bodies where session_id=?1 order by seq", session)
        assert [seq for seq, _, _ in rows] == list(range(1, len(rows) + 1)), f"{session}: the numbers have a gap"
        return [(kind, json.loads(body)) for _, kind, body in rows]

    def release_of(self, session):
        return self.query("select release from sessions where id=?1", session)[0][0]


def of(events, kind):
    return [body for type_, body in events if type_ == kind]


def items(events, kind=None):
    """Items by their newest put, in order of their first."""
    found = {}
    for body in of(events, "item.put"):
        found[body["item"]["id"]] = body["item"]
    return [i for i in found.values() if kind is None or i["kind"] == kind]


def unsettled(events):
    """What of a session still waits: nothing is left to do when this is empty."""
    waits = []
    causes = {c for body in of(events, "response.requested") for c in body["cause"]}
    done = {body["response"] for body in of(events, "response.done")}
    waits += [r["response"] for r in of(events, "response.requested") if r["response"] not in done]
    ended = {body["call"] for body in of(events, "call.ended")}
    waits += [c["call"] for c in of(events, "call.opened") if c["call"] not in ended]
    waits += [i["id"] for i in items(events, "function_call_output") if i.get("response") and i["id"] not in causes]
    return waits


def lost(events):
    """Sentences about promises that a journal breaks; of a session that has settled."""
    faults = []
    causes = {}
    for body in of(events, "response.requested"):
        for cause in body["cause"]:
            causes.setdefault(cause, []).append(body["response"])
    status = {}
    for body in of(events, "response.done"):
        if body["response"] in status:
            faults.append(f"{body['response']} has two ends")
        status[body["response"]] = body["status"]
    for cause, responses in causes.items():
        if len(responses) != 1:
            faults.append(f"{cause} has {len(responses)} responses")
    outputs = [i["call_id"] for i in items(events, "function_call_output")]
    calls = [i["call_id"] for i in items(events, "function_call")]
    faults += [f"call {c} has {outputs.count(c)} outputs" for c in calls if outputs.count(c) != 1]
    faults += [f"call id {c} is used twice" for c in set(calls) if calls.count(c) != 1]
    ends = [body["call"] for body in of(events, "call.ended")]
    faults += [f"call {c} has {ends.count(c)} ends" for c in set(ends) if ends.count(c) != 1]
    return faults


class Visitor:
    """One session's client with the extensions. `frames` is all it was shown."""

    def __init__(self, server, app, key=KEY, session=None, extra="", name="v"):
        self.server, self.app, self.key, self.extra, self.name = server, app, key, extra, name
        self.session, self.frames, self.count = session, [], 0
        self.journal = Journal(server.data)
        self.snapshot = None
        self.connect()

    def connect(self):
        path = f"/v1/realtime?model={self.app}" + (f"&session={self.session}" if self.session else "") + self.extra
        self.line = until(lambda: self.open(path), "a session to be opened")
        self.session = self.until("session.created")["session"]["id"]
        self.line.send({"type": "sidevoice.session.resume", "after_seq": 0, "store": ""})
        self.snapshot = self.until("sidevoice.session.snapshot")

    def open(self, path):
        try:
            return RealtimeClient(self.server.port, path, key=self.key, protocols=("sidevoice.v1",),
                                  timeout=PATIENCE_S)
        except Closed as why:
            # "Try again in a moment": a machine that is too busy just now.
            if "refused with 503" in str(why):
                return None
            raise

    def take(self, timeout=PATIENCE_S):
        self.frames.append(self.line.receive(timeout))
        return self.frames[-1]

    def until(self, kind, where=lambda event: True):
        while True:
            event = self.take()
            if event["type"] == kind and where(event):
                return event

    def post(self, text, item=None):
        """Sends an input that wants an answer, and comes back once it is accepted."""
        self.count += 1
        item = item or f"in_{self.name}_{self.count}_{os.urandom(4).hex()}"
        frame = {"type": "conversation.item.create", "answer": True,
                 "item": {"id": item, "type": "message", "role": "user",
                          "content": [{"type": "input_text", "text": text}]}}
        try:
            self.drain()
            self.line.send(frame)
        except Closed:
            # Nobody has answered its pings while other visitors were served.
            self.connect()
            self.line.send(frame)
        self.until("conversation.item.added", lambda event: event["item"]["id"] == item)
        return item

    def events(self):
        return self.journal.events(self.session)

    def settle(self, patience=PATIENCE_S):
        """Waits until nothing is open in the journal; gives its events. What came meanwhile is read."""
        def settled():
            self.drain()
            events = self.events()
            return events if not unsettled(events) else None
        return until(settled, f"{self.session} to settle", patience)

    def drain(self):
        try:
            while True:
                self.take(0.001)
        except TimeoutError:
            pass
        except Closed as why:
            # Read too slowly for a flood: a client comes back and takes up the session.
            if "1013" not in str(why):
                raise
            self.connect()

    def turn(self, text, patience=PATIENCE_S, item=None):
        """Posts, settles; gives the events from the input on."""
        item = self.post(text, item)
        events = self.settle(patience)
        at = next(n for n, (kind, body) in enumerate(events)
                  if kind == "item.put" and body["item"]["id"] == item)
        return events[at:]

    def close(self):
        self.line.close()


def replies(events):
    """Texts of the agent."""
    return [i.get("text", "") for i in items(events, "message") if i.get("role") == "assistant"]


class Checks:
    """Runs functions by their names, prints what failed and "N passed, M failed"."""

    def __init__(self):
        self.passed = self.failed = 0

    def run(self, name, check, *args):
        begin = time.monotonic()
        try:
            check(*args)
        except Exception as why:  # noqa: BLE001: whatever it is, the check has failed
            self.failed += 1
            print(f"FAILED {name}: {type(why).__name__}: {why}")
            if os.environ.get("TRACE"):
                import traceback
                traceback.print_exc()
        else:
            self.passed += 1
            print(f"ok {name} ({time.monotonic() - begin:.1f} s)")
        sys.stdout.flush()

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
