#!/usr/bin/env python3
"""`sidevoice sessions bundle`: what a report about a session holds, that nothing said is in it, and what it makes of a
damaged journal. Beside the running server, and on the folder of one that has ended.

bundle_test.py BINARY. Prints "N passed, M failed".
"""
import base64
import json
import os
import pathlib
import sqlite3
import stat
import subprocess
import sys
import tempfile

from support import KEY, Checks, Fake, Journal, Server, Visitor, of, until, write_app
from support_tools import ToolServer

SECRET = "whsec_" + base64.b64encode(b"secret-of-the-bundle-test").decode()


def sentence(name):
    return f"the {name} canary {os.urandom(6).hex()} sings"


SAID = {name: sentence(name) for name in ("visitor", "answer", "argument", "argument name", "output", "value", "edit",
                                          "instructions", "label")}


def script():
    evidence = {"item_id": "in_value", "quote": SAID["value"]}
    return {"rules": [
        {"match": {"tool": "update_topic", "last_user": SAID["value"]}, "times": 1, "answer": {
            "text": "", "tool_calls": [{"name": "update_topic", "arguments": {
                "topic": "street", "value": SAID["value"], "evidence": evidence}}]}},
        {"match": {"tool": "update_topic"}, "answer": {"text": ""}},
        {"match": {"last_user": "look it up"}, "times": 1, "answer": {"text": "", "tool_calls": [
            {"name": "lookup", "arguments": {"q": SAID["argument"], SAID["argument name"]: 1}},
            {"name": "invented_" + SAID["argument name"].replace(" ", "_"), "arguments": {}}]}},
    ], "defaults": {"text": f"I say {SAID['answer']}."}}


def app(fake, tools):
    return {
        "app": "bundled",
        "conversation": {"instructions": f"Be kind. {SAID['instructions']}", "tools": ["lookup"]},
        "checklist": {"topics": [{"id": "street", "type": "text", "label": SAID["label"]}]},
        "tools": {"lookup": {"kind": "webhook", "description": "Looks up", "effect": "once",
                             "url": tools.url + "/lookup", "parameters": {
                                 "type": "object", "properties": {"q": {"type": "string"}}}}},
        "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["openai:gpt-4.1-nano"]},
        "live": {"access": {"server_keys": ["${env:BUNDLE_KEY}"]}, "tools": {"secret": "${env:BUNDLE_SECRET}"},
                 "vendors": {"openai": {"base_url": fake.url}}}}


