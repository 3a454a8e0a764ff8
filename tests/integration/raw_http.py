#!/usr/bin/env python3
"""Talks to a real server over raw sockets: the HTTP and WebSocket rules that libraries leave to us.

raw_http.py SERVER_BINARY [CONFIG_FOLDER] starts the server on free ports with a data folder of its own, runs
every check, stops the server and expects a clean exit. Prints each failure and "N passed, M failed".
"""
import os
import signal
import struct
import sys
import tempfile
import threading

import raw_client
import raw_http_checks
import raw_websocket_checks  # noqa: F401: registers its checks
from raw_client import CHECKS, KEY, Server, WebSocket, ask, check, frame


def find_app():
    apps = ask("GET /v1/apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % KEY).json()["apps"]
    assert apps, "no app is open to the test"
    names = [app["id"] for app in apps]
    return "moving" if "moving" in names else names[0]


def stop_is_clean():
    """Every WebSocket hears 1012, and the process ends by itself."""
    ws = WebSocket()
    ws.event("session.created")
    raw_client.server.process.send_signal(signal.SIGTERM)
    assert ws.close_code() == 1012
    ws.socket.sendall(frame(struct.pack("!H", 1012), opcode=8))
    assert raw_client.server.process.wait(15) == 0, "exit code %s" % raw_client.server.process.returncode


def run(checks):
    failed = []
    lock = threading.Lock()

    def one(f):
        try:
            f()
        except Exception as why:  # noqa: BLE001: whatever it is, the check has failed
            with lock:
                failed.append(f.__name__)
                print("FAILED %s: %s: %s" % (f.__name__.replace("_", " "), type(why).__name__, why))

    # The one that has to wait for a deadline runs beside the others.
    slow = threading.Thread(target=one, args=(raw_http_checks.a_slow_header_ends_after_ten_seconds,))
    slow.start()
    for f in checks:
        if f is not raw_http_checks.a_slow_header_ends_after_ten_seconds:
            one(f)
    slow.join()
    one(stop_is_clean)
    return len(checks) + 1 - len(failed), len(failed)


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    config = sys.argv[2] if len(sys.argv) == 3 else os.path.join(root, "apps")
    with tempfile.TemporaryDirectory(prefix="sidevoice-raw-") as data:
        server = raw_client.server = Server(sys.argv[1], config, data)
        try:
            server.wait_until_ready()
            server.app = find_app()
            passed, failed = run(CHECKS)
        finally:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
