#!/usr/bin/env python3
"""One actor of each kind crashing every second in one session beside 500 others.

  bench/isolation.sh [--sessions 500] [--phase-s 20] [--runs 3] [--kinds session,conversation,...] [--out FILE]

For each kind: one server, one load client, phases A1 A2 (nothing happens) B1 B2 (the fault) at the same pace. What the
fault costs the others is mean of B - mean of A; what the machine does by itself is the spread of the A phases. A run
whose client slipped by more than 5 ms at p99 in any phase is void. Faults: sidevoice serve --fault
(docs/supervision.md), which only builds with faults have: scripts/build.sh lab sidevoice steady_load.
"""
import argparse
import base64
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

from steady import (Load, MEASURES, Phases, ROOT, Server, Watch, cell, load_average, slipped, three, write_app)

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from realtime_client import Closed, RealtimeClient  # noqa: E402
from support_sound import speech  # noqa: E402

KEY = "bench-key"
APP = {
    "app": "bench",
    "conversation": {"greeting": "Hello!"},
    "checklist": {"topics": [{"id": "name", "required": True}, {"id": "date", "type": "date"},
                             {"id": "email", "type": "email", "required": True}]},
    "live": {"access": {"server_keys": ["${env:BENCH_KEY}"]}},
}
TYPED = ["session", "conversation", "analyzer", "connection"]
SPOKEN = ["audio", "stt", "tts"]
NAMES = ["A1", "A2", "B1", "B2"]
WARM_S, GAP_S = 14, 2
MIC_RATE, TICK_S = 24000, 0.1


class Talker(threading.Thread):
    """A visitor who says a sentence every four seconds, and comes back whenever the line breaks."""

    def __init__(self, port, pcm):
        super().__init__(daemon=True)
        self.port, self.pcm = port, pcm
        self.session, self.ids = "", set()
        self.lost = self.sounds = 0
        self.ends = threading.Event()
        self.is_there = threading.Event()
        self.turn = threading.Lock()

    def send(self, line, event):
        with self.turn:
            line.send(event)

    def hear(self, line):
        """Takes what comes, until the line breaks."""
        try:
            while True:
                event = line.receive(60)
                if event["type"] == "session.created":
                    self.session = event["session"]["id"]
                    self.ids.add(self.session)
                    self.is_there.set()
                elif event["type"] == "response.output_audio.delta":
                    self.sounds += 1
        except (Closed, TimeoutError):
            pass

    def talk(self, line):
        form = {"type": "audio/pcm", "rate": MIC_RATE}
        self.send(line, {"type": "session.update", "session": {
            "type": "realtime", "output_modalities": ["audio"],
            "audio": {"input": {"format": form, "turn_detection": {"type": "server_vad", "silence_duration_ms": 500}},
                      "output": {"format": form}}}})
        size = int(MIC_RATE * TICK_S) * 2
        said = self.pcm + bytes(max(0, int(4 * MIC_RATE) * 2 - len(self.pcm)))
        due, at = time.monotonic(), 0
        while not self.ends.is_set():
            self.send(line, {"type": "input_audio_buffer.append",
                             "audio": base64.b64encode(said[at:at + size]).decode()})
            at = (at + size) % len(said)
            due += TICK_S
            time.sleep(max(0.0, due - time.monotonic()))

    def run(self):
        while not self.ends.is_set():
            path = "/v1/realtime?model=bench" + (f"&session={self.session}" if self.session else "")
            try:
                line = RealtimeClient(self.port, path, KEY)
                ear = threading.Thread(target=self.hear, args=(line,), daemon=True)
                ear.start()
                self.talk(line)
                line.close()
            except (Closed, OSError, TimeoutError):
                self.lost += 1
                time.sleep(0.2)


def scenario(path, kind, phases, begin_s):
    """A crash every second, from a second before B1 to the end of B2."""
    at_ms = int(1000 * (phases.span(2)[0] - begin_s)) - 1000
    times = int(phases.span(3)[1] - phases.span(2)[0]) + 2
    path.write_text(json.dumps({"version": 1, "faults": [
        {"do": "crash", "actor": kind, "session": "first", "at_ms": at_ms, "every_ms": 1000, "times": times}]}))


def run(args, folder, kind, number):
    config = write_app(folder, APP)
    server_args = ["--fake-speech"] if kind in SPOKEN else []
    file = folder / "fault.json"
    # The server begins the scenario as it starts: the phases are laid before that.
    phases = Phases(WARM_S, GAP_S, [args.phase_s] * 4)
    load = load_average()
    if kind != "connection":
        scenario(file, kind, phases, time.monotonic())
        server_args += ["--fault", str(file)]
    server = Server(str(args.server), config, str(folder / f"data-{kind}-{number}"), args=server_args,
                    env={"BENCH_KEY": KEY})
    server.start()
    talker = None
    flags = ["--app", "bench", "--think-ms", str(args.think_ms), "--open-rate", "100", *phases.flags()]
    if kind in SPOKEN:
        talker = Talker(server.port, args.pcm)
        talker.start()
        if not talker.is_there.wait(10):
            raise RuntimeError("the visitor who talks got no session")
        flags += ["--sessions", str(args.sessions)]
    else:
        flags += ["--sessions", str(args.sessions + 1), "--victims", "1"]
    if kind == "connection":
        flags += ["--cut-every-ms", "1000", "--cut-from", "3"]
    client = Load(args.binaries, server, KEY, flags)
    watch = Watch(server, phases)
    watch.start()
    result = client.result(phases.span(3)[1] - time.monotonic() + 60)
    watch.join()
    if talker:
        talker.ends.set()
        talker.join(10)
        result["victims"] = {"ids": sorted(talker.ids), "lost_lines": talker.lost, "sounds": talker.sounds}
    server.stop()
    for n, phase in enumerate(result["phases"]):
        phase["name"] = NAMES[n]
        phase["core_percent"] = 100 * watch.cpu[n]
        phase["queue_age_ms"] = watch.queue_age_ms(n, result["victims"]["ids"])
        phase["queue_age_all_ms"] = (watch.figure(n, "sidevoice_queue_age_max_seconds") or 0) * 1000
        phase["restarts"] = watch.grown(n, "sidevoice_actor_restarts_total")
        phase["faults_made"] = watch.grown(n, "sidevoice_faults_made_total")
        phase["lines_closed"] = watch.grown(n, "sidevoice_connections_closed_total")
    result.update(kind=kind, run=number, load_before=load, figures_missed=watch.faults,
                  void=any(slipped(p) for p in result["phases"]))
    return result


