"""What every chaos test has: a server with one app that talks and one that calls tools, the fakes behind it, clients
that come back as ours do, and tables.

Nothing here sleeps to synchronise: waits are for events, with deadlines that a busy machine keeps.
"""
import contextlib
import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration"), str(HERE.parent / "support")]
import support_tools  # noqa: E402
from oracle import Ledger, Shown, faults_of, unsettled  # noqa: E402
from support import Closed, Fake, RealtimeClient, Server, until  # noqa: E402,F401

PATIENCE_S = 120
KEY = "chaos-key-of-the-test"
SECRET = "whsec_" + "c2lkZXZvaWNlLWNoYW9zLXNlY3JldA=="
SENTENCES = ("My name is Anna Schmidt", "on 12 March 2027", "anna@example.com", "what do you still need?",
             "hello there", "actually my name is Anna Weber", "no idea yet", "please go on")
TOPICS = [{"id": "name", "type": "person_name", "required": True}, {"id": "date", "type": "date"},
          {"id": "email", "type": "email", "required": True}]
BROKEN = (Closed, TimeoutError, OSError)


def parameters():
    return {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


def talk_app(fake_url):
    return {
        "app": "talk",
        "conversation": {"greeting": "Hello from the chaos test."},
        "checklist": {"topics": TOPICS},
        "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["rules"]},
        "live": {"access": {"server_keys": ["${env:CHAOS_KEY}"]}, "vendors": {"openai": {"base_url": fake_url}}},
    }


def tools_app(fake_url, tools_url):
    return {
        "app": "tools",
        "conversation": {"instructions": "Do what the visitor asks.", "tools": ["book", "show"]},
        "checklist": {"topics": TOPICS},
        "tools": {
            "book": {"kind": "webhook", "description": "Books", "url": f"{tools_url}/book", "effect": "idempotent",
                     "timeout_ms": 20000, "parameters": parameters()},
            "show": {"kind": "client", "description": "Shows", "effect": "idempotent", "no_page": "wait",
                     "timeout_ms": 60000, "parameters": parameters()},
        },
        "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["rules"]},
        "live": {"access": {"server_keys": ["${env:CHAOS_KEY}"]}, "tools": {"secret": "${env:CHAOS_SECRET}"},
                 "vendors": {"openai": {"base_url": fake_url}}},
    }


# Slow enough that a fault finds an answer half said.
SCRIPT = {"defaults": {"text": "Well then. You said: {{last_user}}. That is good to know. What else is there?",
                       "words_per_second": 60},
          "rules": [{"match": {"last_role": "user", "last_user": name},
                     "answer": {"text": "", "tool_calls": [{"name": name, "arguments": {"n": 7}}]}}
                    for name in ("book", "show")]
          # For those who have to be in the middle of an answer however busy the machine is: once, it does not end.
          + [{"match": {"last_role": "user", "last_user": "story"}, "times": 1,
              "answer": {"text": "Once upon a time there was a man who moved. He moved often.", "stall_after": 12}}]
          + [{"match": {"last_role": "tool"}, "answer": {"text": "It is done, and it says {{tool_output}}."}}]}


class Client:
    """One session's client as ours behaves: keeps what is unacknowledged, sends it again after a break, answers calls
    of its page's tool, and builds its view of nothing but frames."""

    def __init__(self, world, app="talk", name="v", page_tool=False, through=None):
        self.world, self.app, self.name, self.page_tool = world, app, name, page_tool
        self.through = through  # another port than the server's own: a proxy
        self.session, self.line = None, None
        self.shown = Shown()
        self.count = 0
        self.unacknowledged, self.acknowledged = {}, {}
        self.refused = []
        self.answers_calls = True
        self.waited_for = None

    @property
    def port(self):
        return self.through or self.world.server.port

    def open(self):
        path = f"/v1/realtime?model={self.app}" + (f"&session={self.session}" if self.session else "")
        try:
            return RealtimeClient(self.port, path, key=KEY, protocols=("sidevoice.v1",), timeout=PATIENCE_S)
        except Closed as why:
            # "In a moment": a server that starts, stops, or has too much to do.
            if "refused with 503" in str(why):
                return None
            raise

    def connect(self):
        """Comes, or comes back with the last number it has seen."""
        self.line = until(self.open, "a session to be opened", PATIENCE_S)
        self.shown.connected()
        created = self.line.until("session.created")[-1]
        self.session = created["session"]["id"]
        self.world.clients_of[self.session] = self
        self.line.send({"type": "sidevoice.session.resume", "after_seq": self.shown.seq, "store": self.shown.store})
        while self.take()["type"] not in ("sidevoice.session.snapshot", "sidevoice.session.resumed"):
            pass
        if self.page_tool:
            self.line.send({"type": "sidevoice.tools.offer", "names": ["show"]})
        for frame in list(self.unacknowledged.values()):
            self.line.send(frame)
        return self

    def come_back(self, patience=PATIENCE_S):
        """As `connect`, however often it takes."""
        def once():
            try:
                return self.connect()
            except BROKEN:
                return None
        return until(once, f"{self.name} to come back", patience)

    def take(self, timeout=PATIENCE_S):
        event = self.line.receive(timeout)
        self.shown.take(event)
        kind = event["type"]
        if kind == "conversation.item.added":
            self.acknowledge(event["item"]["id"])
        elif kind == "error":
            self.on_error(event)
        elif kind == "sidevoice.tool.called" and self.answers_calls:
            self.line.send({"type": "sidevoice.tool.output", "call_id": event["call_id"], "output": "shown"})
        return event

    def acknowledge(self, item):
        frame = self.unacknowledged.pop(item, None)
        if frame is not None:
            self.acknowledged[item] = frame.get("answer", False)

    def on_error(self, event):
        """An input that was refused is sent again by its owner; it stays unacknowledged."""
        self.refused.append(event["error"])

    def put(self, text, answer=True):
        """Sends an input; it may be sent again under this id."""
        self.count += 1
        item = f"in_{self.name}_{self.count}"
        frame = {"type": "conversation.item.create", "answer": answer, "event_id": item,
                 "item": {"id": item, "type": "message", "role": "user",
                          "content": [{"type": "input_text", "text": text}]}}
        self.unacknowledged[item] = frame
        self.line.send(frame)
        return item

    def send_again(self):
        for frame in list(self.unacknowledged.values()):
            self.line.send(frame)

    def until(self, kind, where=lambda event: True, timeout=PATIENCE_S):
        deadline = time.monotonic() + timeout
        while True:
            event = self.take(max(0.01, deadline - time.monotonic()))
            if event["type"] == kind and where(event):
                return event

    def turn(self, text):
        """One input, accepted, and everything settled behind it."""
        item = self.put(text)
        self.until("conversation.item.added", lambda event: event["item"]["id"] == item)
        return self.settle()

    def events(self):
        return self.world.ledger.events(self.session)

    def settle(self, patience=PATIENCE_S):
        """Until nothing is open in the journal and all of it was shown; gives the events."""
        def settled():
            with contextlib.suppress(TimeoutError):
                while True:
                    self.take(0.02)
            events = self.events()
            done = not self.unacknowledged and not unsettled(events) and self.shown.seq >= events[-1][0]
            return events if done else None
        return until(settled, f"{self.session} to settle", patience)

    def faults(self):
        """What is broken of this session, once it has settled."""
        return [f"{self.name}: {fault}" for fault in faults_of(self.events(), self.shown, self.acknowledged)]

    def in_flight(self):
        """What was under way when the server died."""
        if not self.session:
            return "no session yet"
        with contextlib.suppress(Exception):
            events = self.events()
            waits = unsettled(events)
            calls = {body["call"] for _, kind, body in events if kind == "call.opened"}
            parts = [f"{len(self.unacknowledged)} unacknowledged",
                     f"{len([w for w in waits if w not in calls])} open responses"]
            if calls & set(waits):
                parts.append(f"{len(calls & set(waits))} open calls")
            if events:
                parts.append(f"last `{events[-1][1]}`")
            return ", ".join(parts)
        return f"{len(self.unacknowledged)} unacknowledged"

    def close(self):
        with contextlib.suppress(Exception):
            self.line.close()


class World:
    """A folder with both apps, the fakes, one server on one data folder, and all clients that ever came."""

    def __init__(self, binary, folder, passivate_s=2, data=None, args=(), env=None):
        self.binary, self.folder = binary, pathlib.Path(folder)
        self.fake = Fake(binary, SCRIPT)
        self.tools = support_tools.ToolServer(SECRET)
        self.write_apps(self.fake.url)
        settings = self.folder / "sidevoice.jsonc"
        settings.write_text(json.dumps({"apps": "apps/", "sessions": {"passivate_after_s": passivate_s}}))
        # The energy gate stands in for the voice activity model where there is none: the tests need no download.
        self.server = Server(binary, str(settings), str(data or self.folder / "data"),
                             args=["--models", str(self.folder / "no-models"), "--fake-speech", *args],
                             env={"CHAOS_KEY": KEY, "CHAOS_SECRET": SECRET, "OPENAI_API_KEY": "fake", **(env or {})})
        self.ledger = Ledger(self.server.data)
        self.clients_of = {}
        self.count = 0

    def write_apps(self, fake_url, greeting=None):
        talk = talk_app(fake_url)
        if greeting:
            talk["conversation"]["greeting"] = greeting
        for app in (talk, tools_app(fake_url, self.tools.url)):
            place = self.folder / "apps" / app["app"]
            place.mkdir(parents=True, exist_ok=True)
            fresh = place / ".app.jsonc.new"
            fresh.write_text(json.dumps(app, indent=1))
            os.replace(fresh, place / "app.jsonc")

    def start(self, fault=None):
        self.server.env.pop("SIDEVOICE_FAULT", None)
        if fault:
            self.server.env["SIDEVOICE_FAULT"] = fault
        return self.server.start()

    def client(self, app="talk", **how):
        self.count += 1
        return Client(self, app, name=f"v{self.count}", **how)

    def metric(self, name):
        """The sum of a metric's series; 0 where there is none."""
        from support import request
        _, body = request(self.server.admin_port, "GET", "/metrics")
        found = [float(line.rsplit(" ", 1)[1]) for line in body.splitlines()
                 if line.split("{")[0].split(" ")[0] == name]
        return sum(found)

    def log(self):
        with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def check_all(self):
        """The journal's promises for every session that there is, also those whose client is gone."""
        faults = []
        for session in self.ledger.sessions():
            client = self.clients_of.get(session)
            faults += [f"{session}: {fault}" for fault in
                       faults_of(self.ledger.events(session), None, client.acknowledged if client else {})]
        return faults

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.fake.close()
        self.tools.close()


def load():
    return f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"


class Table:
    """Rows and broken promises; prints both, writes the report, ends with "N passed, M failed"."""

    def __init__(self, *head):
        self.head, self.rows, self.faults, self.skipped = head, [], [], []
        self.failed_rows = 0

    def add(self, row, faults=()):
        self.rows.append([str(cell) for cell in row])
        self.faults += faults
        self.failed_rows += 1 if faults else 0
        print("| " + " | ".join(self.rows[-1]) + " |")
        for fault in faults:
            print("VIOLATION:", fault)
        sys.stdout.flush()

    def skip(self, what, why):
        self.skipped.append(f"not run: {what}: {why}")
        print(self.skipped[-1])

    def lines(self):
        return ["| " + " | ".join(self.head) + " |", "| " + " | ".join("---" for _ in self.head) + " |",
                *("| " + " | ".join(row) + " |" for row in self.rows)]

    def write(self, path, command, notes=()):
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"Command: `{command}`; {load()}.\n\n" + "\n".join(self.lines()) + "\n\n"
                      + "".join(f"{note}\n\n" for note in (*notes, *self.skipped))
                      + f"Violations: {len(self.faults)}\n" + "".join(f"- {fault}\n" for fault in self.faults))

    def end(self):
        print(f"{len(self.rows) - self.failed_rows} passed, {self.failed_rows} failed")
        return 1 if self.faults or self.failed_rows else 0
