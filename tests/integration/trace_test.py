#!/usr/bin/env python3
"""Traces of the real server at a collector of the test, a webhook and two models: the tree of spans, what goes along to
models and tools, that nothing said is in them, and that a collector that is gone costs nothing.

trace_test.py BINARY. Prints "N passed, M failed".
"""
import json
import os
import re
import sys
import tempfile
import time

from support import KEY, Checks, Fake, Server, Visitor, of, request, until, write_app
from support_collector import Collector, json_format
from support_model import ModelServer, sse
from support_tools import ToolServer

SECRET = "whsec_c2VjcmV0LW9mLXRoZS10cmFjZS10ZXN0"
CANARY = "canaryword" + os.urandom(6).hex()
PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")


def think(body):
    """Calls the tool once for "look it up", then answers. The analyzer makes no calls."""
    names = [t["function"]["name"] for t in body.get("tools", [])]
    last = [m for m in body["messages"] if m["role"] in ("user", "tool")][-1]
    if "update_topic" in names:
        return sse("")
    if last["role"] == "user" and "look it up" in str(last["content"]):
        return sse("", [("lookup", {"q": CANARY})])
    return sse(f"An answer with {CANARY}.")


def app(name, model_url, tools):
    return {
        "app": name,
        "conversation": {"instructions": f"Be kind. {CANARY}", "tools": ["lookup"]},
        "checklist": {"topics": [{"id": "rooms", "type": "integer"}]},
        "tools": {"lookup": {"kind": "webhook", "description": "Looks up", "effect": "once",
                             "url": tools.url + "/lookup", "parameters": {
                                 "type": "object", "properties": {"q": {"type": "string"}}}}},
        "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["openai:gpt-4.1-nano"]},
        "live": {"access": {"server_keys": ["${env:TRACE_KEY}"]}, "tools": {"secret": "${env:TRACE_SECRET}"},
                 "vendors": {"openai": {"base_url": model_url}}}}


