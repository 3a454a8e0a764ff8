#!/usr/bin/env python3
"""Models and tools that misbehave over real HTTP: each has a named outcome in the journal, and the session goes on with
the next turn.

bad_model_test.py BINARY. Prints a table of what came out, then "N passed, M failed".
"""
import json
import socket
import sys
import tempfile

from support import KEY, Checks, Fake, Server, Visitor, items, lost, of, replies, write_app
from support_model import ModelServer
from support_tools import ToolServer

SECRET = "whsec_" + "YmFkLW1vZGVsLXRlc3Qtc2VjcmV0"
TOOLS = ("add", "big", "page", "binary", "empty", "never", "redirect", "broken", "cut")
LOOP_ROUNDS = 3
# A line that breaks before a word was said is tried again: here each try breaks.
TIMES = {"mistyped": 9}
# In these the server's patience ends; the others have patience enough for a machine that is busy.
IMPATIENT = ("too late", "stalls", "stalls at once")


def call(name, arguments):
    return {"name": name, "arguments": arguments}


# What the model does -> what the turn comes to: the ends of its responses, and what the log must say of it.
MODEL = {
    "late": ({"latency_ms": 600, "text": "Late but here."}, ["completed"], ""),
    "too late": ({"latency_ms": 60000}, ["failed:first_byte"], "reason=first_byte"),
    "stalls": ({"text": "One two three four five.", "stall_after": 2}, ["incomplete:stall"], "conversation.broke_off"),
    "stalls at once": ({"text": "One two.", "stall_after": 0}, ["failed:first_byte|failed:stall"], "model.failed"),
    "drops": ({"text": "One two three four.", "drop_after": 2}, ["incomplete:cut"], "conversation.broke_off"),
    "never done": ({"text": "A whole answer.", "finish_null": True, "no_done": True}, ["completed|incomplete:cut"], ""),
    "huge": ({"text": "word " * 300_000, "delta_chars": 5000}, ["incomplete:too_large"], "reason=too_large"),
    "a page": ({"status": 200, "body": "<html>Welcome to the proxy</html>"}, ["failed:*"], "model.failed"),
    "mistyped": ({"status": 200, "headers": {"content-type": "text/event-stream"},
                  "body": 'data: {"choices": "none", "id": 7}\n\ndata: [DONE]\n\n'}, ["failed:*"], "model.failed"),
    "no JSON": ({"status": 200, "headers": {"content-type": "text/event-stream"},
                 "body": 'data: {"choices": [{"delta"\n\ndata: [DONE]\n\n'}, ["failed:*"], "model.failed"),
    "split bytes": ({"text": "Grüße aus Łódź 👋🏽.", "split": "bytes", "line_end": "crlf"}, ["completed"], ""),
    "nothing": ({"text": ""}, ["completed|failed:*"], ""),
    "429 once": ({"status": 429, "retry_after_ms": 200}, ["completed"], ""),
    "401": ({"status": 401}, ["failed:invalid_api_key"], "reason=invalid_api_key"),
    "500": ({"status": 500, "headers": {"x-should-retry": "false"}}, ["failed:server_error"], "reason=server_error"),
    "error in mid-stream": ({"text": "One two three.", "error_mid_stream": {"after": 2, "message": "overloaded"}},
                            ["incomplete:server_error"], "conversation.broke_off"),
    "length": ({"text": "Cut off he", "finish_reason": "length"}, ["incomplete:max_output_tokens"], ""),
    "filter": ({"text": "I", "finish_reason": "content_filter"}, ["incomplete:content_filter"], ""),
}
# Calls -> outcomes of the calls that were made, codes of the outputs that were refused.
CALLS = {
    "an unknown tool": ([call("rm_rf", {"path": "/"})], [], ["unknown_tool"]),
    "a tool of the analyzer": ([call("update_topic", {"topic": "name", "value": "Eve"})], [], ["unknown_tool"]),
    "arguments that break the schema": ([call("add", {"n": "seven"})], [], ["invalid_arguments"]),
    "an argument too many": ([call("add", {"n": 1, "sudo": True})], [], ["invalid_arguments"]),
    "arguments that are no JSON": ([call("add", '{"n": 1')], [], ["invalid_arguments"]),
    "arguments that are a list": ([call("add", "[1]")], [], ["invalid_arguments"]),
    "twenty calls at once": ([call("add", {"n": n}) for n in range(20)], ["ok"] * 16, ["too_many_calls"]),
    "one good, one bad": ([call("add", {"n": 1}), call("add", {})], ["ok"], ["invalid_arguments"]),
    "the same id twice": ([{**call("add", {"n": 1}), "id": "call_same"}, {**call("add", {"n": 2}), "id": "call_same"}],
                          ["ok", "ok"], []),
}
# The tool's answer -> outcome, and what the model reads.
ANSWERS = {
    "big": ("ok", "was cut]"), "page": ("ok", "<html>"), "binary": ("ok", "\ufffd"), "empty": ("ok", None),
    "never": ("timeout", "timeout"), "redirect": ("failed", "redirect"), "broken": ("failed", "http_500"),
    "cut": ("failed", "cut"),
}


