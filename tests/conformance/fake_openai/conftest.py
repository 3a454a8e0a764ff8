"""The fake provider of the real binary, for all tests of this folder."""

import json
import os
import queue
import re
import subprocess
import threading
import urllib.request

import pytest

KEY = "a-key-of-the-tests"
PATIENCE_S = 60


class Fake:
    """Listens on a free port when the constructor returns."""

    def __init__(self, folder):
        self.log = open(folder / "log", "w+b")
        flags = ["fake-providers", "--listen", "127.0.0.1:0", "--key", KEY]
        self.process = subprocess.Popen(
            [os.environ["SIDEVOICE_BINARY"], *flags], stdout=subprocess.PIPE, stderr=self.log
        )
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in self.process.stdout], daemon=True).start()
        self.url = re.search(r"listening on (http://\S+)/v1$", lines.get(timeout=PATIENCE_S).decode().strip()).group(1)

    def control(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/fake/{path}", data=body, method=method)
        request.add_header("Authorization", f"Bearer {KEY}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def play(self, *rules):
        """Replaces the rules and begins a new log."""
        self.control("POST", "script", json.dumps(rules).encode())
        self.control("POST", "reset", b"")

    def requests(self):
        return self.control("GET", "requests")

    def stop(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        self.log.seek(0)
        assert code == 0, f"The fake ended with {code}:\n{self.log.read().decode(errors='replace')}"


@pytest.fixture(scope="session")
def fake(tmp_path_factory):
    started = Fake(tmp_path_factory.mktemp("fake"))
    yield started
    started.stop()
