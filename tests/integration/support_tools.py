"""A web server as users of webhook tools write it: checks each call by Standard Webhooks and counts what ran."""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import threading
import time

try:
    import standardwebhooks
except ImportError:
    standardwebhooks = None

TOLERANCE_S = 300


def signature_fault(secret, headers, body, now=None):
    """Why the request is not to be trusted; empty: it is. By the text of the specification, version 1."""
    identity, stamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
    if not identity or not stamp or not headers.get("webhook-signature"):
        return "a webhook header is missing"
    if not stamp.isdigit() or abs((now or time.time()) - int(stamp)) > TOLERANCE_S:
        return "the timestamp is too far from now"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    for entry in headers["webhook-signature"].split(" "):
        version, _, value = entry.partition(",")
        if version == "v1" and hmac.compare_digest(value, wanted):
            return ""
    return "no signature fits"


def check_the_check():
    """The specification's own example holds, and nothing near it."""
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
               "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert signature_fault(secret, headers, body, now=1614265330) == ""
    assert signature_fault(secret, headers, body + b" ", now=1614265330)
    assert signature_fault(secret, headers, body, now=1614265330 + TOLERANCE_S + 1)
    assert signature_fault(secret, {**headers, "webhook-id": "msg_other"}, body, now=1614265330)
    assert signature_fault("whsec_" + base64.b64encode(b"another").decode(), headers, body, now=1614265330)
    assert signature_fault(secret, {k: v for k, v in headers.items() if "sign" not in k}, body, now=1614265330)


class ToolServer:
    """Answers POST /NAME. `answers[NAME]` is a function (handler, call) -> None that writes the answer; without one
    the tool answers {"done": NAME}. `ran` counts by (name, webhook-id)."""

    def __init__(self, secret):
        self.secret = secret
        self.answers = {}
        self.ran = collections.Counter()
        self.calls = []
        self.faults = []
        self.judged_by_package = 0
        self.lock = threading.Lock()
        self.leave = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.take(self, body)

            def do_GET(self):
                outer.faults.append(f"GET {self.path}: nobody was to be sent here")
                self.answer(200, "{}")

            def answer(self, status, text, content_type="application/json", **headers):
                data = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *unused):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *unused):
                pass  # the caller was killed

        self.http = Listener(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def take(self, handler, body):
        fault = signature_fault(self.secret, handler.headers, body)
        if standardwebhooks is not None:
            try:
                standardwebhooks.Webhook(self.secret).verify(body, dict(handler.headers))
                self.judged_by_package += 1
            except Exception as why:  # noqa: BLE001
                fault = fault or f"PyPI standardwebhooks: {why}"
        if fault:
            self.faults.append(fault)
            return handler.answer(401, json.dumps({"error": fault}))
        call = json.loads(body)
        name = handler.path.strip("/")
        with self.lock:
            if call["type"] != "tool.called" or call["data"]["call_id"] != handler.headers["webhook-id"]:
                self.faults.append(f"the body does not belong to its id: {body[:200]!r}")
            self.ran[name, handler.headers["webhook-id"]] += 1
            self.calls.append((name, call["data"]))
        answer = self.answers.get(name)
        if answer:
            return answer(handler, call["data"])
        return handler.answer(200, json.dumps({"done": name}))

    def runs(self, name):
        """How often a tool ran, by the id of the call."""
        with self.lock:
            return {identity: count for (tool, identity), count in self.ran.items() if tool == name}

    def close(self):
        self.leave.set()
        self.http.shutdown()
        self.http.server_close()