class World:
    def __init__(self, binary, folder):
        self.tools = ToolServer(SECRET)
        rules = []
        for name, (answer, _, _) in MODEL.items():
            rules.append({"match": {"last_user": f"be: {name}!"}, "times": TIMES.get(name, 1),
                          "answer": {"text": "", **answer}})
        for name, (calls, _, _) in CALLS.items():
            rules.append({"match": {"last_user": f"be: {name}!", "last_role": "user"},
                          "answer": {"text": "", "tool_calls": calls}})
        for name in ANSWERS:
            rules.append({"match": {"last_user": f"use: {name}!", "last_role": "user"},
                          "answer": {"text": "", "tool_calls": [call(name, {"n": 1})]}})
        rules.append({"match": {"last_user": "private!", "last_role": "user"},
                      "answer": {"text": "", "tool_calls": [call("add", {"n": 1})]}})
        rules += [{"match": {"last_user": "roles!", "last_role": "user"},
                   "answer": {"text": "", "tool_calls": [call("add", {"n": 1})]}},
                  {"match": {"last_user": "roles!", "last_role": "tool"},
                   "answer": {"text": "They say: {{tool_output}}"}}]
        # The endless loop: it calls as long as it may.
        rules.append({"match": {"last_user": "loop!"}, "answer": {"text": "", "tool_calls": [call("add", {"n": 1})]}})
        self.fake = Fake(binary, {"rules": rules, "defaults": {"text": "Fine."}})
        self.raw = ModelServer()
        self.log_from = 0
        apps = [self.app("bad", self.fake.url), self.app("hasty", self.fake.url, patience=2500),
                self.app("raw", self.raw.url), self.app("two", self.fake.url, "rules")]
        for one in apps:
            write_app(folder, one)
        self.server = Server(binary, f"{folder}/apps", f"{folder}/data",
                             env={"BAD_KEY": KEY, "BAD_SECRET": SECRET, "OPENAI_API_KEY": "fake"})
        self.server.start()

    def app(self, name, url, *more, patience=30000):
        tools = {tool: {"kind": "webhook", "description": tool, "url": f"{self.tools.url}/{tool}", "effect": "none",
                        "timeout_ms": 1500 if tool == "never" else 30000, "output_bytes_max": 2000,
                        "parameters": {"type": "object", "required": ["n"], "additionalProperties": False,
                                       "properties": {"n": {"type": "integer"}}}} for tool in TOOLS}
        return {"app": name, "conversation": {"instructions": "Be good.", "tools": list(TOOLS),
                                              "max_tool_rounds": LOOP_ROUNDS},
                "checklist": {"topics": [{"id": "name"}]}, "tools": tools,
                "models": {"conversation": ["openai:gpt-4.1-mini", *more], "analyzer": ["rules"]},
                "live": {"access": {"server_keys": ["${env:BAD_KEY}"]}, "tools": {"secret": "${env:BAD_SECRET}"},
                         "failover": {"first_byte_ms": patience, "stall_ms": patience, "retry_vendor_after_s": 1},
                         "vendors": {"openai": {"base_url": url}}}}

    def log(self):
        """What has been logged since the last question."""
        with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_from)
            text = log.read()
            self.log_from = log.tell()
        return text

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        for part in (self.fake, self.raw, self.tools):
            part.close()


def ends(events):
    return [r["status"] + (":" + r["reason"] if r.get("reason") else "") for r in of(events, "response.done")]


