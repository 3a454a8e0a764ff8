"""The WebSocket rules that libraries leave to us."""
import base64
import hashlib
import json
import struct
import time

import raw_client
from raw_client import GOOD_KEY, KEY, WebSocket, ask, bearer, check, expect_refused, frame, realtime, upgrade


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
    own = "localhost:%d" % raw_client.server.port
    with WebSocket(upgrade(realtime(), bearer() + "Origin: http://%s\r\n" % own, host=own)) as ws:
        assert ws.event()["type"] == "session.created"
    other = "evil.example:%d" % raw_client.server.port
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
