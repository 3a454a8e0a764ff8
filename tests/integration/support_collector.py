"""An OpenTelemetry collector of the test: takes OTLP over HTTP in JSON, and reads it with OpenTelemetry's own
definitions where they are installed (PyPI opentelemetry-proto)."""
import base64
import http.server
import json
import threading

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
except ImportError:
    json_format = None


def by_definition(body):
    """Reads a request as OpenTelemetry defines it: unknown fields and wrong types raise. OTLP writes ids in
    hexadecimal where protobuf's JSON has base64."""
    for resource in body["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key, size in (("traceId", 16), ("spanId", 8), ("parentSpanId", 8)):
                    if key in span:
                        raw = bytes.fromhex(span[key])
                        assert len(raw) == size and any(raw), f"{key} {span[key]}"
                        span[key] = base64.b64encode(raw).decode()
    return json_format.Parse(json.dumps(body), trace_service_pb2.ExportTraceServiceRequest())


class Span:
    def __init__(self, resource, span):
        self.resource = resource
        self.trace, self.id, self.parent = span["traceId"], span["spanId"], span.get("parentSpanId", "")
        self.name, self.kind = span["name"], span["kind"]
        self.start, self.end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        self.about = {a["key"]: next(iter(a["value"].values())) for a in span.get("attributes", [])}
        self.events = [e["name"] for e in span.get("events", [])]
        self.failure = span.get("status", {}).get("message", "")

    def __repr__(self):
        return f"{self.name} {self.about}"


class Collector:
    """`spans` is all that came. `status` is what it answers; `hang` lets it take a request and say nothing."""

    def __init__(self):
        self.spans, self.bodies, self.headers, self.faults = [], [], [], []
        self.status = 200
        self.hang = False
        self.read_by_definition = 0
        self.leave = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if outer.hang:
                    outer.leave.wait(120)
                    return
                outer.take(self.path, dict(self.headers), body)
                self.send_response(outer.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *unused):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *unused):
                pass  # the server has ended

        self.http = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        try:
            assert path == "/v1/traces", path
            assert headers.get("Content-Type") == "application/json", headers
            text = body.decode()
            request = json.loads(text)
            self.bodies.append(text)
            self.headers.append(headers)
            for part in request["resourceSpans"]:
                resource = {a["key"]: a["value"]["stringValue"] for a in part["resource"]["attributes"]}
                for scope in part["scopeSpans"]:
                    self.spans += [Span(resource, span) for span in scope["spans"]]
            if json_format is not None:
                read = by_definition(json.loads(text))
                assert read.resource_spans[0].scope_spans[0].spans[0].name
                self.read_by_definition += 1
        except Exception as why:  # noqa: BLE001: whatever it is, the request was wrong
            self.faults.append(f"{type(why).__name__}: {why}")

    def named(self, name):
        return [span for span in self.spans if span.name == name]

    def close(self):
        self.leave.set()
        self.http.shutdown()
        self.http.server_close()
