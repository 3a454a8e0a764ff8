#!/usr/bin/env python3
"""Does the time of a refusal tell whether an id exists?

refusals.py SERVER_BINARY [ROUNDS] starts a server with two apps, then asks by turns for what is somebody else's and for
what is nobody's, over kept-alive connections. Prints a table: both medians, their difference, and the difference
that the same question shows against itself (its odd rounds against its even ones).
"""
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

KEYS = {"first": "key-of-the-first-app", "second": "key-of-the-second-app"}

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def app_file(name):
    return {"app": name, "title": name, "language": "en",
            "checklist": {"topics": [{"id": "email", "type": "email", "label": "E-mail"}]},
            "models": {"conversation": ["rules"], "analyzer": ["rules"]},
            "live": {"access": {"server_keys": ["${env:KEY_%s}" % name.upper()]}}}


class Line:
    """A kept-alive connection; wrong keys come from many addresses, so that none is slowed down."""

    def __init__(self, port):
        self.port = port
        self.last = 1
        self.socket = None

    def renew(self):
        if self.socket:
            self.socket.close()
        self.last = self.last % 251 + 1  # a prime, so that every question comes from every address
        self.socket = socket.socket()
        self.socket.bind(("127.0.1.%d" % self.last, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", self.port))

    def ask(self, request):
        """(status, body, seconds)"""
        began = time.perf_counter()
        self.socket.sendall(request)
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self.socket.recv(65536)
        head, _, body = raw.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        if status == 101:
            return status, b"", 0.0
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            body += self.socket.recv(65536)
        return status, body, time.perf_counter() - began


def upgrade(app, session, key):
    target = "/v1/realtime?model=" + app + ("&session=" + session if session else "")
    lines = ["GET %s HTTP/1.1" % target, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
             "Authorization: Bearer " + key]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post_secret(line, key, body):
    text = json.dumps(body)
    line.renew()
    status, answer, _ = line.ask(("POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: localhost\r\n"
                                  "Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                                  % (key, len(text), text)).encode())
    assert status == 200, answer
    return json.loads(answer)


def open_session(port, app, key):
    """Makes a session that exists, and gives its id."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(upgrade(app, "", key))
        raw = b""
        while b'"session.created"' not in raw and b"sess_" not in raw:
            raw += s.recv(65536)
    return re.search(rb"sess_[A-Za-z0-9]+", raw)[0].decode()


def measure(line, pairs, rounds):
    times = {name: ([], []) for name, _, _ in pairs}
    bodies = {}
    dice = random.Random(1)
    for _ in range(rounds):
        for name, theirs, nobodys in pairs:
            line.renew()
            line.ask(HEALTH)  # a connection's first request costs more
            # Neither profits from what the other has warmed.
            order = [(0, theirs), (1, nobodys)]
            dice.shuffle(order)
            for which, request in order:
                status, body, seconds = line.ask(request)
                times[name][which].append(seconds * 1e6)
                bodies.setdefault(name, set()).add((status, body))
    return times, bodies


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    rounds = int(sys.argv[2]) if len(sys.argv) == 3 else 1000
    with tempfile.TemporaryDirectory() as folder:
        for name in KEYS:
            os.makedirs(os.path.join(folder, "apps", name))
            with open(os.path.join(folder, "apps", name, "app.jsonc"), "w") as f:
                json.dump(app_file(name), f)
        data = os.path.join(folder, "data")
        env = {**os.environ, "KEY_FIRST": KEYS["first"], "KEY_SECOND": KEYS["second"]}
        server = subprocess.Popen([sys.argv[1], "serve", "--config", os.path.join(folder, "apps"), "--data", data,
                                   "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True)
        try:
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())[1])
            line = Line(port)
            foreign = open_session(port, "second", KEYS["second"])
            other = open_session(port, "first", KEYS["first"])
            unknown = "sess_" + "z" * (len(foreign) - 5)
            client = post_secret(line, KEYS["first"], {})["value"]
            revoked = post_secret(line, KEYS["first"], {})["value"]
            subprocess.run([sys.argv[1], "keys", "revoke", revoked, "--data", data], check=True, capture_output=True)
            line.renew()
            while line.ask(upgrade("first", "", revoked))[0] == 101:
                line.renew()
            first = KEYS["first"]
            pairs = [("server key: app of another / no app", upgrade("second", "", first),
                      upgrade("nobody", "", first)),
                     ("server key: session of another app / no session", upgrade("first", foreign, first),
                      upgrade("first", unknown, first)),
                     ("client key: another session / no session", upgrade("first", other, client),
                      upgrade("first", unknown, client)),
                     ("wrong key: app that there is / no app", upgrade("second", "", "x" * 40),
                      upgrade("nobody", "", "x" * 40)),
                     ("revoked client key: its app / no app", upgrade("first", "", revoked),
                      upgrade("nobody", "", revoked))]
            measure(line, pairs, 20)
            times, bodies = measure(line, pairs, rounds)
        finally:
            server.terminate()
            server.wait(15)
    print("%d rounds of each, load %.1f, %d cores\n" % (rounds, os.getloadavg()[0], os.cpu_count()))
    print("| question | status | same body | theirs, median us | nobody's, median us | difference | same against itself |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (theirs, nobodys) in times.items():
        apart = statistics.median(theirs) - statistics.median(nobodys)
        itself = statistics.median(theirs[::2]) - statistics.median(theirs[1::2])
        status = ", ".join(sorted({str(status) for status, _ in bodies[name]}))
        print("| %s | %s | %s | %.0f | %.0f | %+.1f | %+.1f |" % (
            name, status, "yes" if len(bodies[name]) == 1 else "NO", statistics.median(theirs),
            statistics.median(nobodys), apart, itself))


if __name__ == "__main__":
    main()
