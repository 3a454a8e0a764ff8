#!/usr/bin/env python3
"""Runs what bench/voice.sh has prepared: steps of spoken sessions, the server's CPU, memory and profile beside them."""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from realtime_client import Server  # noqa: E402

KEY = "bench-key"
# Long enough that an answer is still on its way when it is talked over, a second of lead included.
QUESTION = "What else should we know about the things you take along"
APP = {
    "app": "bench",
    "checklist": {"topics": [{"id": "things", "required": True, "ask": QUESTION}, {"id": "date", "type": "date"}]},
    "models": {"conversation": ["rules"], "analyzer": ["rules"]},
    "live": {"access": {"server_keys": ["${env:BENCH_KEY}"]}},
}
RAMP_S = 4
# What the scripted engines take: words 100 ms after the end, first sound 5 ms after the request.
ENGINES_MS = 105
WORSE_MS = 200
LAG_MS = 2000
SLIP_MS = 5
# The first that matches a symbol or its library names the part.
PARTS = [
    ("voice activity (Silero)", r"silero|vad_"),
    ("resampling", r"speex|resampl"),
    ("base64 and sample formats", r"base64|decode_sound|encode_sound|sound_format|sodium_"),
    ("JSON", r"nlohmann|json"),
    ("WebSocket and Asio", r"boost::|beast|asio"),
    ("edges, kept sound, pacing", r"voice_input|voice_output|speech_edges|kept_speech|spoken_|sound_queue|connection_voice"),
    ("codec", r"realtime_"),
    ("store and SQLite", r"sqlite|persistence|store"),
    ("actors (CAF)", r"caf::|libcaf"),
    ("scripted engines", r"fake_|saying|hearing"),
    ("memory", r"malloc|free|memmove|memcpy|memset|operator new|operator delete|_int_"),
    ("kernel", r"\[k\]"),
]


class Pinned(Server):
    """A server that has one core, or None: all."""

    def __init__(self, binaries, folder, name, fake):
        binary = folder / "pinned"
        binary.write_text(f'#!/bin/sh\nexec taskset -c 0 "{binaries / "sidevoice"}" "$@"\n')
        binary.chmod(0o755)
        app = folder / "bench"
        app.mkdir(exist_ok=True)
        (app / "app.jsonc").write_text(json.dumps(APP))
        super().__init__(str(binary), str(app), str(folder / name), args=["--fake-speech"] if fake else [],
                         env={"BENCH_KEY": KEY})