def difference(runs, measure, rank):
    """(spread of the A phases, mean of B - mean of A) over all runs that are not void."""
    a = [p[measure][rank] for r in runs for p in r["phases"][:2] if p[measure]]
    b = [p[measure][rank] for r in runs for p in r["phases"][2:] if p[measure]]
    if not a or not b:
        return None
    return max(a) - min(a), sum(b) / len(b) - sum(a) / len(a)


def shown(kind, runs):
    out = [f"## {kind}" + (" (its line is cut every second)" if kind == "connection" else ""), "",
           "| run | phase | turns | errors | accepted ms | first words ms | server, % of a core | longest queue of the "
           "others, ms | restarts | client slip p99 ms |",
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for one in runs:
        for phase in one["phases"]:
            out.append(f"| {one['run']}{' (void)' if one['void'] else ''} | {phase['name']} | {phase['turns']} | "
                       f"{phase['errors']} | {three(phase['accepted_ms'])} | "
                       f"{three(phase['send_to_first_delta_ms'])} | {phase['core_percent']:.1f} | "
                       f"{cell(phase['queue_age_ms'])} | {phase['restarts']:.0f} | "
                       f"{cell(phase['client_slip_ms'] and phase['client_slip_ms']['p99'], 2)} |")
    good = [r for r in runs if not r["void"]]
    out += ["", "| measure | spread of A, ms | B slower than A by, ms | within |", "| --- | --- | --- | --- |"]
    within = True
    for measure, name in MEASURES:
        for rank in ("p50", "p95", "p99"):
            found = difference(good, measure, rank)
            if found is None:
                out.append(f"| {name} {rank} | - | - | no run counts |")
                within = False
                continue
            inside = found[1] <= found[0]
            within = within and inside
            out.append(f"| {name} {rank} | {found[0]:.2f} | {found[1]:.2f} | {'yes' if inside else 'NO'} |")
    victim = runs[-1]["victims"]
    out += ["", f"The victim of the last run: {json.dumps({k: v for k, v in victim.items() if k != 'ids'})}.", ""]
    return out, within


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--think-ms", type=int, default=4000)
    parser.add_argument("--phase-s", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kinds", default=",".join(TYPED + SPOKEN))
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/lab")
    parser.add_argument("--server", type=pathlib.Path, help="default: sidevoice in --binaries")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench/results/isolation.md")
    args = parser.parse_args()
    kinds = args.kinds.split(",")
    if unknown := set(kinds) - set(TYPED + SPOKEN):
        parser.error(f"no kind {', '.join(sorted(unknown))}; there are {', '.join(TYPED + SPOKEN)}")
    args.server = args.server or args.binaries / "sidevoice"
    args.pcm = speech("I would like to move to Berlin.", MIC_RATE) if set(kinds) & set(SPOKEN) else b""
    body, raw, verdicts = [], [], []
    for kind in kinds:
        runs = []
        for number in range(1, args.runs + 1):
            with tempfile.TemporaryDirectory(prefix="sidevoice-isolation-") as folder:
                runs.append(run(args, pathlib.Path(folder), kind, number))
            print(f"{kind} {number}: {'void' if runs[-1]['void'] else 'done'}", flush=True)
        lines, within = shown(kind, runs)
        print("\n".join(lines), flush=True)
        body += lines
        verdicts.append(f"| {kind} | {sum(not r['void'] for r in runs)} of {len(runs)} | {'yes' if within else 'NO'} | "
                        f"{sum(p['errors'] for r in runs for p in r['phases'])} |")
        raw += [{k: v for k, v in r.items() if k != "figures_missed"} for r in runs]
    head = ["# One session's actors crash beside 500 others", "",
            f"`bench/isolation.sh --sessions {args.sessions} --phase-s {args.phase_s} --runs {args.runs} --kinds "
            f"{args.kinds}` on {os.cpu_count()} cores, client and server on the same cores; load averages before each "
            f"run: {', '.join('/'.join(r['load_before']) for r in raw)}. Milliseconds are p50 / p95 / p99 of the "
            f"{args.sessions} sessions beside the victim, each with {args.think_ms} ms between its turns. A1, A2: "
            "nothing happens; B1, B2: one actor of the victim crashes every second. B is within where the mean of "
            "B is above that of A by no more than the spread of the A phases, over all runs that are not void (client "
            "slip above 5 ms at p99).", "",
            "| actor | runs that count | all measures within | errors of the others |", "| --- | --- | --- | --- |",
            *verdicts, ""]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(head + body + ["## Raw output", "", "```json", json.dumps(raw, indent=1), "```", ""]))
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
