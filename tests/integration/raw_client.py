"""A server under test, and a client of raw sockets: HTTP and WebSocket by hand, so that they can be wrong on purpose."""
import json
import os
import re
import socket
import struct
import subprocess
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

    def __init__(self, binary, config, data, flags=(), tls=None):
        self.tls = tls  # an ssl.SSLContext, or None
        command = [binary, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", data,
                   "--admin-listen", "127.0.0.1:0", *flags]
        environment = {**os.environ, "MOVING_KEY": KEY}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        self.port = self.admin = 0
        for line in self.process.stdout:
            found = re.search(r"listening on https?://127\.0\.0\.1:(\d+) \(admin http://127\.0\.0\.1:(\d+)\)", line)
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
    plain = socket.create_connection(("127.0.0.1", port or server.port), timeout=8)
    if server.tls is None or port == server.admin:
        return plain
    return server.tls.wrap_socket(plain, server_hostname="localhost")


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