class Stage:
    """A server with its surroundings. `otel` goes into its environment."""

    def __init__(self, binary, folder, **otel):
        self.collector = Collector()
        self.tools = ToolServer(SECRET)
        self.tools.answers["lookup"] = self.lookup
        self.seen_by_tool = []
        self.model = ModelServer(think)
        self.fake = Fake(binary, {"rules": [{"match": {"tool": "update_topic"}, "answer": {"text": ""}}],
                                  "defaults": {"text": f"The fake says {CANARY}."}})
        write_app(folder, app("traced", self.model.url, self.tools))
        write_app(folder, app("faked", self.fake.url, self.tools))
        env = {"TRACE_KEY": KEY, "TRACE_SECRET": SECRET, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        if "OTEL_EXPORTER_OTLP_ENDPOINT" not in otel:
            env["OTEL_EXPORTER_OTLP_ENDPOINT"] = self.collector.url
        env.update(otel)
        self.server = Server(binary, os.path.join(folder, "apps"), os.path.join(folder, "data"), env=env)
        self.server.start()

    def lookup(self, handler, call):
        self.seen_by_tool.append(handler.headers.get("traceparent"))
        handler.answer(200, json.dumps({"found": CANARY}))

    def counter(self, name):
        _, text = request(self.server.admin_port, "GET", "/metrics")
        found = re.search(rf"^sidevoice_{name}_total(?:{{[^}}]*}})? (\d+)", text, re.M)
        return int(found[1]) if found else 0

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.stop()
        for part in (self.fake, self.tools, self.model, self.collector):
            part.close()


def log_of(stage):
    with open(stage.server.log_path, errors="replace") as file:
        return file.read()


def tree_is_whole(stage):
    visitor = Visitor(stage.server, "traced")
    events = visitor.turn(f"Please look it up: {CANARY}")
    first, second = [body["response"] for body in of(events, "response.requested")]
    spans = stage.collector

    def turn(response):
        return next((s for s in spans.named("turn") if s.about.get("sidevoice.response.id") == response), None)
    until(lambda: turn(second), "the second turn's span")
    asked, said = turn(first), turn(second)
    assert asked.about["session.id"] == visitor.session and asked.about["sidevoice.turn.cause"] == "message", asked
    assert asked.parent == "" and asked.kind == 2
    # The answer to the tool's output goes on below the turn that called it.
    assert said.trace == asked.trace and said.parent == asked.id and said.about["sidevoice.turn.cause"] == "tool"
    tool = spans.named("tool lookup")[0]
    assert (tool.trace, tool.parent) == (asked.trace, asked.id), "the tool is not below its turn"
    assert tool.about["sidevoice.tool.outcome"] == "ok" and tool.about["gen_ai.operation.name"] == "execute_tool"
    # The webhook was given the tool's own span.
    assert PARENT.fullmatch(stage.seen_by_tool[0]).groups() == (tool.trace, tool.id), stage.seen_by_tool
    llm = [s for s in spans.named("llm") if s.trace == asked.trace]
    assert [s.parent for s in sorted(llm, key=lambda s: s.start)] == [asked.id, said.id], "the models' parents"
    assert all(s.about["gen_ai.request.model"] == "gpt-4.1-mini" and s.about["gen_ai.provider.name"] == "openai"
               and s.kind == 3 and "first_token" in s.events for s in llm), llm
    # The models were given their own spans, and none of another.
    given = {PARENT.fullmatch(headers["traceparent"]).groups() for headers, _ in stage.model.requests}
    assert {(s.trace, s.id) for s in llm} <= given, (given, llm)
    for span in spans.spans:
        assert span.start <= span.end and span.resource["service.name"] == "trace-test", span
    for inner in llm + [tool]:
        assert asked.start <= inner.start, f"{inner.name} begins before its turn"
    session = [s for s in spans.named("session") if s.about["session.id"] == visitor.session]
    assert len(session) == 1 and session[0].about["sidevoice.restored"] is False, session
    until(lambda: [s for s in spans.named("analysis") if s.about["session.id"] == visitor.session], "the analysis")
    visitor.close()


def fake_provider_is_traced(stage):
    """The fake vendor tells its usage."""
    visitor = Visitor(stage.server, "faked")
    events = visitor.turn("Hello there")
    response = of(events, "response.done")[0]["response"]
    turn = until(lambda: next((s for s in stage.collector.named("turn")
                               if s.about.get("sidevoice.response.id") == response), None), "the turn's span")
    llm = until(lambda: next((s for s in stage.collector.named("llm") if s.parent == turn.id), None), "the model's")
    for span in (turn, llm):
        assert int(span.about["gen_ai.usage.output_tokens"]) > 0, span
    visitor.close()


def collector_was_spoken_to_by_the_book(stage):
    assert not stage.collector.faults, stage.collector.faults
    assert json_format is None or stage.collector.read_by_definition == len(stage.collector.bodies) > 0
    assert all(h.get("x-team") == "voice room" for h in stage.collector.headers)


def nothing_said_is_in_a_span(stage):
    assert any(CANARY in json.dumps(body) for _, body in stage.model.requests), "the canary was never said"
    assert not [b for b in stage.collector.bodies if CANARY in b]
    assert KEY not in "".join(stage.collector.bodies)


def log_lines_name_session_and_response(stage):
    visitor = Visitor(stage.server, "traced")
    stage.model.say(b"data: {broken\n\n")
    events = visitor.turn("this will fail")
    stage.model.say(None)
    response = of(events, "response.done")[0]["response"]
    lines = [line for line in log_of(stage).splitlines() if "model.failed" in line and response in line]
    assert lines and all(f"session={visitor.session}" in line for line in lines), lines
    failed = until(lambda: next((s for s in stage.collector.named("llm") if s.failure
                                 and s.about["session.id"] == visitor.session), None), "the failed model's span")
    assert failed.about["error.type"] == failed.failure, failed
    visitor.close()


def the_last_spans_leave_with_the_process(stage):
    visitor = Visitor(stage.server, "faked")
    visitor.post("Goodbye then")
    events = visitor.settle()
    response = of(events, "response.done")[0]["response"]
    visitor.close()
    assert stage.server.stop() == 0
    assert [s for s in stage.collector.named("turn") if s.about.get("sidevoice.response.id") == response]


def median_turn(visitor, turns=7):
    took = []
    for _ in range(turns):
        begin = time.monotonic()
        visitor.turn("Hello")
        took.append(time.monotonic() - begin)
    return sorted(took)[len(took) // 2]


def a_dead_collector_slows_no_turn(binary):
    with tempfile.TemporaryDirectory(prefix="sidevoice-trace-") as folder:
        stage = Stage(binary, folder, OTEL_BSP_MAX_QUEUE_SIZE="8", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4",
                      OTEL_BSP_SCHEDULE_DELAY="0", OTEL_EXPORTER_OTLP_TIMEOUT="60000")
        try:
            visitor = Visitor(stage.server, "faked")
            before = median_turn(visitor)
            until(lambda: stage.counter("spans_sent") > 0, "spans to be sent")
            stage.collector.hang = True
            after = median_turn(visitor)
            # It hangs for minutes: whoever waited for it would show.
            assert after < before * 3 + 0.5, f"a turn took {before:.3f} s, and {after:.3f} s without the collector"
            until(lambda: (visitor.turn("More"), stage.counter("spans_dropped"))[1] > 0, "dropped spans to be counted")
            begin = time.monotonic()
            visitor.close()
            assert stage.server.stop() == 0
            assert time.monotonic() - begin < 20, "the process waited for its collector"
        finally:
            stage.close()


def nobody_at_the_address_is_said_once(binary):
    with tempfile.TemporaryDirectory(prefix="sidevoice-trace-") as folder:
        gone = Collector()
        gone.close()
        stage = Stage(binary, folder, OTEL_EXPORTER_OTLP_ENDPOINT=gone.url)
        try:
            visitor = Visitor(stage.server, "faked")
            for _ in range(3):
                visitor.turn("Hello")
            until(lambda: "traces.not_sent" in log_of(stage), "a word about the collector")
            assert log_of(stage).count("traces.not_sent") == 1
            visitor.close()
        finally:
            stage.close()


def without_otel_nothing_is_traced(binary):
    with tempfile.TemporaryDirectory(prefix="sidevoice-trace-") as folder:
        stage = Stage(binary, folder, OTEL_EXPORTER_OTLP_ENDPOINT="")
        try:
            visitor = Visitor(stage.server, "traced")
            visitor.turn("Please look it up")
            assert stage.seen_by_tool == [None]
            assert all("traceparent" not in {k.lower() for k in h} for h, _ in stage.model.requests)
            assert stage.counter("spans_sent") == stage.counter("spans_dropped") == 0
            assert "traces." not in log_of(stage)
            visitor.close()
        finally:
            stage.close()


def bad_values_are_named(binary):
    with tempfile.TemporaryDirectory(prefix="sidevoice-trace-") as folder:
        stage = Stage(binary, folder, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
        try:
            assert "warning: OTEL_EXPORTER_OTLP_PROTOCOL " in log_of(stage) and "http/json" in log_of(stage)
        finally:
            stage.close()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks, binary = Checks(), sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="sidevoice-trace-") as folder:
        stage = Stage(binary, folder, OTEL_SERVICE_NAME="trace-test", OTEL_EXPORTER_OTLP_HEADERS="x-team=voice%20room")
        try:
            for check in (tree_is_whole, fake_provider_is_traced, log_lines_name_session_and_response,
                          the_last_spans_leave_with_the_process, collector_was_spoken_to_by_the_book,
                          nothing_said_is_in_a_span):
                checks.run(check.__name__.replace("_", " "), check, stage)
        finally:
            stage.close()
    for check in (a_dead_collector_slows_no_turn, nobody_at_the_address_is_said_once, without_otel_nothing_is_traced,
                  bad_values_are_named):
        checks.run(check.__name__.replace("_", " "), check, binary)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
