#!/usr/bin/env python3
"""Plants keys, a sensitive topic's value and what a visitor says, lets everything go wrong once, and looks for them in
the log (at info and at debug), in metrics and debug pages, in what `check` prints, and in the data folder.

canary_test.py BINARY. Prints where a canary was found and "N passed, M failed".
"""
import base64
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

from support import Checks, Closed, Fake, RealtimeClient, Server, Visitor, of, request, until, write_app
from support_tools import ToolServer


def canary(name):
    return f"CANARY{name}{os.urandom(9).hex()}"


SECRETS = {name: canary(name) for name in ("SERVERKEY", "VENDORKEY", "WRONGVENDORKEY", "ADMINKEY", "WRONGKEY",
                                           "URLKEY", "LITERALKEY")}
HOOK = canary("WEBHOOK")
SECRETS["WEBHOOK"] = "whsec_" + base64.b64encode(HOOK.encode()).decode()
SAID = {name: canary(name) for name in ("SENSITIVE", "VISITOR", "TOOLOUTPUT", "TOOLERROR", "ANSWER", "WRONGVALUE",
                                        "EDIT", "ARGUMENT")}


def script():
    """The fake provider's rules: an answer for each thing that can go wrong. The analyzer is told by its tool."""
    evidence = {"item_id": "in_sensitive", "quote": SAID["SENSITIVE"]}
    return {"rules": [
        {"match": {"tool": "update_topic", "last_user": SAID["SENSITIVE"]}, "times": 1, "answer": {
            "text": "", "tool_calls": [
            {"name": "update_topic", "arguments": {"topic": "iban", "value": SAID["SENSITIVE"], "evidence": evidence}},
            # Refused: no such quote, no such type, no such topic, no such tool, no JSON.
            {"name": "update_topic", "arguments": {"topic": "iban", "value": SAID["SENSITIVE"] + "x", "evidence": {
                "item_id": "in_sensitive", "quote": SAID["SENSITIVE"] + " never said"}}},
            {"name": "update_topic", "arguments": {"topic": "rooms", "value": SAID["WRONGVALUE"],
                                                   "evidence": evidence}},
            {"name": "update_topic", "arguments": {"topic": SAID["WRONGVALUE"], "value": 1, "evidence": evidence}},
            {"name": SAID["ARGUMENT"], "arguments": {"a": SAID["SENSITIVE"]}},
            {"name": "update_topic", "arguments": '{"topic": "iban", "value": "' + SAID["SENSITIVE"]}]}},
        {"match": {"tool": "update_topic"}, "answer": {"text": ""}},
        {"match": {"last_user": "say 401"}, "times": 1, "answer": {"status": 401, "error": {
            "message": f"Incorrect API key provided: {SECRETS['VENDORKEY']}. You sent: {SAID['VISITOR']}",
            "code": SECRETS["VENDORKEY"], "param": SECRETS["VENDORKEY"][4:20]}}},
        {"match": {"last_user": "say 400"}, "times": 1, "answer": {"status": 400, "error": {
            "message": f"Invalid prompt: {SAID['VISITOR']}", "code": "refused: " + SAID["VISITOR"]}}},
        {"match": {"last_user": "say page"}, "times": 1, "answer": {
            "status": 502, "body": f"<html>{SAID['VISITOR']} {SECRETS['VENDORKEY']}</html>",
            "headers": {"x-should-retry": "false"}}},
        {"match": {"last_user": "say broken"}, "times": 1, "answer": {
            "text": SAID["ANSWER"] + " and more of it", "error_mid_stream": {"after": 1, "message": SAID["VISITOR"]}}},
        {"match": {"last_user": "call lookup"}, "times": 1, "answer": {"text": "", "tool_calls": [
            {"name": "lookup", "arguments": {"q": SAID["ARGUMENT"]}}]}},
        {"match": {"last_user": "call failing"}, "times": 1, "answer": {"text": "", "tool_calls": [
            {"name": "failing", "arguments": {"q": SAID["ARGUMENT"]}}]}},
        {"match": {"last_user": "call badly"}, "times": 1, "answer": {"text": "", "tool_calls": [
            {"name": "lookup", "arguments": {"q": 7, SAID["ARGUMENT"]: 1}}, {"name": SAID["ARGUMENT"], "arguments": {}},
            {"name": "lookup", "arguments": SAID["ARGUMENT"]}]}},
    ], "defaults": {"text": f"An answer with {SAID['ANSWER']}."}}


def app(fake, tools, vendor_key):
    tool = {"kind": "webhook", "description": "Looks up", "effect": "once", "parameters": {
        "type": "object", "required": ["q"], "additionalProperties": False, "properties": {"q": {"type": "string"}}}}
    return {
        "app": "canary",
        "conversation": {"instructions": "Be kind.", "tools": ["lookup", "failing"]},
        "checklist": {"topics": [{"id": "iban", "type": "text", "sensitive": True},
                                 {"id": "rooms", "type": "integer"}]},
        "tools": {"lookup": {**tool, "url": tools.url + "/lookup"}, "failing": {**tool, "url": tools.url + "/failing"}},
        "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["openai:gpt-4.1-nano"]},
        "live": {"access": {"server_keys": ["${env:CANARY_SERVER}"]}, "tools": {"secret": "${env:CANARY_HOOK}"},
                 "vendors": {"openai": {"base_url": fake.url, "key": f"${{file:{vendor_key}}}"}}}}