def fits(found, wanted):
    def one(end, pattern):
        return any(end == p or (p.endswith("*") and end.startswith(p[:-1])) for p in pattern.split("|"))
    return len(found) == len(wanted) and all(map(one, found, wanted))


def goes_on(visitor):
    """The next turn is answered, and nothing before it was lost."""
    events = visitor.turn("and now?")
    assert ends(events) == ["completed"] and replies(events) == ["Fine."], (ends(events), replies(events))
    assert not lost(visitor.events()), lost(visitor.events())


def model_case(world, visitor, name):
    _, wanted, word = MODEL[name]
    world.log()
    events = visitor.turn(f"be: {name}!")
    print(f"   {name}: {ends(events)}, said {[t[:40] for t in replies(events)]}")
    assert fits(ends(events), wanted), f"{ends(events)} instead of {wanted}"
    assert word in world.log(), f"the log does not say {word}"
    goes_on(visitor)


def call_case(world, visitor, name):
    calls, outcomes, codes = CALLS[name]
    ran = sum(world.tools.ran.values())
    events = visitor.turn(f"be: {name}!")
    outputs = [i["output"] for i in items(events, "function_call_output")]
    refused = [json.loads(o).get("error") for o in outputs if '"error"' in o]
    print(f"   {name}: {[c['outcome'] for c in of(events, 'call.ended')]}, refused {refused}, {ends(events)}")
    assert [c["outcome"] for c in of(events, "call.ended")] == outcomes
    assert sorted(set(refused)) == sorted(codes), refused
    made = items(events, "function_call")
    assert len(outputs) == len(made) and len(made) <= len(calls), (len(made), len(outputs))
    assert len({c["call_id"] for c in made}) == len(made)
    assert sum(world.tools.ran.values()) - ran == len(outcomes), "a call was sent that should not have been"
    assert ends(events) == ["completed", "completed"] and replies(events) == ["Fine."]
    goes_on(visitor)


def endless_loop(world, visitor):
    ran = sum(world.tools.ran.values())
    events = visitor.turn("loop!")
    print(f"   endless loop: {ends(events)}, ran {sum(world.tools.ran.values()) - ran} times")
    assert sum(world.tools.ran.values()) - ran == LOOP_ROUNDS, "max_tool_rounds does not hold"
    assert len(ends(events)) == LOOP_ROUNDS + 1
    goes_on(visitor)


def answer_case(world, visitor, name):
    outcome, words = ANSWERS[name]
    events = visitor.turn(f"use: {name}!")
    ended = of(events, "call.ended")
    output = items(events, "function_call_output")[0].get("output", "")
    print(f"   tool {name}: {[c['outcome'] for c in ended]}, the model reads {len(output)} bytes: {output[:60]!r}")
    assert [c["outcome"] for c in ended] == [outcome]
    assert output == "" if words is None else words in output, output[:300]
    assert len(output.encode()) < 2200
    assert replies(events) == ["Fine."] and ends(events) == ["completed"] * 2
    goes_on(visitor)


def tool_answers(tools):
    def big(handler, unused):
        handler.send_response(200)
        handler.send_header("content-length", str(50 << 20))
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b"x" * (1 << 20))

    def cut(handler, unused):
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"half": ')
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)

    tools.answers.update({
        "big": big, "cut": cut,
        "page": lambda h, c: h.answer(200, "<html><script>alert(1)</script></html>", "text/html"),
        "binary": lambda h, c: h.answer(200, b"\xff\xfe\x00\x01\xc3", "application/octet-stream"),
        "empty": lambda h, c: h.answer(200, ""),
        "never": lambda h, c: tools.leave.wait(30),
        "redirect": lambda h, c: h.answer(302, "", location=f"{tools.url}/secret"),
        "broken": lambda h, c: h.answer(500, "Traceback"),
    })