class Life:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, pathlib.Path(folder)
        self.tools = ToolServer(SECRET)
        self.tools.answers["lookup"] = lambda h, call: h.answer(200, json.dumps({SAID["output"]: SAID["output"]}))
        self.fake = Fake(binary, script())
        write_app(folder, app(self.fake, self.tools))
        self.data = str(self.folder / "data")
        self.server = Server(binary, str(self.folder / "apps"), self.data,
                             env={"BUNDLE_KEY": KEY, "BUNDLE_SECRET": SECRET})
        self.server.start()

    def run(self, *arguments):
        return subprocess.run([self.binary, "sessions", "bundle", *arguments, "--data", self.data], text=True,
                              capture_output=True, timeout=60, cwd=self.folder)

    def bundle(self, *arguments):
        done = self.run(self.session, "--out", "-", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout, [json.loads(line) for line in done.stdout.splitlines()]

    def talk(self):
        visitor = Visitor(self.server, "bundled")
        self.session = visitor.session
        visitor.turn(f"I live in {SAID['value']}", item="in_value")
        until(lambda: of(visitor.events(), "topic.updated"), "the topic")
        visitor.turn(f"{SAID['visitor']}, please look it up")
        revision = of(visitor.events(), "topic.updated")[-1]["revision"]
        visitor.line.send({"type": "sidevoice.topic.update", "event_id": "edit_1", "topic": "street",
                           "value": SAID["edit"], "base_revision": revision})
        until(lambda: any(SAID["edit"] in t.get("value", "") for t in of(visitor.events(), "topic.updated")),
              "the edit")
        visitor.settle()
        visitor.close()

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.stop()
        self.fake.close()
        self.tools.close()


def the_conversation_says_it_all(life):
    life.talk()
    told = json.dumps(Journal(life.data).events(life.session))
    for name in ("visitor", "answer", "argument", "argument name", "output", "value", "edit"):
        assert SAID[name] in told, f"the {name} was never said: the test plants nothing"


def nothing_said_is_in_it(life):
    text, _ = life.bundle()
    # Also not its one word that nobody else says.
    found = [name for name, value in SAID.items() if value in text or value.split()[-2] in text]
    assert not found, found
    assert KEY not in text and SECRET not in text


def with_text_it_is_all_there(life):
    text, lines = life.bundle("--with-text")
    assert lines[0]["redacted"] is False
    for name in ("visitor", "answer", "value", "edit", "instructions"):
        assert SAID[name] in text, name


def parts_are_whole(life):
    _, lines = life.bundle()
    parts = [line["part"] for line in lines]
    assert parts[:3] == ["about", "session", "app"] and parts[-1] == "end", parts
    about, session, app_line, end = lines[0], lines[1], lines[2], lines[-1]
    assert about["redacted"] and about["sidevoice"] and about["build"] and about["caf"].startswith("0.17")
    assert about["sqlite"].startswith("3.") and about["fold_version"] > 0
    assert session["session"] == life.session and session["claims"] == 1 and session["release"].startswith("sha256:")
    topic = app_line["declaration"]["checklist"]["topics"][0]
    assert topic["id"] == "street" and topic["label"].startswith("["), topic
    events = [line for line in lines if line["part"] == "event"]
    journal = Journal(life.data).events(life.session)
    assert [e["type"] for e in events] == [kind for kind, _ in journal] and end["events"] == len(journal)
    assert [e["seq"] for e in events] == list(range(1, len(journal) + 1)) and end["damaged"] == 0
    # What identifies and what counts stays.
    for event, (kind, body) in zip(events, journal):
        for key in ("response", "call", "status", "reason", "revision", "head_read", "usage", "attempt"):
            if key in body and kind != "item.put":
                assert event["body"].get(key) == body[key], (kind, key, event["body"])


def timings_are_those_of_the_journal(life):
    _, lines = life.bundle()
    rows = Journal(life.data).query("select type, at, body from bodies where session_id=?1 order by seq", life.session)
    rows = [(kind, at, json.loads(body)) for kind, at, body in rows]
    turns = [line for line in lines if line["part"] == "turn"]
    assert len(turns) == len([1 for kind, _, _ in rows if kind == "response.requested"]) == lines[-1]["turns"]
    for turn in turns:
        at = {kind: at for kind, at, body in reversed(rows) if body.get("response") == turn["response"]}
        assert turn["requested_at"] == at["response.requested"] and turn["status"] == "completed", turn
        assert turn["ms"]["done"] == at["response.done"] - at["response.requested"], turn
        if "response.spoken" in at:
            assert turn["ms"]["first_spoken"] == at["response.spoken"] - at["response.requested"], turn
    assert any(t.get("usage", {}).get("output", 0) > 0 for t in turns)
    calls = [line for line in lines if line["part"] == "call"]
    assert [c["name"] for c in calls] == ["lookup"] and calls[0]["outcome"] == "ok" and calls[0]["attempts"] == 1


def it_goes_to_a_file_of_its_own(life):
    done = life.run(life.session)
    assert done.returncode == 0, done.stderr
    path = life.folder / f"{life.session}.bundle.jsonl"
    assert path.exists() and stat.S_IMODE(path.stat().st_mode) == 0o600
    again = life.run(life.session)
    assert again.returncode == 1 and "--out" in again.stderr
    gone = life.run("sess_nobody", "--out", "-")
    assert gone.returncode == 1 and gone.stderr and not gone.stdout


def damage_is_named_by_number(life):
    assert life.server.stop() == 0
    base = sqlite3.connect(os.path.join(life.data, "sidevoice.db"))
    spoken = base.execute("select seq from events where session_id=?1 and type='response.started' order by seq",
                          (life.session,)).fetchone()[0]
    head = base.execute("select head from sessions where id=?1", (life.session,)).fetchone()[0]
    base.execute("update events set body=?2 where session_id=?1 and seq=?3",
                 (life.session, json.dumps({"text": SAID["answer"]}), spoken))
    base.execute("delete from events where session_id=?1 and seq=?2", (life.session, head))
    base.commit()
    base.close()
    text, lines = life.bundle()
    damaged = [line for line in lines if line["part"] == "damaged"]
    assert damaged == [{"part": "damaged", "first": spoken, "last": spoken, "why": "digest"},
                       {"part": "damaged", "first": head, "last": head, "why": "missing"}], damaged
    seen = [line["seq"] for line in lines if line["part"] == "event"]
    assert seen == [n for n in range(1, head) if n != spoken]
    assert not [name for name, value in SAID.items() if value in text]


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="sidevoice-bundle-") as folder:
        life = Life(sys.argv[1], folder)
        try:
            for check in (the_conversation_says_it_all, nothing_said_is_in_it, with_text_it_is_all_there,
                          parts_are_whole, timings_are_those_of_the_journal, it_goes_to_a_file_of_its_own,
                          damage_is_named_by_number):
                checks.run(check.__name__.replace("_", " "), check, life)
        finally:
            life.close()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