class Round:
    """One server's life at one log level."""

    def __init__(self, binary, folder, flags):
        self.binary, self.folder, self.flags = binary, pathlib.Path(folder), flags
        self.keys = dict(SECRETS)
        self.fake = Fake(binary, script(), key=SECRETS["VENDORKEY"])
        self.tools = ToolServer(SECRETS["WEBHOOK"])
        self.tools.answers["lookup"] = lambda h, call: h.answer(200, json.dumps({"found": SAID["TOOLOUTPUT"]}))
        self.tools.answers["failing"] = lambda h, call: h.answer(
            500, SAID["TOOLERROR"] + h.headers["webhook-signature"])
        self.vendor_key = self.folder / "vendor.key"
        self.write_vendor_key("VENDORKEY")
        write_app(self.folder, app(self.fake, self.tools, self.vendor_key))
        settings = self.folder / "sidevoice.jsonc"
        settings.write_text(json.dumps({"apps": "apps/", "admin": {"keys": ["${env:CANARY_ADMIN}"]}}))
        self.env = {"CANARY_SERVER": SECRETS["SERVERKEY"], "CANARY_HOOK": SECRETS["WEBHOOK"],
                    "CANARY_ADMIN": SECRETS["ADMINKEY"]}
        self.data = str(self.folder / "data")
        self.server = Server(binary, str(settings), self.data, args=flags, env=self.env)
        self.server.start()
        self.pages = {}
        self.printed = ""

    def write_vendor_key(self, name):
        fresh = self.folder / "fresh.key"
        fresh.touch(mode=0o600)
        fresh.write_text(SECRETS[name])
        os.replace(fresh, self.vendor_key)

    def log(self):
        return pathlib.Path(self.server.log_path).read_text(errors="replace")

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **self.env})
        self.printed += done.stdout + done.stderr
        return done.stdout.strip()

    def refused(self, path, key):
        try:
            RealtimeClient(self.server.port, path, key=key).close()
        except Closed:
            return
        raise AssertionError(f"{path} was opened")

    def live(self):
        """A conversation with all that can go wrong."""
        visitor = Visitor(self.server, "canary", key=SECRETS["SERVERKEY"])
        visitor.turn(f"My account is {SAID['SENSITIVE']}", item="in_sensitive")
        until(lambda: any(t["topic"] == "iban" for t in of(visitor.events(), "topic.updated")), "the sensitive topic")
        visitor.line.send({"type": "sidevoice.topic.update", "event_id": "edit_" + os.urandom(9).hex(),
                           "topic": "rooms", "value": SAID["EDIT"], "base_revision": 0})
        visitor.until("sidevoice.topic.rejected")
        for text in ("say 401", "say 400", "say page", "say broken", "call lookup", "call failing", "call badly"):
            visitor.turn(f"{SAID['VISITOR']} {text}")
        # Frames that are refused.
        visitor.line.send({"type": SAID["VISITOR"], SAID["VISITOR"]: 1})
        visitor.line.send('{"type": "' + SAID["VISITOR"])
        visitor.until("error")
        self.write_vendor_key("WRONGVENDORKEY")
        until(lambda: "app.live_changed" in self.log(), "the wrong vendor key")
        events = visitor.turn(f"{SAID['VISITOR']} with a wrong vendor key")
        assert of(events, "response.done")[0]["status"] == "failed"
        self.write_vendor_key("VENDORKEY")
        self.doors(visitor)
        self.faulty_file()
        self.sessions = [visitor.session]
        for path in ("/metrics", "/debug/tree", "/healthz"):
            status, body = request(self.server.admin_port, "GET", path, key=SECRETS["ADMINKEY"])
            assert status == 200, path
            self.pages[path] = body
        visitor.close()

    def doors(self, visitor):
        """Keys, good and bad ones."""
        self.refused("/v1/realtime?model=canary", SECRETS["WRONGKEY"])
        self.refused("/v1/realtime?model=canary&key=" + SECRETS["URLKEY"], None)
        self.refused("/v1/realtime?model=canary&api_key=" + SECRETS["URLKEY"], SECRETS["SERVERKEY"])
        for path in ("/metrics", "/debug/tree"):
            assert request(self.server.admin_port, "GET", path, key=SECRETS["WRONGKEY"])[0] == 401
            assert request(self.server.admin_port, "GET", path + "?key=" + SECRETS["URLKEY"])[0] == 401
        request(self.server.port, "GET", "/" + SECRETS["URLKEY"])
        status, body = request(self.server.port, "POST", "/v1/realtime/client_secrets",
                               {"sidevoice": {"session": visitor.session}}, SECRETS["SERVERKEY"])
        assert status == 200, body
        self.keys["CLIENTKEY"] = json.loads(body)["value"]
        RealtimeClient(self.server.port, "/v1/realtime?model=canary", key=self.keys["CLIENTKEY"]).close()
        self.keys["MADEKEY"] = self.run("keys", "create", "--app", "canary", "--name", "made", "--data", self.data)
        # The data folder may show its id; the key itself is printed here and nowhere again.
        assert self.keys["MADEKEY"].startswith("sv_")
        self.printed = ""
        self.run("keys", "list", "--data", self.data)

    def faulty_file(self):
        """Secrets where none may stand, and values that do not fit."""
        place = self.folder / "apps/canary/app.jsonc"
        good = place.read_text()
        faulty = json.loads(good)
        faulty["live"]["access"]["server_keys"] = [SECRETS["LITERALKEY"]]
        faulty["live"]["vendors"]["openai"]["key"] = SECRETS["LITERALKEY"]
        faulty["live"]["tools"]["secret"] = SECRETS["LITERALKEY"]
        place.write_text(json.dumps(faulty))
        until(lambda: "app.fault " in self.log(), "a word about the literal secrets")
        self.run("check", str(self.folder / "sidevoice.jsonc"))
        self.run("check", str(self.folder / "apps"), "--json")
        assert "server_keys" in self.printed
        place.write_text(good)
        self.run("check", str(self.folder / "sidevoice.jsonc"))

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.fake.close()
        self.tools.close()


