"""What a spoken session needs around it: the server with both apps, the model, and what is kept of a case."""

import contextlib
import importlib.util
import json
import os
import pathlib
import re
import sys
import time

import pytest
from openai import AsyncOpenAI

HERE = pathlib.Path(__file__).parent
SERVER_KEY = "a-server-key-of-the-tests"


def part(name, path):
    """A module of another suite, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = part("spoken_fakes", HERE.parent / "fake_openai" / "conftest.py")
servers = part("spoken_servers", HERE.parent / "realtime_openai" / "conftest.py")
PATIENCE_S = servers.PATIENCE_S


class Stage:
    def __init__(self, tmp_path_factory):
        self.model = fakes.Fake(tmp_path_factory.mktemp("model"))
        self.model.play(*json.loads((HERE / "rules.json").read_text()))
        env = {"DESK_KEY": SERVER_KEY, "OPENAI_API_KEY": fakes.KEY, "FAKE_URL": self.model.url}
        self.server = servers.Server(tmp_path_factory.mktemp("sidevoice"), HERE / "apps", env)

    def address(self, app):
        """Where a Realtime client goes that wants a whole address."""
        return self.server.url.replace("http", "ws") + f"/v1/realtime?model={app}"

    def client(self):
        """PyPI openai, whose connections go to our server."""
        return AsyncOpenAI(api_key=SERVER_KEY, base_url=self.server.url + "/v1", max_retries=0)

    def stop(self):
        self.server.stop()
        self.model.stop()


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    made = Stage(tmp_path_factory)
    yield made
    made.stop()


@contextlib.contextmanager
def recorded(client, name):
    """A case that is kept as a result, one line each, in the file that SIDEVOICE_RESULTS names."""
    began = time.monotonic()
    passed = False
    try:
        yield
        passed = True
    finally:
        ms = round(1000 * (time.monotonic() - began))
        if path := os.environ.get("SIDEVOICE_RESULTS"):
            line = {"suite": "spoken", "client": client, "transport": "ws", "case": name, "passed": passed, "ms": ms}
            with open(path, "a") as results:
                results.write(json.dumps(line) + "\n")


def keep_events(client, name, events):
    """All that a client has received in a case that failed; returns where it is."""
    folder = pathlib.Path(os.environ.get("SIDEVOICE_EVENTS", "events"))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / (re.sub(r"[^A-Za-z0-9-]+", "_", f"{client}-{name}") + ".jsonl")
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file
