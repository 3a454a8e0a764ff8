#!/usr/bin/env python3
"""One app far beyond its limits, or with a vendor that hangs, beside another app at its normal pace.

  bench/fairness.sh [--sessions 100] [--phase-s 20] [--runs 3] [--cases flood,hung] [--out FILE]

One server, one load client for app "calm" through four phases: alone, beside "greedy", alone, beside "greedy". In
`flood` greedy wants ten times the sessions it may have, and each of those it gets says ten times as much as it may. In
`hung` greedy's model never answers, at the same address as calm's, which does after 100 ms. A run whose client slipped
by more than 5 ms at p99 in any phase is void. Needs scripts/build.sh release sidevoice steady_load.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

from steady import (Load, MEASURES, Phases, ROOT, Server, Watch, cell, load_average, slipped, three, write_app)

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from support import Fake  # noqa: E402

KEYS = {"calm": "key-of-the-calm-app", "greedy": "key-of-the-greedy-app"}
SESSIONS_MAX, TURNS_MAX = 40, 10
NAMES = ["alone", "beside", "alone", "beside"]
WARM_S, GAP_S = 8, 3
SCRIPT = {"defaults": {"latency_ms": 100, "text": "Thank you. What else?"},
          "rules": [{"match": {"model": "hangs"}, "answer": {"latency_ms": 600_000}}]}


def app(name, models, limits, vendors):
    return {"app": name, "conversation": {"greeting": "Hello!"},
            "checklist": {"topics": [{"id": "name", "required": True}, {"id": "date", "type": "date"},
                                     {"id": "email", "type": "email", "required": True}]},
            "models": {"conversation": models, "analyzer": ["rules"]},
            "live": {"access": {"server_keys": ["${env:KEY_%s}" % name.upper()]}, "limits": limits, "vendors": vendors}}


def apps_of(case, url):
    if case == "flood":
        return [app("calm", ["rules"], {}, {}),
                app("greedy", ["rules"], {"sessions": SESSIONS_MAX, "turns_per_minute": TURNS_MAX}, {})]
    vendors = {"openai": {"base_url": url}}
    return [app("calm", ["openai:fine"], {}, vendors), app("greedy", ["openai:hangs"], {}, vendors)]


def greedy_flags(case, seconds):
    """Ten times the sessions it may have, each at ten times its turns; or as many who wait for a model that hangs."""
    think = 60_000 // TURNS_MAX // 10 if case == "flood" else 500
    return ["--app", "greedy", "--sessions", str(10 * SESSIONS_MAX), "--think-ms", str(think), "--tolerant",
            "--retry-ms", "2000", "--open-rate", "200", "--warm-s", "0", "--gap-s", "0", "--phases", str(seconds)]


def run(args, folder, case, number):
    fake = Fake(str(args.server), SCRIPT) if case == "hung" else None
    try:
        for one in apps_of(case, fake.url if fake else ""):
            config = write_app(folder, one)
        load = load_average()
        server = Server(str(args.server), config, str(folder / f"data-{case}-{number}"),
                        env={f"KEY_{name.upper()}": key for name, key in KEYS.items()})
        server.start()
        phases = Phases(WARM_S, GAP_S, [args.phase_s] * 4)
        client = Load(args.binaries, server, KEYS["calm"],
                      ["--app", "calm", "--sessions", str(args.sessions), "--think-ms", str(args.think_ms),
                       "--open-rate", "50", *phases.flags()])
        watch = Watch(server, phases)
        watch.start()
        greedy = []
        for n in (1, 3):
            start, end = phases.span(n)
            # From the gap before the phase to its end.
            time.sleep(max(0.0, start - GAP_S + 0.5 - time.monotonic()))
            other = Load(args.binaries, server, KEYS["greedy"], greedy_flags(case, round(end - time.monotonic())))
            time.sleep(max(0.0, end - time.monotonic()))
            # Its visitors may still wait for an answer.
            greedy.append(other.result(40) if case == "flood" else None)
            if case == "hung":
                other.stop()
        result = client.result(phases.span(3)[1] - time.monotonic() + 90)
        watch.join()
        server.stop()
    finally:
        if fake:
            fake.close()
    for n, phase in enumerate(result["phases"]):
        phase["name"] = NAMES[n]
        phase["core_percent"] = 100 * watch.cpu[n]
        phase["queue_age_ms"] = watch.queue_age_ms(n)
        phase["models_failed"] = watch.grown(n, "sidevoice_models_failed_total")
        phase["requests_limited"] = watch.grown(n, "sidevoice_requests_limited_total")
    result.update(case=case, run=number, load_before=load, greedy=[g["phases"][0] for g in greedy if g],
                  figures_missed=len(watch.faults), void=any(slipped(p) for p in result["phases"]))
    return result


def shown(case, runs):
    title = ("ten times its limits" if case == "flood" else "a vendor that hangs")
    out = [f"## {title}", "",
           "| run | calm is | turns | errors | accepted ms | first words ms | done ms | server, % of a core | "
           "longest queue, ms | greedy: models failed | client slip p99 ms |",
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for one in runs:
        for p in one["phases"]:
            out.append(f"| {one['run']}{' (void)' if one['void'] else ''} | {p['name']} | {p['turns']} | "
                       f"{p['errors']} | {three(p['accepted_ms'])} | {three(p['send_to_first_delta_ms'])} | "
                       f"{three(p['send_to_done_ms'])} | {p['core_percent']:.1f} | {cell(p['queue_age_ms'])} | "
                       f"{p['models_failed']:.0f} | "
                       f"{cell(p['client_slip_ms'] and p['client_slip_ms']['p99'], 2)} |")
    good = [p for r in runs if not r["void"] for p in r["phases"]]
    out += ["", "| measure | alone, ms | beside greedy, ms | spread of alone, ms |", "| --- | --- | --- | --- |"]
    for measure, name in MEASURES:
        for rank in ("p50", "p95", "p99"):
            alone, beside = ([p[measure][rank] for p in good if p["name"] == which and p[measure]]
                             for which in ("alone", "beside"))
            if alone and beside:
                out.append(f"| {name} {rank} | {sum(alone) / len(alone):.2f} | {sum(beside) / len(beside):.2f} | "
                           f"{max(alone) - min(alone):.2f} |")
    for one in runs:
        for g in one["greedy"]:
            out += ["", f"Greedy in run {one['run']}: {g['turns']} turns answered, {g['refused_turns']} refused, "
                        f"{g['refused_opens']} sessions refused; a refusal took {three(g['refused_ms'])} ms "
                        "(p50 / p95 / p99)."]
    return out + [""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--think-ms", type=int, default=4000)
    parser.add_argument("--phase-s", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cases", default="flood,hung")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--server", type=pathlib.Path, help="default: sidevoice in --binaries")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench/results/fairness.md")
    args = parser.parse_args()
    args.server = args.server or args.binaries / "sidevoice"
    body, raw = [], []
    for case in args.cases.split(","):
        if case not in ("flood", "hung"):
            parser.error(f"no case {case}; there are flood, hung")
        runs = []
        for number in range(1, args.runs + 1):
            with tempfile.TemporaryDirectory(prefix="sidevoice-fairness-") as folder:
                runs.append(run(args, pathlib.Path(folder), case, number))
            print(f"{case} {number}: {'void' if runs[-1]['void'] else 'done'}", flush=True)
        lines = shown(case, runs)
        print("\n".join(lines), flush=True)
        body += lines
        raw += runs
    head = ["# Two apps on one server", "",
            f"`bench/fairness.sh --sessions {args.sessions} --phase-s {args.phase_s} --runs {args.runs} --cases "
            f"{args.cases}` on {os.cpu_count()} cores, clients and server on the same cores; load averages before "
            f"each run: {', '.join('/'.join(r['load_before']) for r in raw)}. App calm has {args.sessions} sessions "
            f"with {args.think_ms} ms between their turns. App greedy may have {SESSIONS_MAX} sessions and {TURNS_MAX} "
            f"turns a minute in each; its client wants {10 * SESSIONS_MAX} and says ten times as much; in the case of "
            "a vendor that hangs it has no limits, and a model that never answers. Milliseconds are p50 / p95 / p99 of "
            "calm. A run whose client slipped by more than 5 ms at p99 is void.", ""]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(head + body + ["## Raw output", "", "```json", json.dumps(raw, indent=1), "```", ""]))
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