def shapes(text):
    """A canary as it stands, and as URLs, base64 and digests of careless code would carry it."""
    yield text
    yield urllib.parse.quote(text, safe="")
    yield base64.b64encode(text.encode()).decode().rstrip("=")


def found_in(text, canaries):
    return [name for name, value in canaries.items() for shape in shapes(value) if shape in text]


def log_is_clean(life):
    log = life.log()
    for event in ("model.failed", "analyzer.refused", "conversation.broke_off", "call.ended", "app.fault "):
        assert event in log, f"the log never told of {event}: the test has not made it happen"
    wrong = [line for line in log.splitlines() if found_in(line, {**life.keys, **SAID, "HOOK": HOOK})]
    assert not wrong, f"{len(wrong)} lines hold a canary:\n  " + "\n  ".join(line[:400] for line in wrong)


def pages_are_clean(life):
    for path, text in life.pages.items():
        assert len(text) > 10 and not found_in(text, {**life.keys, **SAID}), path


def checks_are_clean(life):
    assert not found_in(life.printed, {**life.keys, **SAID}), life.printed


def data_holds_no_key(life):
    assert life.server.stop() == 0
    names = []
    for place, _, files in os.walk(life.data):
        for name in files:
            names.append(name)
            text = (pathlib.Path(place) / name).read_bytes().decode("latin-1")
            wrong = found_in(text, {**life.keys, "HOOK": HOOK})
            assert not wrong, f"{name} holds {wrong}"
    assert "sidevoice.db" in names and "seal.key" in names, names


def words_stand_in_the_journal_alone(life):
    base = sqlite3.connect(f"file:{life.data}/sidevoice.db?mode=ro", uri=True)
    seen = set()
    for (table,) in base.execute("select name from sqlite_master where type='table'").fetchall():
        for row in base.execute(f"select * from {table}"):  # noqa: S608: the names are the file's own
            text = "\n".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row)
            wrong = found_in(text, SAID)
            assert not wrong or table in ("events", "snapshots", "blobs"), f"table {table} holds {wrong}"
            seen.update(wrong)
    # The scan finds what is there.
    assert {"SENSITIVE", "VISITOR", "TOOLOUTPUT", "ANSWER", "ARGUMENT"} <= seen, seen
    for name in os.listdir(life.data):
        if not name.startswith("sidevoice.db"):
            assert not found_in((pathlib.Path(life.data) / name).read_bytes().decode("latin-1"), SAID), name


def tools_and_models_were_given_no_key_of_others(life):
    """Only the vendor is shown the vendor's key, and nobody in a body."""
    for entry in life.fake.requests():
        text = json.dumps(entry["body"])
        assert not found_in(text, {k: v for k, v in life.keys.items()}), entry["number"]
    assert not life.tools.faults, life.tools.faults
    assert not found_in(json.dumps(life.tools.calls), life.keys)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    for level, flags in (("info", []), ("debug", ["--verbose"])):
        with tempfile.TemporaryDirectory(prefix="sidevoice-canary-") as folder:
            life = Round(sys.argv[1], folder, flags)
            try:
                checks.run(f"{level}: the conversation goes through all faults", life.live)
                for check in (log_is_clean, pages_are_clean, checks_are_clean,
                              tools_and_models_were_given_no_key_of_others, data_holds_no_key,
                              words_stand_in_the_journal_alone):
                    checks.run(f"{level}: {check.__name__.replace('_', ' ')}", check, life)
            finally:
                life.close()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
