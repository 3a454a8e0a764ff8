"""What a typed session needs around it: the server with the app `desk`, its model, its webhook, and keys of each kind."""

import contextlib
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

import pytest
from openai import AsyncOpenAI

HERE = pathlib.Path(__file__).parent
SECRET = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBjaGFyYWN0ZXJz"
SERVER_KEY = "a-server-key-of-the-tests"
TRANSPORT = "wss" if os.environ.get("SIDEVOICE_TLS") else "ws"


def part(name, path):
    """A module of another suite, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = part("typed_fakes", HERE.parent / "fake_openai" / "conftest.py")
servers = part("typed_servers", HERE.parent / "realtime_openai" / "conftest.py")
shops = part("typed_shops", HERE.parent.parent / "integration" / "support_tools.py")
PATIENCE_S = servers.PATIENCE_S


class Stage:
    def __init__(self, tmp_path_factory):
        self.rules = json.loads((HERE / "rules.json").read_text())
        self.model = fakes.Fake(tmp_path_factory.mktemp("model"))
        self.shop = shops.ToolServer(SECRET)
        self.shop.answers["estimate"] = self.estimate
        self.open = threading.Event()
        self.open.set()
        self.data = tmp_path_factory.mktemp("sidevoice")
        self.env = {
            "DESK_KEY": SERVER_KEY,
            "OPENAI_API_KEY": fakes.KEY,
            "FAKE_URL": self.model.url,
            "SHOP_URL": self.shop.url,
            "TOOLS_SECRET": SECRET,
        }
        # A running server looks for new keys once a second; one that starts knows them.
        servers.Server(self.data, HERE / "apps", self.env).stop()
        self.made_keys = [self.made_key() for _ in range(2)]
        self.server = servers.Server(self.data, HERE / "apps", self.env)
        self.fresh()

    def estimate(self, handler, _):
        """The webhook answers while the shop is open."""
        assert self.open.wait(PATIENCE_S)
        handler.answer(200, '{"price":"EUR 4321"}')

    @property
    def address(self):
        """Where a Realtime client goes that wants a whole address."""
        return self.server.url.replace("http", "ws") + "/v1/realtime?model=desk"

    def client(self, key):
        """PyPI openai, whose requests and connections go to our server."""
        return AsyncOpenAI(api_key=key, base_url=self.server.url + "/v1", max_retries=0)

    async def secret(self, seconds=600):
        async with self.client(SERVER_KEY) as backend:
            return await backend.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": seconds},
                session={"type": "realtime", "model": "desk"},
            )

    def keys(self, *words):
        """`sidevoice keys ...`: what it prints."""
        command = [os.environ["SIDEVOICE_BINARY"], "keys", *words, "--data", str(self.data / "data")]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert ran.returncode == 0, ran.stderr
        return ran

    def made_key(self):
        """A server key that only the data folder knows, and its id."""
        ran = self.keys("create", "--app", "desk", "--name", "tests")
        return ran.stdout.strip(), re.search(r"key_\w+", ran.stderr).group()

    def fresh(self):
        """The model forgets what it was asked, and begins its rules again; the shop forgets its calls."""
        self.model.play(*self.rules)
        self.shop.calls.clear()

    def asked(self):
        """Requests that the leading agent has sent its model since then."""
        return [one for one in self.model.requests() if (one["body"] or {}).get("model") == "gpt-4.1-mini"]

    def stop(self):
        self.server.stop()
        self.shop.close()
        self.model.stop()
        assert self.shop.faults == []


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    made = Stage(tmp_path_factory)
    yield made
    made.stop()


@contextlib.contextmanager
def step(client, name):
    """A step of a test that is kept as a result, one line each, in the file that SIDEVOICE_RESULTS names."""
    began = time.monotonic()
    passed = False
    try:
        yield
        passed = True
    finally:
        ms = round(1000 * (time.monotonic() - began))
        if path := os.environ.get("SIDEVOICE_RESULTS"):
            line = {"client": client, "transport": TRANSPORT, "case": name, "passed": passed, "ms": ms}
            with open(path, "a") as results:
                results.write(json.dumps(line) + "\n")
