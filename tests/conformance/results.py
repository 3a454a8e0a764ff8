"""Writes results.md out of what a run of all suites left: lines of results, the log, and the packages installed."""

import datetime
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
folder, binary, took_s, code, load_before = (pathlib.Path(sys.argv[1]), *sys.argv[2:6])
lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
log = (folder / "log").read_text()


def processor():
    found = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else "unknown"


def versions():
    yield "sidevoice", subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.strip() or "as built"
    yield "node", subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    for name in json.loads((HERE / "typed_sessions/package.json").read_text())["dependencies"]:
        package = json.loads((folder / "run/typed_sessions/node_modules" / name / "package.json").read_text())
        yield f"npm {name}", package["version"]
    python = folder / "run/typed_sessions/venv/bin/python"
    yield "python", subprocess.run([python, "--version"], capture_output=True, text=True).stdout.split()[-1]
    for name in ("openai", "openai-agents", "websockets", "pytest"):
        ask = f"import importlib.metadata as m; print(m.version('{name}'))"
        yield f"PyPI {name}", subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.strip()


def table():
    columns = sorted({(one["client"], one["transport"]) for one in lines})
    cases = list(dict.fromkeys(one["case"] for one in lines))
    cell = {(one["client"], one["transport"], one["case"]): one for one in lines}
    yield "| case | " + " | ".join(f"{client}, {transport}" for client, transport in columns) + " |"
    yield "| --- |" + " --- |" * len(columns)
    for case in cases:
        found = [cell.get((*column, case)) for column in columns]
        yield f"| {case} | " + " | ".join(
            "-" if one is None else f"{'passed' if one['passed'] else '**failed**'}, {one['ms']} ms" for one in found
        ) + " |"


def page():
    failed = sum(not one["passed"] for one in lines)
    yield "# The official clients: results\n"
    yield "Written by `tests/conformance/record.sh`, which runs all suites of this folder against one build.\n"
    yield "```sh\nSIDEVOICE_BINARY=build/dev/sidevoice tests/conformance/record.sh FOLDER\n```\n"
    yield f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC. Exit code {code}, {took_s} s with the installing of packages;"
    load = " ".join(pathlib.Path("/proc/loadavg").read_text().split()[:3])
    yield f"{processor()}, {len(list(pathlib.Path('/sys/devices/system/cpu').glob('cpu[0-9]*')))} processors,"
    yield f"load {load_before} before and {load} after.\n"
    yield "| program, package | version |\n| --- | --- |"
    for name, version in versions():
        yield f"| {name} | {version} |"
    yield "\n## Typed sessions\n"
    yield f"{len(lines)} steps, {failed} failed. One session after the other with each kind of key; the steps of a session follow"
    yield "one another. The model is `sidevoice fake-providers` with `typed_sessions/rules.json`.\n"
    yield from table()
    yield "\n`-`: not for this column, or not reached. npm `openai` makes a `wss:` address of every base URL. Its class for Node, `OpenAIRealtimeWS`,"
    yield "takes options for `ws`; over ws it is given a plain socket there (`createConnection`). Its class for browsers cannot be."
    yield "`interrupt()` of `@openai/agents-realtime` acts on audio that plays; text is interrupted by `response.cancel` through its"
    yield "transport. `interrupt()` of `openai-agents` cancels where `turn_detection.interrupt_response` is off, and is used so.\n"
    yield "## All suites, as they printed\n"
    yield "```text"
    yield from (line for line in log.splitlines() if re.search(r"^\s*[✔✖▶﹣]|^ℹ (tests|pass|fail)|passed|failed|^== ", line))
    yield "```"


(HERE / "results.md").write_text("\n".join(page()) + "\n")