def raw_cases(world, visitor):
    """Bytes that no script can hold."""
    head = b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    cases = {
        "invalid UTF-8": head + b'{"content":"bad \xff\xc3( bytes"}}]}\n\n' + end,
        "a lone surrogate": head + b'{"content":"\\ud800 alone"}}]}\n\n' + end,
        "a NUL": head + b'{"content":"nul \\u0000 inside"}}]}\n\n' + end,
        "arguments of another type": head + b'{"tool_calls":[{"index":0,"id":7,"function":{"name":["add"],'
                                            b'"arguments":5}}]}}]}\n\n' + end,
        "an index of a billion": head + b'{"tool_calls":[{"index":1000000000,"id":"c","function":{"name":"add",'
                                        b'"arguments":"{}"}}]}}]}\n\n' + end,
        "one line of 20 MB": b"data: " + b"x" * (20 << 20),
        "a name of 100 KB": head + b'{"tool_calls":[{"index":0,"id":"c","function":{"name":"' + b"n" * 100_000
                            + b'","arguments":"{}"}}]}}]}\n\n' + end,
    }
    for name, answer in cases.items():
        world.raw.say(answer)
        events = visitor.turn(f"raw: {name}")
        print(f"   {name}: {ends(events)}, said {[t[:40] for t in replies(events)]}")
        assert len(ends(events)) >= 1 and all("\x00" not in t for t in replies(events))
        for end_ in ends(events):
            assert end_ == "completed" or (":" in end_ and end_.split(":")[1]), f"an end without a name: {end_}"
        world.raw.say(None)
        goes_on(visitor)
    assert not [c for c in world.tools.calls if c[1]["session"] == visitor.session], "a mistyped call was sent"


def next_model_takes_over(world, visitor):
    """The same 500 with `rules` as the last model: the visitor gets an answer."""
    world.fake.reset()
    world.log()
    events = visitor.turn("be: 500!")
    print(f"   500 with rules behind: {ends(events)}, said {replies(events)}")
    assert ends(events) == ["completed"] and replies(events)[0]
    assert "model.failed" in world.log()
    events = visitor.turn("be: 401!")
    assert ends(events) == ["completed"] and replies(events)[0]
    assert not lost(visitor.events())


def a_script_tells_roles(world, visitor):
    """The board that the server puts behind the conversation is no turn of it."""
    assert replies(visitor.turn("roles!")) == ['They say: {"done": "add"}']
    goes_on(visitor)


def private_address_in_prod(binary, folder, world):
    app = world.app("bad", world.fake.url)
    write_app(f"{folder}/prod", app)
    server = Server(binary, f"{folder}/prod/apps", f"{folder}/prod/data", args=["--profile", "prod"],
                    env={"BAD_KEY": KEY, "BAD_SECRET": SECRET, "OPENAI_API_KEY": "fake"})
    server.start()
    try:
        ran = sum(world.tools.ran.values())
        visitor = Visitor(server, "bad")
        events = visitor.turn("private!")
        output = items(events, "function_call_output")[0]["output"]
        print(f"   private address in prod: {[c['outcome'] for c in of(events, 'call.ended')]} {output[:80]}")
        assert [c["outcome"] for c in of(events, "call.ended")] == ["failed"] and "private_address" in output
        assert sum(world.tools.ran.values()) == ran, "the private address was asked"
        goes_on(visitor)
    finally:
        server.stop()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="sidevoice-bad-model-") as folder:
        world = World(sys.argv[1], folder)
        tool_answers(world.tools)
        try:
            visitor, hasty = Visitor(world.server, "bad"), Visitor(world.server, "hasty", name="h")
            for name in MODEL:
                checks.run(f"model: {name}", model_case, world, hasty if name in IMPATIENT else visitor, name)
            for name in CALLS:
                checks.run(f"calls: {name}", call_case, world, visitor, name)
            checks.run("an endless loop of tools", endless_loop, world, visitor)
            for name in ANSWERS:
                checks.run(f"tool answers: {name}", answer_case, world, visitor, name)
            checks.run("bytes that are no answer", raw_cases, world, Visitor(world.server, "raw", name="r"))
            two = Visitor(world.server, "two", name="t")
            checks.run("the next model takes over", next_model_takes_over, world, two)
            checks.run("a script tells questions from outputs", a_script_tells_roles, world, visitor)
            checks.run("a private address in prod", private_address_in_prod, sys.argv[1], folder, world)
            checks.run("all calls were signed", lambda: world.tools.faults and 1 / 0)
            checks.run("the server ends as asked", lambda: world.server.stop() == 0 or 1 / 0)
        finally:
            world.close()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
