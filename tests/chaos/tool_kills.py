#!/usr/bin/env python3
"""Kills the real server with SIGKILL at the four fault points of a tool's call and while its webhook runs, for the
three effects, restarts it, and counts at the webhook what ran how often.

  tool_kills.py BINARY [--report FILE]

BINARY must be built with fault points (preset dev or lab). Prints a table, then "N passed, M failed".
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import support_tools  # noqa: E402
from support import KEY, Closed, Fake, Server, Visitor, items, lost, of, unsettled, until, write_app  # noqa: E402

SECRET = "whsec_" + "c2lkZXZvaWNlLXRvb2wta2lsbHMtc2VjcmV0"
EFFECTS = ("none", "idempotent", "once")
RUNNING = "the webhook runs"
POINTS = ("call.before_send", "call.sent", RUNNING, "call.answered", "call.output_journaled")
# How often the webhook may have run when all is over. At call.sent the request was handed to the transfer: whether it
# left before the process died is open.
RUNS_AGAIN = {"call.before_send": (1,), "call.sent": (1, 2), RUNNING: (2,), "call.answered": (2,),
              "call.output_journaled": (1,)}
# The start is durable before the request is sent: from then on nobody knows, and it is never sent again.
RUNS_ONCE = {"call.before_send": (0,), "call.sent": (0, 1), RUNNING: (1,), "call.answered": (1,),
             "call.output_journaled": (1,)}
RUNS = {"none": RUNS_AGAIN, "idempotent": RUNS_AGAIN, "once": RUNS_ONCE}


def app(fake, tools):
    names = [f"act_{effect}" for effect in EFFECTS]
    return {
        "app": "kills",
        "conversation": {"instructions": "Do what the visitor asks.", "tools": names},
        "checklist": {"topics": [{"id": "name"}]},
        "tools": {f"act_{effect}": {
            "kind": "webhook", "description": f"Acts with effect {effect}", "url": f"{tools.url}/act_{effect}",
            "effect": effect, "timeout_ms": 20000,
            "parameters": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
        } for effect in EFFECTS},
        "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["rules"]},
        "live": {"access": {"server_keys": ["${env:KILLS_KEY}"]},
                 "tools": {"secret": "${env:KILLS_SECRET}"},
                 "vendors": {"openai": {"base_url": fake.url}}},
    }


# Each turn is asked in words of its own, and the first request with them is answered with a call.
SCRIPT = {"rules": [{"match": {"last_user": f"act_{effect} to {point}"}, "times": 1,
                     "answer": {"text": "", "tool_calls": [{"name": f"act_{effect}", "arguments": {"n": 7}}]}}
                    for effect in EFFECTS for point in POINTS],
          "defaults": {"text": "It says: {{tool_output}}"}}


class Kills:
    def __init__(self, binary, folder):
        self.fake = Fake(binary, SCRIPT)
        self.tools = support_tools.ToolServer(SECRET)
        config = write_app(folder, app(self.fake, self.tools))
        self.server = Server(binary, config, str(folder / "data"),
                             env={"KILLS_KEY": KEY, "KILLS_SECRET": SECRET, "OPENAI_API_KEY": "fake"})
        self.rows, self.faults = [], []

    def start(self, fault=None):
        self.server.env.pop("SIDEVOICE_FAULT", None)
        if fault:
            self.server.env["SIDEVOICE_FAULT"] = fault + ":1"
        self.server.start()

    def kill_meanwhile(self, handler, call):
        """The first run of a webhook that the server does not live to hear from."""
        self.tools.answers.clear()
        self.server.process.kill()
        handler.answer(200, json.dumps({"done": call["name"]}))

    def one(self, effect, point):
        where = f"{effect} at {point}"
        tool = f"act_{effect}"
        before = self.tools.runs(tool)
        asked = len(self.fake.requests())
        self.start(None if point == RUNNING else point)
        if point == RUNNING:
            self.tools.answers[tool] = self.kill_meanwhile
        visitor = Visitor(self.server, "kills")
        try:
            visitor.post(f"Please {tool} to {point}")
            while True:
                visitor.take(20)
        except (Closed, OSError):
            pass
        except TimeoutError:
            self.faults.append(f"{where}: the point was never reached")
        try:
            self.server.process.wait(20)
        except subprocess.TimeoutExpired:
            self.faults.append(f"{where}: the process lived on")
        self.server.kill()
        # A request that was under way when the process died reaches the webhook without it.
        died = [kind for kind, _ in visitor.events()]
        self.start()
        # Nobody comes back: the sweep at the start finishes the turn alone.
        try:
            events = until(lambda: (lambda e: e if not unsettled(e) else None)(visitor.events()),
                           f"{where}: the turn to be finished after the restart")
            self.judge(where, effect, point, before, asked, died, events)
        except AssertionError as why:
            self.faults.append(str(why))
        self.server.stop()

    def judge(self, where, effect, point, before, asked, died, events):
        def expect(good, what):
            if not good:
                self.faults.append(f"{where}: {what}")

        runs = {i: n - before.get(i, 0) for i, n in self.tools.runs(f"act_{effect}").items() if n != before.get(i, 0)}
        total = sum(runs.values())
        calls = items(events, "function_call")
        outputs = items(events, "function_call_output")
        ended = of(events, "call.ended")
        if not calls or not outputs or not ended:
            return expect(False, f"calls {calls}, outputs {outputs}, ends {ended}")
        expect(len(calls) == 1, f"{len(calls)} calls in the journal")
        expect(len(outputs) == 1, f"{len(outputs)} output items")
        expect(len(ended) == 1, f"{len(ended)} ends of the call")
        expect(set(runs) <= {calls[0]["call_id"]}, "the webhook was called under another id than the journal's")
        expect(total in RUNS[effect][point], f"the webhook ran {total} times, declared are {RUNS[effect][point]}")
        outcome = ended[0]["outcome"]
        journaled = point == "call.output_journaled"
        expect(("call.ended" in died) == journaled, f"call.ended stood in the journal at death: {'call.ended' in died}")
        expect("call.started" in died, "the call was sent before its start was durable")
        expect(outcome == ("unknown" if effect == "once" and not journaled else "ok"), f"outcome {outcome}")
        for fault in lost(events):
            expect(False, fault)
        by_cause = {c: r["response"] for r in of(events, "response.requested") for c in r["cause"]}
        status = {r["response"]: r["status"] for r in of(events, "response.done")}
        for cause, response in by_cause.items():
            # What the crash has cut is continued by a response whose cause it is.
            while response in by_cause and status.get(response) != "completed":
                response = by_cause[response]
            expect(status.get(response) == "completed", f"{cause} ends with {status.get(response)}")
        saw = set()
        for entry in self.fake.requests()[asked:]:
            saw |= {m["content"] for m in entry["body"]["messages"] if m["role"] == "tool"}
        expect(saw == {outputs[0]["output"]}, f"the model saw {saw}, the journal holds {outputs[0]['output']}")
        answers = [i for i in items(events, "message") if i.get("role") == "assistant" and i.get("text")]
        expect(len(answers) == 1 and answers[0]["text"].startswith("It says: "),
               f"{len(answers)} final answers: {answers}")
        attempts = [c["attempt"] for c in of(events, "call.started")]
        expect(attempts == list(range(1, len(attempts) + 1)), f"attempts {attempts}")
        self.rows.append([effect, point if point == RUNNING else f"`{point}`", str(total), str(len(runs)),
                          str(attempts[-1]), outcome, f"`{outputs[0]['output'].replace('|', '/')[:60]}`",
                          str(len(answers))])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--report")
    args = parser.parse_args()
    support_tools.check_the_check()
    with tempfile.TemporaryDirectory(prefix="sidevoice-tool-kills-") as folder:
        kills = Kills(args.binary, pathlib.Path(folder))
        try:
            for effect in EFFECTS:
                for point in POINTS:
                    kills.one(effect, point)
        finally:
            if kills.server.process and kills.server.process.poll() is None:
                kills.server.kill()
            kills.fake.close()
            kills.tools.close()
        kills.faults += [f"webhook: {fault}" for fault in kills.tools.faults]
    head = ["effect", "killed at", "webhook ran", "distinct ids", "starts", "outcome", "output the model saw",
            "final answers"]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in kills.rows]
    checked = (f"Signatures checked by the specification's text at each call; {kills.tools.judged_by_package} of "
               f"{sum(kills.tools.ran.values())} calls also by PyPI `standardwebhooks`.")
    print("\n".join(lines) + "\n\n" + checked)
    for fault in kills.faults:
        print("VIOLATION:", fault)
    if args.report:
        with open(args.report, "w", encoding="utf-8") as out:
            out.write(f"Command: `tests/chaos/tool_kills.py sidevoice`; load average {os.getloadavg()[0]:.2f} on "
                      f"{os.cpu_count()} cores.\n\n" + "\n".join(lines) + f"\n\n{checked}\n\n"
                      f"Violations: {len(kills.faults)}\n" + "".join(f"- {f}\n" for f in kills.faults))
    failed = min(len(kills.faults), len(EFFECTS) * len(POINTS))
    print(f"{len(EFFECTS) * len(POINTS) - failed} passed, {failed} failed")
    return 1 if kills.faults else 0


if __name__ == "__main__":
    sys.exit(main())
