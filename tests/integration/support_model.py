"""A model server by hand, for what a script of the fake provider cannot say: raw bytes, or an answer that a function
makes from the request."""
import http.server
import json
import threading


def sse(text="", calls=()):
    """A streamed answer: text, then whole calls [(name, arguments)]."""
    def chunk(delta, reason=None):
        return b"data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [
            {"index": 0, "delta": delta, "finish_reason": reason}]}).encode() + b"\n\n"
    out = chunk({"role": "assistant", "content": text}) if text else b""
    for n, (name, arguments) in enumerate(calls):
        arguments = arguments if isinstance(arguments, str) else json.dumps(arguments)
        out += chunk({"tool_calls": [{"index": n, "id": f"call_{threading.get_ident()}_{n}", "type": "function",
                                      "function": {"name": name, "arguments": arguments}}]})
    return out + chunk({}, "tool_calls" if calls else "stop") + b"data: [DONE]\n\n"


class ModelServer:
    """POST /v1/chat/completions is answered with the bytes of `say`, else of `think(body)`, else "Fine."."""

    def __init__(self, think=None):
        self.think = think
        self.bytes = None
        self.requests = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
                with outer.lock:
                    outer.requests.append((dict(self.headers), body))
                answer = outer.bytes or (outer.think(body) if outer.think else sse("Fine."))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except OSError:
                    pass  # it has heard enough

            def log_message(self, *unused):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def say(self, data):
        self.bytes = data

    def close(self):
        self.http.shutdown()
        self.http.server_close()
