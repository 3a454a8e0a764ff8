#!/usr/bin/env python3
"""Runs what bench/overload.sh describes."""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from realtime_client import Server  # noqa: E402

KEY = "bench-key"
APP = {
    "app": "bench",
    "conversation": {"greeting": "Hello!"},
    "checklist": {"topics": [{"id": "name", "required": True}, {"id": "date", "type": "date"},
                             {"id": "email", "type": "email", "required": True}]},
    "live": {"access": {"server_keys": ["${env:BENCH_KEY}"]}},
}
PERIOD_US = 10_000
SHARE = 1 / 3
SLIP_MS = 5
# A number of sessions is sustainable while its slowest twentieth of inputs is accepted within this time.
BOUND_MS = 100
REFUSED_MS = 50


class Third:
    """A control group with a third of a core. `enter` is the shell line that puts a process into it; empty: none."""

    def __init__(self):
        name = f"sidevoice-bench-{os.getpid()}"
        quota = int(PERIOD_US * SHARE)
        self.folder, self.enter, self.why = None, "", ""
        try:
            if pathlib.Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").exists():
                self.folder = pathlib.Path("/sys/fs/cgroup/cpu") / name
                self.folder.mkdir()
                (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (self.folder / "cpu.cfs_quota_us").write_text(str(quota))
            else:
                self.folder = pathlib.Path("/sys/fs/cgroup") / name
                self.folder.mkdir()
                (self.folder / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            self.enter = f'echo $$ > "{self.folder}/cgroup.procs"'
        except OSError as why:
            self.why = f"no control group may be made: {why}"

    def throttled(self):
        if not self.enter:
            return {}
        lines = (self.folder / "cpu.stat").read_text().split("\n")
        return {k: int(v) for k, v in (line.split() for line in lines if line)}

    def close(self):
        if self.folder is not None and self.folder.exists():
            self.folder.rmdir()


class Bench:
    def __init__(self, args, folder, third):
        self.args, self.folder, self.third = args, pathlib.Path(folder), third
        self.binaries = (ROOT / args.binaries).resolve()
        self.count = 0
        app = self.folder / "bench"
        app.mkdir()
        (app / "app.jsonc").write_text(json.dumps(APP))
        self.app = str(app)
        self.wrapper = self.folder / "third"
        self.wrapper.write_text(f'#!/bin/sh\n{third.enter}\nexec taskset -c 0 "{self.binaries / "sidevoice"}" "$@"\n')
        self.wrapper.chmod(0o755)

    def run(self, residents, crowd=0, shed=True, seconds=None):
        self.count += 1
        seconds = seconds or self.args.seconds
        server = Server(str(self.wrapper), self.app, str(self.folder / f"data{self.count}"),
                        args=["--no-speech"], env={"BENCH_KEY": KEY}, shedding=shed)
        server.start()
        # No more than ten a second: coming in is work, too.
        ramp = max(5.0, residents / 10)
        flags = {"residents": residents, "crowd": crowd, "think-ms": self.args.think_ms, "ramp-s": ramp,
                 "before-s": seconds, "during-s": seconds if crowd else 0, "after-s": seconds if crowd else 0}
        shown = " ".join(f"--{name} {value}" for name, value in flags.items())
        load, before = os.getloadavg()[0], self.third.throttled()
        done = subprocess.run(["taskset", "-c", "1", str(self.binaries / "bench/overload_load"), "--port",
                               str(server.port), "--key", KEY, *shown.split()],
                              capture_output=True, text=True, check=False)
        after = self.third.throttled()
        server.stop(60)
        if not done.stdout.startswith("{"):
            raise RuntimeError(done.stderr + done.stdout)
        result = json.loads(done.stdout)
        result.update(command="overload_load " + shown, load_before=round(load, 2), shedding=shed,
                      throttled={k: after[k] - before.get(k, 0) for k in after},
                      complaints=done.stderr.splitlines()[:5],
                      log=[line for line in pathlib.Path(server.log_path).read_text(errors="replace").splitlines()
                           if "overload.level" in line][:20])
        return result

    def is_sustainable(self, result):
        accepted = result["phases"]["before"]["accepted_ms"]
        return (result["errors"] == 0 and result["residents_in"] == result["residents"] and accepted is not None
                and accepted["p95"] <= BOUND_MS)


def slip_of(result):
    return max((one["client_slip_ms"] or {"p99": 0})["p99"] for one in result["phases"].values())


def is_void(result):
    return slip_of(result) > SLIP_MS


def three(values):
    return "-" if values is None else f"{values['p50']:.1f} / {values['p95']:.1f} / {values['p99']:.1f}"


def find_sustainable(bench, steps):
    """The steps that were run, and the most sessions that are held."""
    runs, held = [], 0
    for sessions in steps:
        result = bench.run(sessions, shed=False, seconds=10)
        runs.append(result)
        accepted = result["phases"]["before"]["accepted_ms"]
        print(f"{sessions} sessions: accepted {three(accepted)} ms, slip {slip_of(result):.1f} ms", flush=True)
        if not bench.is_sustainable(result):
            break
        held = sessions
    return runs, held


def row(number, r):
    phases = r["phases"]
    refused = r["refused_ms"]
    recovered = "-" if r["recovered_ms"] < 0 else f"{r['recovered_ms'] / 1000:.1f} s"
    return (f"| {number}{' (void: the client slipped)' if is_void(r) else ''} | {r['residents_in']} | "
            + " | ".join(three(phases[name]["accepted_ms"]) for name in ("before", "during", "after"))
            + f" | {r['crowd_in']} of {r['crowd']} | {r['refusals']} | "
            + ("-" if refused is None else f"{refused['p50']:.1f} / {refused['p99']:.1f}")
            + f" | {recovered} | {slip_of(r):.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--think-ms", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--steps", default="50,100,150,200,300,400,500,600,800,1000,1200")
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--out", default=str(ROOT / "bench/results/overload.md"))
    args = parser.parse_args()
    third = Third()
    try:
        with tempfile.TemporaryDirectory(prefix="sidevoice-overload-") as folder:
            bench = Bench(args, folder, third)
            steps, held = find_sustainable(bench, [int(s) for s in args.steps.split(",")])
            runs = []
            # A void run is shown and made again, at most twice.
            while held and sum(not is_void(r) for r in runs) < args.runs and len(runs) < args.runs + 2:
                runs.append(bench.run(held, crowd=held))
                print(row(len(runs), runs[-1]), flush=True)
    finally:
        third.close()
    void = [third.why] if third.why else []
    if not held:
        void.append("the first step was not held: nothing to double")
    out = ["# Twice the sessions that a server can hold", "",
           f"`bench/overload.sh --runs {args.runs} --think-ms {args.think_ms} --seconds {args.seconds}` on "
           f"{os.cpu_count()} cores ({platform.machine()}): the server has a third of core 0 (quota of "
           f"{int(PERIOD_US * SHARE)} in periods of {PERIOD_US} µs: it is held back for 7 ms at a time, not for 67), "
           "the client core 1. Typed sessions, offline agent, SQLite with synchronous=full. "
           f"{len(runs)} runs, each on a fresh server; load average before them "
           f"{', '.join(str(r['load_before']) for r in runs) or '-'}. Milliseconds.", ""]
    out += [f"**Void**: {why}." for why in void]
    out += [f"Sustainable, found with `--no-shedding`: **{held} sessions** (the most of the steps below whose inputs "
            f"are accepted within {BOUND_MS} ms at p95). In each run {held} residents want to come in, ten a second, and "
            f"stay as far as they are let in; then {held} more want to come in within a second and ask again as "
            "Retry-After says.", "",
            "| run | residents in | accepted before: p50 / p95 / p99 | during | after | crowd that got in | refusals "
            "| refused in: p50 / p99 | room again after | client's slip p99 |", "| --- " * 10 + "|"]
    out += [row(n + 1, r) for n, r in enumerate(runs)]
    slow = [r for r in runs if r["refused_ms"] and r["refused_ms"]["p99"] >= REFUSED_MS]
    sound = [r for r in runs if not is_void(r)]
    if sound:
        p95 = {name: [r["phases"][name]["accepted_ms"]["p95"] for r in sound] for name in ("before", "during", "after")}
        mean = {name: sum(values) / len(values) for name, values in p95.items()}
        calm = p95["before"] + p95["after"]
        out += ["", f"Accepted at p95, mean of the runs that are not void: {mean['before']:.1f} ms before, "
                    f"{mean['during']:.1f} with the crowd, {mean['after']:.1f} behind it; without a crowd it lies "
                    f"between {min(calm):.1f} and {max(calm):.1f}."]
        out += ["", f"Refusals were answered within {REFUSED_MS} ms at p99 in {len(runs) - len(slow)} of "
                    f"{len(runs)} runs."]
    out += ["", "| sessions, nobody refused | accepted: p50 / p95 / p99 | client's slip p99 |", "| --- | --- | --- |"]
    out += [f"| {r['residents']}{' (void)' if is_void(r) else ''} | {three(r['phases']['before']['accepted_ms'])} | "
            f"{slip_of(r):.1f} |" for r in steps]
    out += ["", "## Raw output", "", "```json", json.dumps(steps + runs, indent=1), "```", ""]
    path = pathlib.Path(args.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(out))
    print(f"written to {path}")
    return 1 if void or sum(not is_void(r) for r in runs) < args.runs else 0


if __name__ == "__main__":
    sys.exit(main())
