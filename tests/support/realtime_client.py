"""A Realtime client on Python's standard library alone: one socket, blocking, for tests and chaos.

Speaks RFC 6455 as far as a client of ours needs it: text frames, pings, close.
"""
import base64
import json
import os
import re
import select
import socket
import struct
import subprocess
import time


class Closed(Exception):
    """The server ended the connection, or the socket broke."""


class RealtimeClient:
    """One WebSocket. `key` goes into the Authorization header; `protocols` are offered."""

    def __init__(self, port, path, key=None, protocols=(), timeout=20.0):
        self.timeout = timeout
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nonce = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {nonce}", "Sec-WebSocket-Version: 13"]
        if key:
            lines.append(f"Authorization: Bearer {key}")
        if protocols:
            lines.append("Sec-WebSocket-Protocol: " + ", ".join(protocols))
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self._more(time.monotonic() + timeout)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        if self.status != 101:
            raise Closed(f"refused with {self.status}: {self.buffer[:300]!r}")

    def _more(self, until):
        ready, _, _ = select.select([self.sock], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError("no frame within the deadline")
        try:
            part = self.sock.recv(65536)
        except OSError as fault:
            raise Closed(str(fault)) from fault
        if not part:
            raise Closed("the server is gone")
        self.buffer += part

    def _take(self, count, until):
        while len(self.buffer) < count:
            self._more(until)
        part, self.buffer = self.buffer[:count], self.buffer[count:]
        return part

    def send_frame(self, opcode, payload):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        key = (mask * (size // 4 + 1))[:size]
        body = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        try:
            self.sock.sendall(head + mask + body)
        except OSError as fault:
            raise Closed(str(fault)) from fault

    def send(self, event):
        self.send_frame(0x1, (event if isinstance(event, str) else json.dumps(event)).encode())

    def receive(self, timeout=None):
        """The next event; raises Closed or TimeoutError."""
        until = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            first, second = self._take(2, until)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self._take(2, until))[0]
            elif size == 127:
                size = struct.unpack(">Q", self._take(8, until))[0]
            payload = self._take(size, until)
            opcode = first & 0x0F
            if opcode == 0x9:
                self.send_frame(0xA, payload)
            elif opcode == 0x8:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Closed(f"closed with {code}: {payload[2:].decode(errors='replace')}")
            elif opcode == 0x1:
                return json.loads(payload)

    def until(self, kind, timeout=None):
        """Events up to the first whose type is `kind`; the last one is it."""
        seen = []
        until = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            seen.append(self.receive(max(0.01, until - time.monotonic())))
            if seen[-1]["type"] == kind:
                return seen

    def close(self):
        try:
            self.send_frame(0x8, struct.pack(">H", 1000))
        except Closed:
            pass
        self.sock.close()

    def cut(self):
        """Drops the line without a word, as a lost network does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """The real binary on ports of its own. `start` may be called again after `kill`.

    Without `shedding` it lets everybody in: a machine that is busy with other tests is no fault of the visitors.
    """

    def __init__(self, binary, config, data, args=(), env=None, shedding=False):
        self.binary, self.config, self.data = binary, config, data
        self.args = [*args, *([] if shedding else ["--no-shedding"])]
        self.env = dict(os.environ, **(env or {}))
        self.process = None
        self.port = 0
        self.admin_port = 0
        self.log_path = os.path.join(os.path.dirname(data), os.path.basename(data) + ".log")

    def start(self, deadline=60.0):
        begin = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--config", self.config, "--data", self.data,
                 "--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{self.admin_port}", *self.args],
                stdout=subprocess.PIPE, stderr=log, env=self.env, text=True)
        while time.monotonic() - begin < deadline:
            line = self.process.stdout.readline()
            if not line:
                break
            found = re.match(r"listening on http://127\.0\.0\.1:(\d+) \(admin http://127\.0\.0\.1:(\d+)\)", line)
            if found:
                self.port, self.admin_port = int(found[1]), int(found[2])
                return time.monotonic() - begin
        self.process.kill()
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            raise RuntimeError("the server did not start:\n" + log.read()[-2000:])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self, deadline=20.0):
        self.process.terminate()
        code = self.process.wait(deadline)
        self.process.stdout.close()
        return code
