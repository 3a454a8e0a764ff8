#!/usr/bin/env python3
"""Talks to a real server over raw sockets: the HTTP and WebSocket rules that libraries leave to us.

raw_http.py SERVER_BINARY [CONFIG_FOLDER] starts the server on free ports with a data folder of its own, runs
every check, stops the server and expects a clean exit. Prints each failure and "N passed, M failed".
"""
import base64
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

KEY = "raw-http-test-key"
CHECKS = []
server = None


def check(f):
    CHECKS.append(f)
    return f


class Server:
    """The server under test, and what it said where it listens."""

    def __init__(self, binary, config, data):
        command = [binary, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", data,
                   "--admin-listen", "127.0.0.1:0"]
        environment = {**os.environ, "MOVING_KEY": KEY}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        self.port = self.admin = 0
        for line in self.process.stdout:
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+) \(admin http://127\.0\.0\.1:(\d+)\)", line)
            if found:
                self.port, self.admin = int(found[1]), int(found[2])
                break
        if not self.port:
            raise SystemExit("the server said nowhere that it listens; exit code %s" % self.process.wait())
        # Whatever it prints later must not fill the pipe.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def wait_until_ready(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if ask("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200:
                return
            threading.Event().wait(0.05)
        raise SystemExit("the server was not ready within 30 s")


class Reply:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ")
        self.status = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields[name.strip().lower()] = value.strip()

    def json(self):
        return json.loads(self.body)


def connect(port=None):
    return socket.create_connection(("127.0.0.1", port or server.port), timeout=8)


def read_to_end(s):
    raw = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return raw, True
            raw += piece
    except socket.timeout:
        return raw, False


def read_reply(s):
    """One response with its Content-Length; what follows it is given back too."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = s.recv(65536)
        if not piece:
            return Reply(raw), b""
        raw += piece
    reply = Reply(raw)
    length = int(reply.fields.get("content-length", 0))
    while len(reply.body) < length:
        piece = s.recv(65536)
        if not piece:
            break
        reply.body += piece
    rest, reply.body = reply.body[length:], reply.body[:length]
    return reply, rest


def ask(text, port=None):
    with connect(port) as s:
        s.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        return read_reply(s)[0]


def expect_refused(text, status):
    """The refusal comes, and the connection ends: nothing behind it is taken for a request."""
    with connect() as s:
        s.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        raw, closed = read_to_end(s)
    reply = Reply(raw)
    assert reply.status == status, "%s instead of %s" % (reply.status, status)
    assert closed, "the connection stayed open"
    assert raw.count(b"HTTP/1.1 ") == 1, "more than one response: %r" % raw
    error = reply.json()["error"]
    assert error["message"] and error["code"] and "param" in error and "type" in error
    return reply


# -- WebSocket ---------------------------------------------------------------------------------------

GOOD_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def upgrade(target, extra="", key=GOOD_KEY, version="13", method="GET", http="1.1", host="localhost"):
    lines = ["%s %s HTTP/%s" % (method, target, http), "Host: " + host, "Connection: Upgrade",
             "Upgrade: websocket"]
    if key is not None:
        lines.append("Sec-WebSocket-Key: " + key)
    if version is not None:
        lines.append("Sec-WebSocket-Version: " + version)
    return "\r\n".join(lines) + "\r\n" + extra + "\r\n"


def bearer():
    return "Authorization: Bearer %s\r\n" % KEY


def realtime():
    return "/v1/realtime?model=" + server.app


def frame(payload, opcode=1, fin=True, masked=True):
    data = payload if isinstance(payload, bytes) else payload.encode()
    first = (0x80 if fin else 0) | opcode
    size = len(data)
    flag = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    if not masked:
        return head + data
    mask = b"\x01\x02\x03\x04"
    repeated = (mask * (size // 4 + 1))[:size]
    mixed = (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
    return head + mask + mixed


class WebSocket:
    def __init__(self, text=None, early=b""):
        self.socket = connect()
        self.socket.sendall((text or upgrade(realtime(), bearer())).encode() + early)
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.buffer += piece
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.reply = Reply(head + b"\r\n\r\n")
        assert self.reply.status == 101, "status %s: %r" % (self.reply.status, self.buffer)

    def take(self, size):
        while len(self.buffer) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError
            self.buffer += piece
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def frame(self):
        first, second = self.take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self.take(8))[0]
        return first & 0x0F, self.take(size)

    def event(self, kind=None):
        while True:
            opcode, data = self.frame()
            if opcode == 8:
                raise EOFError("closed: %r" % data)
            if opcode == 1:
                event = json.loads(data)
                if kind is None or event["type"] == kind:
                    return event

    def close_code(self):
        while True:
            opcode, data = self.frame()
            if opcode == 8:
                return struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 1005

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()


# -- HTTP --------------------------------------------------------------------------------------------

@check
def health_and_readiness_answer():
    assert ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").json() == {"status": "ok"}
    assert ask("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").json() == {"ready": True}


@check
def two_requests_share_a_connection_also_when_sent_at_once():
    one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect() as s:
        for _ in range(2):
            s.sendall(one.encode())
            assert read_reply(s)[0].status == 200
        s.sendall((one + one.replace("GET", "HEAD") + one.replace("/healthz", "/nothing")).encode())
        s.shutdown(socket.SHUT_WR)
        raw, closed = read_to_end(s)
    assert [m.decode() for m in re.findall(rb"HTTP/1\.1 (\d+)", raw)] == ["200", "200", "404"], raw
    assert closed


@check
def a_client_that_wants_to_close_or_speaks_1_0_gets_a_close():
    for text in ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                 "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"):
        with connect() as s:
            s.sendall(text.encode())
            raw, closed = read_to_end(s)
        assert Reply(raw).status == 200 and closed
        assert Reply(raw).fields["connection"] == "close"


@check
def a_body_that_nobody_wants_is_read_and_the_next_request_found():
    with connect() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
                  b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"3\r\nabc\r\n0\r\n\r\n"
                  b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        raw, closed = read_to_end(s)
    assert [m.decode() for m in re.findall(rb"HTTP/1\.1 (\d+)", raw)] == ["200", "200", "404"], raw
    assert closed


@check
def smuggling_is_refused_and_what_follows_is_no_request():
    hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for fields in ("Transfer-Encoding: chunked, identity", "Transfer-Encoding: xchunked",
                   "Transfer-Encoding: identity", "Transfer-Encoding: chunked, chunked",
                   "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                   "Transfer-Encoding: gzip, chunked", "Transfer-Encoding:\x0bchunked",
                   "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked\r\nContent-Length: 3",
                   "Content-Length: 3\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\nContent-Length: 4",
                   "Content-Length: 3\r\nContent-Length: 3", "Content-Length: 3, 3", "Content-Length: +3",
                   "Content-Length: -1", "Content-Length: 0x3", "Content-Length : 3",
                   "Content-Length: 99999999999999999999999"):
        try:
            expect_refused("POST /healthz HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n0\r\n\r\n%s" % (fields, hidden), 400)
        except AssertionError as why:
            raise AssertionError("%r: %s" % (fields, why)) from why


@check
def broken_chunks_are_refused():
    for body in ("zz\r\nabc\r\n", "3 x\r\nab", "-1\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "ffffffffffffffffff\r\n"):
        expect_refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body, 400)


@check
def exactly_one_host():
    expect_refused("GET /healthz HTTP/1.1\r\n\r\n", 400)
    expect_refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400)
    expect_refused("GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400)
    expect_refused("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 400)


@check
def what_is_no_http_gets_400_and_a_close():
    for text in (b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 64 + b"\r\n\r\n",
                 b"GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /healthz\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nBad Name: 1\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
                 b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET /health\x80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        expect_refused(text, 400)


@check
def other_versions_are_refused():
    for version in ("HTTP/2.0", "HTTP/0.9", "HTTP/1.2"):
        assert expect_refused("GET /healthz %s\r\nHost: localhost\r\n\r\n" % version, 505)


@check
def an_oversize_header_gets_431():
    expect_refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + "a" * (17 << 10) + "\r\n\r\n", 431)
    expect_refused("GET /" + "a" * (17 << 10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431)
    many = "".join("X-%d: y\r\n" % i for i in range(3000))
    expect_refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n", 431)
    fits = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + "a" * (15 << 10) + "\r\n\r\n"
    assert ask(fits).status == 200


@check
def an_oversize_body_gets_413():
    expect_refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + "a" * 1000, 413)
    chunks = ("4000\r\n" + "a" * 0x4000 + "\r\n") * 6
    expect_refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 413)


@check
def expect_is_answered_at_once():
    expect_refused("POST /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 417)


@check
def a_known_path_with_another_method_gets_405_and_allow():
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "NONSENSE"):
        for path, allow in (("/healthz", "GET, HEAD"), ("/v1/apps", "GET, HEAD")):
            reply = ask("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" % (method, path))
            assert reply.status == 405, "%s %s: %s" % (method, path, reply.status)
            assert reply.fields["allow"] == allow
            assert reply.json()["error"]["code"] == "method_not_allowed"
    assert ask("TRACE /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 405
    assert ask("POST /v1/realtime HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").fields["allow"] == "GET"
    assert ask("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").json()["error"]["code"] == "not_found"


@check
def no_path_leads_out_of_the_folder():
    for target in ("/../CMakeLists.txt", "/..%2fCMakeLists.txt", "/%2e%2e/CMakeLists.txt", "/%2e%2e%2fLICENSE",
                   "/clients/js/../../LICENSE", "/clients/js/..%2f..%2fLICENSE", "/....//LICENSE", "//etc/passwd",
                   "/%2fetc%2fpasswd", "/..%5c..%5cLICENSE", "/.git/config", "/%2egit/config", "/clients/js/package.json",
                   "/index.html/..", "/index.html%00.js", "/%c0%ae%c0%ae/LICENSE", "/..;/LICENSE", "/clients/", "/."):
        reply = ask("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target)
        assert reply.status in (400, 404), "%s: %s" % (target, reply.status)
        assert reply.json()["error"]["message"]


@check
def nothing_of_the_inside_is_on_the_public_port():
    for path in ("/metrics", "/debug/tree", "/debug", "/admin"):
        assert ask("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path).status == 404
    reply = ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert "server" not in reply.fields


@check
def the_admin_port_answers_loopback_names_only():
    metrics = ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", server.admin)
    assert metrics.status == 200 and metrics.fields["content-type"].startswith("text/plain")
    assert b"sidevoice_requests_refused_total " in metrics.body and b"process_open_fds " in metrics.body
    tree = ask("GET /debug/tree HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", server.admin)
    assert tree.status == 200 and isinstance(tree.json()["entries"], list)
    assert ask("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", server.admin).status == 403
    assert ask("POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", server.admin).status == 405
    assert ask("GET /v1/apps HTTP/1.1\r\nHost: localhost\r\n\r\n", server.admin).status == 404


@check
def a_slow_header_ends_after_ten_seconds():
    begun = time.monotonic()
    with connect() as s:
        s.settimeout(20)
        s.sendall(b"GET /healthz HTTP/1.1\r\n")
        stop = threading.Event()

        def drip():
            try:
                while not stop.wait(1):
                    s.sendall(b"X-Slow: 1\r\n")
            except OSError:
                pass

        threading.Thread(target=drip, daemon=True).start()
        try:
            raw, _ = read_to_end(s)
        except ConnectionResetError:
            raw = b""
        stop.set()
    took = time.monotonic() - begun
    assert 8 < took < 14 and not raw, "%.1f s, %r" % (took, raw)


@check
def a_small_answer_does_not_wait_for_acknowledgements():
    s = http.client.HTTPConnection("127.0.0.1", server.port)
    begun = time.monotonic()
    for _ in range(60):
        s.request("GET", "/healthz")
        s.getresponse().read()
    s.close()
    # Without TCP_NODELAY each round would stall about 40 ms: 2.4 s.
    assert time.monotonic() - begun < 2


# -- WebSocket ---------------------------------------------------------------------------------------

@check
def an_upgrade_is_accepted_as_the_protocol_says():
    with WebSocket() as ws:
        digest = hashlib.sha1((GOOD_KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert ws.reply.fields["sec-websocket-accept"] == base64.b64encode(digest).decode()
        assert "sec-websocket-protocol" not in ws.reply.fields
        assert "sec-websocket-extensions" not in ws.reply.fields
        assert ws.event()["type"] == "session.created"


@check
def a_key_that_is_not_16_bytes_or_comes_twice_is_refused():
    for key in (None, "", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZTEyMw==", "!" * 24):
        expect_refused(upgrade(realtime(), bearer(), key=key), 400)
    expect_refused(upgrade(realtime(), bearer() + "Sec-WebSocket-Key: %s\r\n" % GOOD_KEY), 400)


@check
def other_websocket_versions_get_426():
    for version in (None, "8", "12", "14", "x"):
        reply = expect_refused(upgrade(realtime(), bearer(), version=version), 426)
        assert reply.fields["sec-websocket-version"] == "13"


@check
def only_get_and_http_1_1_upgrade():
    assert ask(upgrade(realtime(), bearer() + "Content-Length: 0\r\n", method="POST")).status == 405
    expect_refused(upgrade(realtime(), bearer(), http="1.0"), 400)
    expect_refused(upgrade(realtime(), bearer() + "Content-Length: 5\r\n") + "hello", 400)
    expect_refused(upgrade(realtime(), bearer() + "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400)
    assert ask("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (realtime(), bearer())).status == 426


@check
def a_wrong_key_is_refused_before_the_upgrade():
    reply = ask(upgrade(realtime(), "Authorization: Bearer wrong\r\n"))
    assert reply.status == 401 and reply.json()["error"]["code"] == "invalid_api_key"
    assert reply.json()["error"]["type"] == "invalid_request_error" and reply.json()["error"]["param"] is None
    reply = ask(upgrade("/v1/realtime?model=nowhere", bearer()))
    assert reply.status == 404 and reply.json()["error"]["code"] == "model_not_found"
    assert ask(upgrade("/v1/realtime", bearer())).status == 400


@check
def a_foreign_page_is_refused():
    for origin in ("https://evil.example", "null", "http://localhost:1"):
        assert ask(upgrade(realtime(), bearer() + "Origin: %s\r\n" % origin)).status == 403
    own = "localhost:%d" % server.port
    with WebSocket(upgrade(realtime(), bearer() + "Origin: http://%s\r\n" % own, host=own)) as ws:
        assert ws.event()["type"] == "session.created"
    other = "evil.example:%d" % server.port
    assert ask(upgrade(realtime(), bearer() + "Origin: http://%s\r\n" % other, host=other)).status == 403


@check
def an_unknown_session_is_404():
    unknown = ask(upgrade(realtime() + "&session=sess_0000000000000000000000", bearer()))
    assert unknown.status == 404 and unknown.json()["error"]["code"] == "session_not_found"
    strange = ask(upgrade(realtime() + "&session=..%2f..%2fx", bearer()))
    assert strange.body == unknown.body


@check
def a_subprotocol_with_a_key_opens_and_is_not_echoed():
    offered = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.%s, openai-agents-sdk.0.20.0\r\n" % KEY
    with WebSocket(upgrade(realtime(), offered)) as ws:
        assert ws.reply.fields["sec-websocket-protocol"] == "realtime"
    with WebSocket(upgrade(realtime(), offered.replace("realtime,", "sidevoice.v1, realtime,"))) as ws:
        assert ws.reply.fields["sec-websocket-protocol"] == "sidevoice.v1"


@check
def frames_sent_with_the_request_are_not_lost():
    # More than one buffer of the WebSocket library, so that handing over a part would show.
    text = json.dumps({"type": "conversation.item.retrieve", "item_id": "item_none", "event_id": "early",
                       "padding": "x" * 6000})
    with WebSocket(early=frame(text) + frame("ping", opcode=9)) as ws:
        wanted = {"early", "ping"}
        while wanted:  # the ping is answered by the socket itself, so it may come first
            opcode, data = ws.frame()
            if opcode == 10:
                wanted.discard(data.decode())
            elif opcode == 1 and json.loads(data)["type"] == "error":
                wanted.discard(json.loads(data)["error"]["event_id"])


@check
def broken_frames_close_with_the_right_code():
    for data, code in ((frame("x", masked=False), 1002), (frame("x", opcode=3), 1002), (frame(b"\xff"), 1007),
                       (frame("x", opcode=0), 1002), (frame("x" * 126, opcode=9), 1002),
                       (b"\xf1\x81\x01\x02\x03\x04\x00", 1002), (frame(b"\x03", opcode=8), 1002),
                       (b"\x81\xff\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00", 1009)):
        with WebSocket() as ws:
            ws.event("session.created")
            ws.socket.sendall(data)
            got = ws.close_code()
            assert got == code, "%r: %s instead of %s" % (data[:20], got, code)


@check
def countless_fragments_close_with_1008():
    with WebSocket() as ws:
        ws.event("session.created")
        pieces = frame("x", fin=False) + frame("x", opcode=0, fin=False) * 5000
        ws.socket.sendall(pieces)
        assert ws.close_code() == 1008


@check
def a_close_is_answered_and_tcp_ends():
    with WebSocket() as ws:
        ws.event("session.created")
        ws.socket.sendall(frame(struct.pack("!H", 1000) + b"bye", opcode=8))
        assert ws.close_code() == 1000
        begun = time.monotonic()
        assert ws.socket.recv(1) == b""
        assert time.monotonic() - begun < 5


@check
def a_flood_from_one_client_does_not_keep_others_waiting():
    text = json.dumps({"type": "conversation.item.retrieve", "item_id": "item_none"})
    flood = frame(text) * 200
    with WebSocket() as noisy, WebSocket() as quiet:
        noisy.socket.settimeout(0.2)
        sent = 0
        try:
            while sent < 400:
                noisy.socket.sendall(flood)  # never reads what comes back
                sent += 1
        except OSError:
            pass  # held back, or closed as too slow
        quiet.event("session.created")
        begun = time.monotonic()
        quiet.socket.sendall(frame(text))
        quiet.event("error")
        took = time.monotonic() - begun
        assert took < 2, "%.1f s" % took


def find_app():
    apps = ask("GET /v1/apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % KEY).json()["apps"]
    assert apps, "no app is open to the test"
    names = [app["id"] for app in apps]
    return "moving" if "moving" in names else names[0]


def stop_is_clean():
    """Every WebSocket hears 1012, and the process ends by itself."""
    ws = WebSocket()
    ws.event("session.created")
    server.process.send_signal(signal.SIGTERM)
    assert ws.close_code() == 1012
    ws.socket.sendall(frame(struct.pack("!H", 1012), opcode=8))
    assert server.process.wait(15) == 0, "exit code %s" % server.process.returncode


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
    slow = threading.Thread(target=one, args=(a_slow_header_ends_after_ten_seconds,))
    slow.start()
    for f in checks:
        if f is not a_slow_header_ends_after_ten_seconds:
            one(f)
    slow.join()
    one(stop_is_clean)
    return len(checks) + 1 - len(failed), len(failed)


def main():
    global server
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    config = sys.argv[2] if len(sys.argv) == 3 else os.path.join(root, "apps")
    with tempfile.TemporaryDirectory(prefix="sidevoice-raw-") as data:
        server = Server(sys.argv[1], config, data)
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
