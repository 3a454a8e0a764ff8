"""The real server, for all tests of this folder."""

import os
import queue
import re
import subprocess
import threading

import pytest

KEY = "a-server-key-of-the-tests"
PATIENCE_S = 60


class Server:
    """Started with an empty data folder and a free port; listens when the constructor returns."""

    def __init__(self, data, apps=None, variables=None):
        source = os.environ["SIDEVOICE_SOURCE_DIR"]
        flags = ["serve", "--config", str(apps or os.path.join(source, "apps")), "--listen", "127.0.0.1:0"]
        flags += ["--data", str(data / "data"), "--admin-listen", "127.0.0.1:0"]
        if tls := os.environ.get("SIDEVOICE_TLS"):  # a folder with cert.pem and key.pem
            flags += ["--tls-certificate", os.path.join(tls, "cert.pem"), "--tls-key", os.path.join(tls, "key.pem")]
        env = {**os.environ, "MOVING_KEY": KEY, "OPENAI_API_KEY": "", **(variables or {})}
        self.log = open(data / "log", "w+b")
        self.process = subprocess.Popen(
            [os.environ["SIDEVOICE_BINARY"], *flags], cwd=source, env=env, stdout=subprocess.PIPE, stderr=self.log
        )
        lines = queue.Queue()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        self.url = self._address(lines)

    def _read(self, lines):
        for line in self.process.stdout:
            lines.put(line.decode())
        lines.put(None)

    def _address(self, lines):
        while True:
            line = lines.get(timeout=PATIENCE_S)
            if line is None:
                raise RuntimeError("The server did not start:\n" + self.said())
            found = re.search(r"listening on (https?://\S+)", line)
            if found:
                return found.group(1)

    def said(self):
        self.log.seek(0)
        return self.log.read()[-20_000:].decode(errors="replace")

    def stop(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        assert code == 0, f"The server ended with {code}:\n{self.said()}"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("sidevoice"))
    yield started
    started.stop()
