"""What bench/isolation.py and bench/fairness.py share: servers, the steady load's phases, and what is read off the
server meanwhile."""
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from realtime_client import Server  # noqa: E402

SLIP_MS = 5
MEASURES = [("accepted_ms", "accepted"), ("send_to_first_delta_ms", "first words"), ("send_to_done_ms", "done")]
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load_average():
    return pathlib.Path("/proc/loadavg").read_text().split()[:3]


def write_app(folder, app):
    path = pathlib.Path(folder) / "apps" / app["app"]
    path.mkdir(parents=True, exist_ok=True)
    (path / "app.jsonc").write_text(json.dumps(app))
    return str(path.parent)


class Phases:
    """When each phase of a run begins and ends, on this process's monotonic clock."""

    def __init__(self, warm_s, gap_s, seconds):
        self.warm_s, self.gap_s, self.seconds = warm_s, gap_s, list(seconds)
        self.begin = time.monotonic() + warm_s
        self.begin_wall_ms = int((time.time() + warm_s) * 1000)

    def span(self, number):
        """(from, until) of phase `number`, the first being 0."""
        start = self.begin + sum(self.seconds[:number]) + (number + 1) * self.gap_s
        return start, start + self.seconds[number]

    def at(self, when):
        for number in range(len(self.seconds)):
            start, end = self.span(number)
            if start <= when < end:
                return number
        return None

    def flags(self):
        return ["--phases", ",".join(str(s) for s in self.seconds), "--gap-s", str(self.gap_s),
                "--begin-at", str(self.begin_wall_ms)]


class Watch(threading.Thread):
    """Reads the server's CPU and figures while the phases pass."""

    def __init__(self, server, phases):
        super().__init__(daemon=True)
        self.server, self.phases = server, phases
        self.cpu = [None] * len(phases.seconds)
        self.figures = [[] for _ in phases.seconds]
        self.ages = [{} for _ in phases.seconds]
        self.faults = []

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.admin_port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def metrics(self):
        return {name: float(value)
                for name, value in re.findall(r"^(\w+)(?:\{[^}]*\})? ([0-9.e+-]+)$", self.get("/metrics"), re.M)}

    def look(self, number, with_tree):
        try:
            self.figures[number].append(self.metrics())
            if not with_tree:
                return
            for entry in json.loads(self.get("/debug/tree"))["entries"]:
                age = entry.get("queue_age_us")
                if age is not None and entry["session"]:
                    seen = self.ages[number]
                    seen[entry["session"]] = max(seen.get(entry["session"], 0), age)
        except (OSError, ValueError) as fault:
            self.faults.append(str(fault))

    def run(self):
        for number in range(len(self.phases.seconds)):
            start, end = self.phases.span(number)
            time.sleep(max(0.0, start - time.monotonic()))
            before, begin = cpu_seconds(self.server.process.pid), time.monotonic()
            looks = 0
            while time.monotonic() < end - 0.3:
                # The tree asks every session: now and then, and in each phase as often.
                self.look(number, looks % 5 == 2)
                looks += 1
                time.sleep(max(0.0, min(begin + looks, end) - time.monotonic()))
            self.cpu[number] = (cpu_seconds(self.server.process.pid) - before) / (time.monotonic() - begin)

    def figure(self, number, name, how=max):
        values = [one[name] for one in self.figures[number] if name in one]
        return how(values) if values else None

    def grown(self, number, name):
        """How much a counter grew while the phase lasted."""
        values = [one.get(name, 0.0) for one in self.figures[number]]
        return values[-1] - values[0] if values else 0.0

    def queue_age_ms(self, number, without=()):
        """The longest wait seen in a mailbox of any session but these."""
        ages = [age for session, age in self.ages[number].items() if session not in without]
        return max(ages) / 1000 if ages else None


class Load:
    """The load client; one process."""

    def __init__(self, binaries, server, key, flags):
        self.command = ["steady_load"] + flags
        self.process = subprocess.Popen(
            [str(binaries / "bench/steady_load"), "--port", str(server.port), "--key", key, *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self, timeout):
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        if not out.startswith("{"):
            raise RuntimeError(err + out)
        found = json.loads(out)
        found["command"] = " ".join(self.command)
        found["said"] = err.strip()
        return found

    def stop(self):
        self.process.kill()
        self.process.communicate()


def cell(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def three(one):
    """p50 / p95 / p99 of a measure."""
    return "-" if one is None else f"{one['p50']:.2f} / {one['p95']:.2f} / {one['p99']:.2f}"


def slipped(phase):
    slip = phase["client_slip_ms"]
    return slip is not None and slip["p99"] > SLIP_MS


__all__ = ["Load", "MEASURES", "Phases", "ROOT", "Server", "SLIP_MS", "Watch", "cell", "load_average", "slipped",
           "three", "write_app"]
