"""The HTTP rules that libraries leave to us."""
import http.client
import re
import socket
import threading
import time

import raw_client
from raw_client import Reply, ask, check, connect, expect_refused, read_reply, read_to_end, realtime


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
    metrics = ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", raw_client.server.admin)
    assert metrics.status == 200 and metrics.fields["content-type"].startswith("text/plain")
    assert b"sidevoice_requests_refused_total " in metrics.body and b"process_open_fds " in metrics.body
    tree = ask("GET /debug/tree HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", raw_client.server.admin)
    assert tree.status == 200 and isinstance(tree.json()["entries"], list)
    assert ask("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", raw_client.server.admin).status == 403
    assert ask("POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", raw_client.server.admin).status == 405
    assert ask("GET /v1/apps HTTP/1.1\r\nHost: localhost\r\n\r\n", raw_client.server.admin).status == 404


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
    s = http.client.HTTPConnection("127.0.0.1", raw_client.server.port)
    begun = time.monotonic()
    for _ in range(60):
        s.request("GET", "/healthz")
        s.getresponse().read()
    s.close()
    # Without TCP_NODELAY each round would stall about 40 ms: 2.4 s.
    assert time.monotonic() - begun < 2
