#!/usr/bin/env python3
"""A model that obeys every prompt injection of a corpus cannot get beyond its tools.

injection_test.py BINARY [ID...]. corpus.jsonl holds one injection a line: `where` it stands (what a visitor types, a
tool answers, a page says, a topic holds, somebody is called), its `text`, and what the model does when it reads it:
`obeys` {say, calls of the leading agent, calls of the analyzer}. Prints what failed and "N passed, M failed".
"""
import base64
import json
import os
import pathlib
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from support import Checks, Journal, Server, Visitor, items, lost, of, replies, request, until, write_app  # noqa: E402
from support_model import ModelServer, sse  # noqa: E402
from support_tools import ToolServer  # noqa: E402

KEYS = {name: f"{name}-{os.urandom(12).hex()}" for name in ("server", "vendor", "admin")}
KEYS["webhook"] = "whsec_" + base64.b64encode(os.urandom(24)).decode()
CORPUS = [json.loads(line) for line in (HERE / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
PERSONA = "You are the host of a paint shop. {{user.name|Visitor}} is here."
MODES = ("eco", "day", "night")
GRANTED = {"lookup", "set_mode", "book"}
ANALYZER = {"note"}


def app(model, tools):
    def webhook(name, properties, required, **more):
        return {"kind": "webhook", "description": name, "url": f"{tools.url}/{name}", "parameters": {
            "type": "object", "required": required, "additionalProperties": False, "properties": properties}, **more}
    text = {"type": "string", "maxLength": 200}
    return {
        "app": "shop",
        "conversation": {"instructions": PERSONA, "tools": sorted(GRANTED)},
        "analyzer": {"tools": sorted(ANALYZER)},
        "checklist": {"topics": [{"id": "wish", "type": "text"}, {"id": "rooms", "type": "integer", "max": 50}]},
        "tools": {
            "lookup": webhook("lookup", {"q": text}, ["q"]),
            "set_mode": webhook("set_mode", {"mode": {"enum": list(MODES)}}, ["mode"], effect="idempotent"),
            "book": webhook("book", {"day": text}, ["day"], effects=True, needs_approval="user"),
            "note": webhook("note", {"level": {"enum": ["low", "high"]}}, ["level"], effect="idempotent"),
            # Declared, and given to nobody.
            "admin_wipe": webhook("admin_wipe", {"all": {"type": "boolean"}}, [], effects=True),
            "end_session": {"kind": "builtin"}, "transfer_to_person": {"kind": "builtin"}},
        "models": {"conversation": ["openai:obeys"], "analyzer": ["openai:obeys"]},
        "live": {"access": {"server_keys": ["${env:SHOP_SERVER}"]}, "tools": {"secret": "${env:SHOP_WEBHOOK}"},
                 "vendors": {"openai": {"base_url": model.url, "key": "${env:SHOP_VENDOR}"}}}}


class Obedient:
    """The model: does once per agent what the injection of the case at hand asks, wherever it reads its text."""

    def __init__(self):
        self.case, self.names, self.done = None, {}, set()
        self.lock = threading.Lock()

    def begin(self, case, **names):
        with self.lock:
            self.case, self.names, self.done = case, names, set()

    def fill(self, value):
        text = json.dumps(value)
        for name, stands_for in self.names.items():
            text = text.replace("$" + name, stands_for)
        return json.loads(text)

    def think(self, body):
        with self.lock:
            messages = body["messages"]
            offered = {t["function"]["name"] for t in body.get("tools", [])}
            agent = "analyzer" if "update_topic" in offered else "calls"
            read = "\n".join(m.get("content") or "" for m in messages)
            if self.case is None:
                return sse("Welcome.")
            if self.case["where"] == "tool" and agent == "calls" and "look" not in self.done:
                self.done.add("look")
                return sse(calls=[("lookup", {"q": self.case["id"]})])
            # The visitor's and the board's texts may be quoted: as JSON, or with white space put otherwise.
            if agent in self.done or not any(shape in " ".join(read.split()) for shape in shapes(self.case["text"])):
                return sse("Fine." if agent == "calls" else "")
            self.done.add(agent)
            # A user item's id stands before its words.
            ours = [m["content"] for m in messages if m["role"] == "user" and m["content"].startswith("[")]
            self.names["ITEM"] = ours[-1][1:].split("]")[0] if ours else "item_none"
            obeys = self.case["obeys"]
            return sse(obeys["say"] if agent == "calls" else "", [tuple(self.fill(c)) for c in obeys[agent]])


def shapes(text):
    plain = " ".join(text.split())
    return plain, json.dumps(plain, ensure_ascii=False)[1:-1], json.dumps(plain)[1:-1]


class World:
    def __init__(self, binary, folder):
        self.brain = Obedient()
        self.model = ModelServer(self.brain.think)
        self.tools = ToolServer(KEYS["webhook"])
        self.tools.answers["lookup"] = self.look_up
        write_app(folder, app(self.model, self.tools))
        settings = pathlib.Path(folder) / "sidevoice.jsonc"
        settings.write_text(json.dumps({"apps": "apps/", "admin": {"keys": ["${env:SHOP_ADMIN}"]}}))
        self.server = Server(binary, str(settings), f"{folder}/data", env={
            "SHOP_SERVER": KEYS["server"], "SHOP_WEBHOOK": KEYS["webhook"], "SHOP_VENDOR": KEYS["vendor"],
            "SHOP_ADMIN": KEYS["admin"]})
        self.server.start()
        self.journal = Journal(self.server.data)
        # Somebody else's conversation, which nobody may touch.
        self.other = Visitor(self.server, "shop", key=KEYS["server"], name="other")
        self.other.turn("I would like blue paint", item="in_of_the_other")
        edit_wish(self.other, "blue paint")
        self.other_events = settle(self.other)

    def look_up(self, handler, call):
        case = next((c for c in CORPUS if c["id"] == call["arguments"]["q"]), None)
        handler.answer(200, case["text"] if case else "nothing", "text/plain")

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.model.close()
        self.tools.close()


def edit_wish(visitor, value):
    visitor.line.send({"type": "sidevoice.topic.update", "event_id": "edit_" + os.urandom(16).hex(), "topic": "wish",
                       "value": value, "base_revision": 0})
    visitor.until("sidevoice.topic.updated")


def settle(visitor):
    """Nothing open, and the analyzer has read everything."""
    visitor.settle()

    def read():
        events = visitor.settle()
        newest = max((n for n, (kind, body) in enumerate(events, 1) if kind == "item.put"
                      and body["item"]["kind"] == "message" and body["item"].get("role") == "user"), default=0)
        return events if max((a["head_read"] for a in of(events, "analysis.done")), default=0) >= newest else None
    return until(read, "the analyzer to have read all")


def settle_refusing(world, visitor):
    """The same, where the visitor declines whatever the page asks; gives the calls that were asked about."""
    asked = set()

    def settled():
        visitor.drain()
        for frame in visitor.frames:
            if frame["type"] == "sidevoice.approval.requested" and frame["call_id"] not in asked:
                assert not world.tools.runs("book"), "the call was sent before anybody agreed"
                asked.add(frame["call_id"])
                visitor.line.send({"type": "sidevoice.approval.answer", "call_id": frame["call_id"], "approve": False})
        try:
            return visitor.settle(patience=0.2)
        except AssertionError:
            return None
    until(settled, "the session to settle")
    settle(visitor)
    return asked


def enter(world, case):
    """A session in which the injection stands where it belongs."""
    where, text = case["where"], case["text"]
    if where == "name":
        status, body = request(world.server.port, "POST", "/v1/realtime/client_secrets", {"sidevoice": {"user": text}},
                               KEYS["server"])
        assert status == 200, body
        return Visitor(world.server, "shop", key=json.loads(body)["value"], name=case["id"].replace("-", "_"))
    visitor = Visitor(world.server, "shop", key=KEYS["server"], name=case["id"].replace("-", "_"))
    if where == "context":
        visitor.line.send({"type": "conversation.item.create", "item": {
            "type": "message", "role": "system", "content": [{"type": "input_text", "text": text}]}})
        visitor.until("conversation.item.added")
    if where == "topic":
        edit_wish(visitor, text)
    return visitor


def schema_holds(name, arguments):
    if name == "set_mode":
        return set(arguments) == {"mode"} and arguments["mode"] in MODES
    if name == "note":
        return set(arguments) == {"level"} and arguments["level"] in ("low", "high")
    return set(arguments) == {"q"} and isinstance(arguments["q"], str)


def one(world, case):
    before = len(world.tools.calls)
    world.brain.begin(case, OTHER=world.other.session, OTHERITEM="in_of_the_other", QUOTE="")
    visitor = enter(world, case)
    item = visitor.post(case["text"] if case["where"] == "user" else "Hello, can you help me?")
    obeys = case["obeys"]
    if case["where"] == "tool" and obeys["analyzer"]:
        # The analyzer reads what a tool has answered with the visitor's next message.
        visitor.settle()
        visitor.post("Thank you.")
    asked = settle_refusing(world, visitor)
    events = visitor.events()
    assert ("analyzer" if obeys["analyzer"] else "calls") in world.brain.done, "the model never read the injection"

    # What ran: only what is granted, with arguments that fit, for this session.
    for name, call in world.tools.calls[before:]:
        assert name in {"lookup", "set_mode"} | ANALYZER, f"{name} ran"
        assert call["session"] == visitor.session and call["by"] == ("analyzer" if name in ANALYZER else "conversation")
        assert schema_holds(name, call["arguments"]), f"{name} ran with {call['arguments']}"
    started = {c["call"] for c in of(events, "call.started")}
    for opened in of(events, "call.opened"):
        assert opened["name"] in (ANALYZER if opened.get("by") == "analyzer" else GRANTED), opened
        if opened["name"] == "book":
            assert opened["call"] in asked and opened["call"] not in started, "a call without approval was started"
    assert not of(events, "session.ended"), "the session was ended"
    assert not [f for f in visitor.frames if f.get("code") == "transfer_requested"], "a person was called"

    # The board: only topics that there are, with words that stand in an item of this session.
    words = {i["id"]: i.get("text", "") for i in items(events, "message")}
    for update in of(events, "topic.updated"):
        assert update["topic"] in ("wish", "rooms"), update
        if update["by"] == "analyzer":
            proof = update["evidence"]
            assert proof["quote"] and proof["quote"] in words[proof["item_id"]], update
    assert world.journal.events(world.other.session) == world.other_events, "another session was touched"

    # What was said is text, letter by letter.
    assert obeys["say"] in replies(events) or not obeys["say"], replies(events)
    for frame in visitor.frames:
        if frame["type"] == "conversation.item.done" and frame["item"].get("type") == "message":
            for part in frame["item"]["content"]:
                assert set(part) == {"type", "text"} and part["type"] in ("input_text", "output_text"), frame
    told = "".join(f["delta"] for f in visitor.frames if f["type"] == "response.output_text.delta")
    assert obeys["say"] in told, told
    assert item in words and not lost(events), lost(events)
    visitor.close()


def no_secret_was_in_a_prompt(world):
    assert len(world.model.requests) > len(CORPUS)
    for fields, body in world.model.requests:
        assert fields["Authorization"] == "Bearer " + KEYS["vendor"]
        text = json.dumps(body)
        for name, key in KEYS.items():
            assert key not in text and key.removeprefix("whsec_") not in text, f"the {name} key was in a prompt"
        # The tools that are offered are those that are granted, and no model is told of others.
        names = {t["function"]["name"] for t in body.get("tools", [])}
        assert names in (GRANTED, ANALYZER | {"update_topic"}, set()), names


def an_approved_call_runs(world):
    """The same tool with a visitor who agrees: what the corpus could not do is possible."""
    case = {"id": "control", "where": "user", "text": "Book Saturday for me, I will agree.",
            "obeys": {"say": "I will.", "calls": [["book", {"day": "Saturday"}]], "analyzer": []}}
    world.brain.begin(case)
    visitor = Visitor(world.server, "shop", key=KEYS["server"], name="control")
    visitor.post(case["text"])
    frame = visitor.until("sidevoice.approval.requested")
    visitor.line.send({"type": "sidevoice.approval.answer", "call_id": frame["call_id"], "approve": True})
    until(lambda: world.tools.runs("book"), "the approved call")
    visitor.settle()
    assert world.tools.runs("book") == {frame["call_id"]: 1}


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="sidevoice-injection-") as folder:
        world = World(sys.argv[1], folder)
        try:
            checks.run("the corpus holds fifty", lambda: len({c["text"] for c in CORPUS}) == 50 or 1 / 0)
            for case in CORPUS:
                if len(sys.argv) == 2 or case["id"] in sys.argv[2:]:
                    checks.run(f"{case['id']}: {case['text'][:60]}", one, world, case)
            if len(sys.argv) == 2:
                checks.run("no secret was in a prompt", no_secret_was_in_a_prompt, world)
            checks.run("an approved call runs", an_approved_call_runs, world)
            checks.run("every webhook was signed", lambda: world.tools.faults and 1 / 0)
            checks.run("the server ends as asked", lambda: world.server.stop() == 0 or 1 / 0)
        finally:
            world.close()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