def usage(pid):
    """CPU seconds and resident KiB of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rss = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), rss


def part_of(line):
    return next((name for name, pattern in PARTS if re.search(pattern, line)), "other")


class Profile:
    """Samples of one process by part; empty where perf may not be used."""

    def __init__(self, pid, folder):
        self.data = folder / "perf.data"
        try:
            self.perf = subprocess.Popen(["perf", "record", "-e", "cpu-clock", "-F", "499", "-o", str(self.data), "-p",
                                          str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            self.perf = None

    def stop(self):
        if self.perf is None:
            return {}
        self.perf.terminate()
        self.perf.wait()
        text = subprocess.run(["perf", "report", "-i", str(self.data), "--stdio", "--sort", "dso,symbol", "-g", "none"],
                              capture_output=True, text=True, check=False).stdout
        parts, top = {}, []
        for line in text.splitlines():
            found = re.match(r"\s+(\d+\.\d+)%\s+(.*\S)", line)
            if found:
                name = part_of(found[2])
                parts[name] = parts.get(name, 0.0) + float(found[1])
                top.append(f"{found[1]:>6} %  {name:28} {found[2][:90]}")
        return {"parts": {k: round(v, 1) for k, v in sorted(parts.items(), key=lambda e: -e[1])}, "top": top[:25]}


class Bench:
    def __init__(self, args):
        self.args = args
        self.folder = pathlib.Path(args.folder)
        self.binaries = (ROOT / args.binaries).resolve()
        self.count = 0

    def step(self, sessions, fake=True, seconds=None, interrupt=0, profile=False):
        self.count += 1
        seconds = seconds or self.args.seconds
        server = Pinned(self.binaries, self.folder, f"data{self.count}", fake)
        server.start()
        flags = ["--sessions", str(sessions), "--seconds", str(seconds), "--ramp", str(RAMP_S), "--engines-ms",
                 str(ENGINES_MS if fake else 0), "--interrupt-every", str(interrupt)]
        pid = server.process.pid
        _, empty = usage(pid)
        load = pathlib.Path("/proc/loadavg").read_text().split()[:3]
        client = subprocess.Popen(
            ["taskset", "-c", "1", str(self.binaries / "bench/voice_load"), "--port", str(server.port), "--key", KEY,
             "--sound", str(self.folder / "said.raw"), *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(RAMP_S + 2)
        watch = Profile(pid, self.folder) if profile else None
        cpu, begin = usage(pid)[0], time.monotonic()
        time.sleep(seconds - 3)
        (cpu_after, rss), end = usage(pid), time.monotonic()
        seen = watch.stop() if watch else None
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out, err = client.communicate(timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        client_cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        server.stop()
        if not out.startswith("{"):
            raise RuntimeError(out + err)
        share = (cpu_after - cpu) / (end - begin)
        result = json.loads(out)
        result.update(command="voice_load " + " ".join(flags), server_core_percent=round(100 * share, 1),
                      cpu_s_per_session_minute=round(60 * share / sessions, 3),
                      kib_per_session=round((rss - empty) / sessions), server_rss_mib=round(rss / 1024, 1),
                      client_core_percent=round(100 * client_cpu / (seconds + RAMP_S), 1),
                      load_before=" ".join(load), complaints=err.splitlines()[:5])
        if seen:
            result["profile"] = seen
        print(row(result), *result["complaints"], sep="\n", flush=True)
        return result


def figures(result, name, digits=1):
    p = result[name]
    return "-" if p is None else f"{p['p50']:.{digits}f} / {p['p95']:.{digits}f} / {p['p99']:.{digits}f}"


def is_void(result):
    slip = result["client_slip_ms"]
    return slip is None or slip["p99"] > SLIP_MS


def row(r):
    void = " (void: the client slipped)" if is_void(r) else ""
    return (f"| {r['sessions']}{void} | {r['turns']} | {r['violations']} + {r['errors']} | {figures(r, 'voice_to_sound_ms', 0)} | "
            f"{figures(r, 'share_ms')} | {figures(r, 'stopped_to_transcript_ms', 0)} | {r['server_core_percent']:.0f} % | "
            f"{r['cpu_s_per_session_minute']:.2f} | {r['kib_per_session']} | {figures(r, 'client_slip_ms')} |")


HEAD = ["| sessions | turns | violations + errors | voice to sound | our share | end to words | core | CPU s per session-minute "
        "| KiB a session | client's slip |", "| --- " * 10 + "|"]


def density(bench, args):
    steps, base = [], None
    for sessions in args.steps:
        one = bench.step(sessions, seconds=args.base_seconds if sessions == 1 else None)
        steps.append(one)
        p = one["voice_to_sound_ms"]
        base = base or p
        if p is None or p["p95"] > base["p95"] + WORSE_MS or one["violations"] + one["errors"] > 0:
            break
    return steps


def carried(steps):
    """The most sessions whose p95 is within the bound, in a run that counts."""
    base = steps[0]["voice_to_sound_ms"]
    good = [s["sessions"] for s in steps if base and s["voice_to_sound_ms"] and not is_void(s)
            and s["voice_to_sound_ms"]["p95"] <= base["p95"] + WORSE_MS and s["violations"] + s["errors"] == 0]
    return max(good, default=0)


def real_talks(bench, args):
    steps = []
    for sessions in args.real:
        one = bench.step(sessions, fake=False)
        steps.append(one)
        lag = one["stopped_to_transcript_ms"]
        if lag is None or lag["p95"] > LAG_MS or one["errors"]:
            break
    return steps


def write(args, steps, talked_over, profiled, real):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    lagging = [s for s in real if s["stopped_to_transcript_ms"] is None or s["stopped_to_transcript_ms"]["p95"] > LAG_MS]
    fluent = max((s["sessions"] for s in real if s not in lagging), default=0)
    out = ["# Spoken sessions on one core", "",
           f"`bench/voice.sh {' '.join(args.given)}`: each line is one run on {os.cpu_count()} cores "
           f"({cpu[1] if cpu else 'unknown'}). The server has core 0, the client core 1; the load average before each run stands in "
           "its raw output. Plain Realtime sessions over WebSocket, PCM16 at 24 kHz both ways, 100 ms an append in real time, "
           "about two seconds of speech, then silence until the answer has been played. SQLite with FULL. Milliseconds are p50 / p95 "
           "/ p99 of all turns.", "", "- *voice to sound*: end of the voice (by the client's own count of samples) to the first "
           "sound, with 500 ms of silence_duration, up to 100 ms for the append that completes it, and 105 ms of the scripted engines.",
           "- *our share*: `speech_stopped` to the first sound, less these 105 ms (less nothing with real engines); both commits "
           "to the disk are in it.", "- *end to words*: `speech_stopped` to the transcript.", "",
           "## Density: scripted engines, real voice activity", "", *HEAD, *map(row, steps), "",
           f"**{carried(steps)} talking sessions on one core** with p95 within {WORSE_MS} ms of one session's, in the steps tried.", "",
           "## Interruption", "", "Every third answer is talked over after its first second. From `speech_started` to the last "
           "sound of that answer; sound that came behind it; and from the append in which the voice was noticed to `speech_started`. "
           "Milliseconds, p50 / p95 / p99, and the most.", "",
           "| sessions | interruptions | last sound after the decision | sound behind it | append to decision | client's slip |",
           "| --- " * 6 + "|"]
    for r in talked_over:
        worst = (r["started_to_last_sound_ms"] or {}).get("max", 0)
        out.append(f"| {r['sessions']} | {r['interruptions']} | {figures(r, 'started_to_last_sound_ms')}, {worst:.1f} | "
                   f"{figures(r, 'sound_after_started_ms')} | {figures(r, 'append_to_started_ms')} | {figures(r, 'client_slip_ms')} |")
    parts = profiled.get("profile", {}).get("parts", {})
    out += ["", f"## Where the time goes, {profiled['sessions']} sessions", "", "Samples of the server by part (perf, cpu-clock, "
            "499 Hz, own time of each function)."
            if parts else "perf may not be used on this machine; `sample_path_bench` has the parts of the sample path.", ""]
    if parts:
        out += ["| part | share |", "| --- | --- |", *(f"| {name} | {share} % |" for name, share in parts.items())]
    out += ["", "## Real talks: Whisper tiny.en and flite, server on one core", "", *HEAD, *map(row, real), "",
            f"**{fluent} talks** with p95 of end to words within {LAG_MS // 1000} s, in the steps tried.", "", "## Raw output", "",
            "```json", json.dumps(steps + talked_over + [profiled] + real, indent=1), "```", ""]
    path = pathlib.Path(args.out)
    path.write_text("\n".join(out))
    print(f"written to {path}")


def main():
    numbers = lambda text: [int(n) for n in text.split(",") if n]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, help="holds said.raw; data folders go there")
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--base-seconds", type=int, default=40)
    parser.add_argument("--steps", type=numbers, default=[1, 10, 50, 100, 125, 150, 175, 200, 250])
    parser.add_argument("--over", type=numbers, default=[100], help="sessions of the interruption steps")
    parser.add_argument("--over-seconds", type=int, default=30)
    parser.add_argument("--profiled", type=int, default=100, help="sessions of the profiled step")
    parser.add_argument("--real", type=numbers, default=[1, 2, 4, 8])
    parser.add_argument("--out", default=str(ROOT / "bench/results/voice.md"))
    args = parser.parse_args()
    args.given = sys.argv[3:]
    bench = Bench(args)
    steps = density(bench, args)
    talked_over = [bench.step(n, seconds=args.over_seconds, interrupt=3) for n in args.over]
    profiled = bench.step(args.profiled, profile=True)
    write(args, steps, talked_over, profiled, real_talks(bench, args))


if __name__ == "__main__":
    main()
