#!/usr/bin/env python3
"""Who may enter a real server: keys made and revoked beside it, client keys, the admin credential, limits, TLS.

access.py SERVER_BINARY [CONFIG_FOLDER] starts servers on free ports with data folders of their own, runs every
check and expects clean exits. Needs python3 and openssl. Prints each failure and "N passed, M failed".
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import raw_client
from raw_client import KEY, Server, WebSocket, ask, bearer, upgrade

PATIENCE_S = 30
ADMIN_KEY = "an-admin-key-of-the-tests"
binary = config = None


def until(condition, what):
    """Waits for what another process does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("waited %s s for %s" % (PATIENCE_S, what))


def run(*arguments):
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, "%s: %s" % (" ".join(arguments), done.stderr)
    return done.stdout.strip()


def post_secret(body, key=KEY):
    data = json.dumps(body)
    return ask("POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
               "Content-Length: %d\r\n\r\n%s" % (key, len(data), data))


def with_key(key):
    return "Authorization: Bearer %s\r\n" % key


def try_open(key, query=""):
    """The status of an upgrade, and the body of a refusal."""
    with raw_client.connect() as s:
        s.sendall(upgrade("/v1/realtime?model=moving" + query, with_key(key) if key else "").encode())
        reply, _ = raw_client.read_reply(s)
    return reply.status, reply.body


def open_socket(key, query=""):
    return WebSocket(upgrade("/v1/realtime?model=moving" + query, with_key(key)))


def close_of(ws):
    """Code and reason, past all that comes before."""
    while True:
        opcode, data = ws.frame()
        if opcode == 8:
            return int.from_bytes(data[:2], "big"), data[2:].decode()


def metric(name, fields=""):
    text = ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % fields, raw_client.server.admin).body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


# -- a plain server ----------------------------------------------------------------------------------

def a_client_key_opens_its_session_and_no_other(data):
    made = post_secret({"expires_after": {"anchor": "created_at", "seconds": 600},
                        "session": {"type": "realtime", "model": "moving", "instructions": "Speak slowly."},
                        "sidevoice": {"user": "ada"}})
    assert made.status == 200, made.body
    secret = made.json()
    assert secret["value"].startswith("ek_") and secret["session"]["instructions"] == "Speak slowly."
    for _ in range(2):  # it is reusable
        with open_socket(secret["value"]) as ws:
            session = ws.event("session.created")["session"]
            assert session["id"] == secret["session"]["id"]
            assert session["instructions"] == "Speak slowly."
            ws.socket.sendall(raw_client.frame(json.dumps(
                {"type": "session.update", "session": {"type": "realtime", "instructions": "Faster."}})))
            error = ws.event("error")["error"]
            assert error["param"] == "session.instructions" and error["code"] == "field_not_allowed"
    unknown = try_open(secret["value"], "&session=sess_unknown")
    with open_socket(KEY) as other:
        foreign = other.event("session.created")["session"]["id"]
        assert try_open(secret["value"], "&session=" + foreign) == unknown
    assert unknown[0] == 404
    assert try_open("ek_wrong")[0] == 401
    assert post_secret({}, secret["value"]).body == post_secret({}, "ek_wrong").body


def another_sessions_ids_are_unknown_to_every_message(data):
    """Each message that names something, with ids of another session and with ids of nobody."""
    def make_item(ws):
        ws.event("session.created")
        ws.socket.sendall(raw_client.frame(json.dumps(
            {"type": "conversation.item.create",
             "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}})))
        return ws.event("conversation.item.done")["item"]["id"]

    messages = [{"type": "conversation.item.retrieve", "item_id": None},
                {"type": "conversation.item.delete", "item_id": None},
                {"type": "conversation.item.create", "previous_item_id": None,
                 "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}},
                {"type": "response.cancel", "response_id": None}]
    with open_socket(KEY) as mine, open_socket(KEY) as theirs:
        make_item(mine)
        foreign = make_item(theirs)
        unknown = foreign[:-4] + "zzzz"
        for message in messages:
            answers = []
            for identity in (foreign, unknown):
                asked = {k: identity if v is None else v for k, v in message.items()}
                mine.socket.sendall(raw_client.frame(json.dumps({**asked, "event_id": "e"})))
                error = mine.event("error")["error"]
                answers.append(json.dumps(error).replace(identity, "ID"))
            assert answers[0] == answers[1], "%s: %s" % (message["type"], answers)


def keys_are_made_and_revoked_beside_the_server(data):
    key = run("keys", "create", "--app", "moving", "--name", "backend", "--data", data)
    assert key.startswith("sv_") and "\n" not in key
    until(lambda: try_open(key)[0] == 101, "the new key")
    listed = run("keys", "list", "--data", data)
    assert key not in listed and "backend" in listed and "good" in listed
    identity = next(word for word in listed.split() if word.startswith("key_"))
    with open(os.path.join(data, "sidevoice.db"), "rb") as f, open(os.path.join(data, "sidevoice.db-wal"), "rb") as w:
        stored = f.read() + w.read()
    assert key.encode() not in stored, "the key itself was stored"
    with open_socket(key) as ws, open_socket(KEY) as other:
        ws.event("session.created")
        other.event("session.created")
        before = metric("sidevoice_connections_revoked_total")
        began = time.monotonic()
        run("keys", "revoke", identity, "--data", data)
        assert close_of(ws) == (1008, "key revoked")
        print("revoked server key: its socket was closed after %.2f s" % (time.monotonic() - began))
        assert try_open(key) == try_open("sv_wrong")
        assert metric("sidevoice_connections_revoked_total") == before + 1
        other.socket.sendall(raw_client.frame(json.dumps({"type": "nonsense"})))
        other.event("error")  # still open
    assert "revoked" in run("keys", "list", "--data", data)


def a_client_key_is_revoked_with_its_sockets(data):
    secret = post_secret({}).json()
    with open_socket(secret["value"]) as ws:
        ws.event("session.created")
        run("keys", "revoke", secret["value"], "--data", data)
        assert close_of(ws) == (1008, "key revoked")
    assert try_open(secret["value"]) == try_open("ek_wrong")
    second = post_secret({}).json()
    run("keys", "revoke", second["sidevoice"]["key"], "--app", "moving", "--data", data)
    until(lambda: try_open(second["value"])[0] == 401, "the revocation by id")


def too_many_sockets_of_a_session_are_refused(data):
    secret = post_secret({}).json()["value"]
    sockets = [open_socket(secret) for _ in range(16)]
    try:
        with raw_client.connect() as s:
            s.sendall(upgrade("/v1/realtime?model=moving", with_key(secret)).encode())
            reply, _ = raw_client.read_reply(s)
        assert reply.status == 429 and int(reply.fields["retry-after"]) > 0
        assert reply.json()["error"]["code"] == "session_connections_limit"
        assert metric("sidevoice_requests_limited_total") >= 1
    finally:
        for ws in sockets:
            ws.socket.close()
    until(lambda: try_open(secret)[0] == 101, "room for the session")


def a_flood_of_messages_ends_the_connection(data):
    with open_socket(KEY) as ws:
        ws.event("session.created")
        ended = []
        reader = threading.Thread(target=lambda: ended.append(close_of(ws)))
        reader.start()
        flood = raw_client.frame('{"type":"x"}') * 500
        try:
            for _ in range(40):
                ws.socket.sendall(flood)
        except OSError:
            pass  # closed meanwhile
        reader.join(PATIENCE_S)
    assert ended == [(1008, "connection_messages_limit")], ended
    assert metric("sidevoice_connections_limited_total") >= 1


# -- TLS ---------------------------------------------------------------------------------------------

def make_certificate(folder, serial):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-set_serial", str(serial),
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem")],
                   check=True, capture_output=True)
    os.chmod(os.path.join(folder, "key.pem"), 0o600)


def context_of(folder, **versions):
    import ssl
    context = ssl.create_default_context(cafile=os.path.join(folder, "cert.pem"))
    for name, value in versions.items():
        setattr(context, name, value)
    return context


def https_and_wss_work(folder):
    import ssl
    assert ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200
    with WebSocket(upgrade("/v1/realtime?model=moving", bearer())) as ws:
        ws.event("session.created")
        assert ws.socket.version() in ("TLSv1.2", "TLSv1.3")
    raw_client.server.tls = context_of(folder, maximum_version=ssl.TLSVersion.TLSv1_2)
    with raw_client.connect() as s:
        assert s.version() == "TLSv1.2" and s.cipher()[0].startswith("ECDHE-")
    raw_client.server.tls = context_of(folder)


def old_tls_and_weak_ciphers_are_refused(folder):
    import ssl
    for change in ({"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1},):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        for name, value in change.items():
            setattr(context, name, value)
        raw_client.server.tls = context
        try:
            raw_client.connect().close()
            raise AssertionError("TLS 1.1 was taken")
        except ssl.SSLError:
            pass
    context = context_of(folder, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA:AES128-GCM-SHA256")
    raw_client.server.tls = context
    try:
        raw_client.connect().close()
        raise AssertionError("a cipher without forward secrecy was taken")
    except ssl.SSLError:
        pass
    finally:
        raw_client.server.tls = context_of(folder)


def plain_http_on_the_tls_port_is_told_so(folder):
    tls, raw_client.server.tls = raw_client.server.tls, None
    try:
        with raw_client.connect() as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            raw, closed = raw_client.read_to_end(s)
        reply = raw_client.Reply(raw)
        assert reply.status == 400 and reply.json()["error"]["code"] == "tls_required" and closed
        with raw_client.connect() as s:
            s.sendall(b"\x16\x03\x01\x00\x05hello")
            assert raw_client.read_to_end(s)[1], "garbage in a handshake left the connection open"
    finally:
        raw_client.server.tls = tls


def a_new_certificate_is_taken_without_touching_connections(folder):
    def serial():
        with raw_client.connect() as s:
            return s.getpeercert()["serialNumber"]

    with WebSocket(upgrade("/v1/realtime?model=moving", bearer())) as ws:
        ws.event("session.created")
        assert serial() == "0A"
        make_certificate(folder, 11)
        raw_client.server.tls = context_of(folder)
        raw_client.server.process.send_signal(signal.SIGHUP)

        def is_new():
            try:
                return serial() == "0B"
            except OSError:
                return False
        until(is_new, "the new certificate by SIGHUP")
        make_certificate(folder, 12)
        raw_client.server.tls = context_of(folder)

        def is_newest():
            try:
                return serial() == "0C"
            except OSError:
                return False
        until(is_newest, "the new certificate by its change")
        # A broken file changes nothing.
        with open(os.path.join(folder, "key.pem"), "w") as f:
            f.write("broken")
        raw_client.server.process.send_signal(signal.SIGHUP)
        assert serial() == "0C"
        ws.socket.sendall(raw_client.frame(json.dumps({"type": "nonsense"})))
        ws.event("error")


def the_admin_port_needs_its_key(folder):
    admin = raw_client.server.admin
    refusals = set()
    for path in ("/metrics", "/debug/tree", "/healthz", "/nothing"):
        for fields in ("", with_key("wrong"), with_key(KEY)):
            reply = ask("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path, fields), admin)
            assert reply.status == 401, path
            refusals.add(reply.body)
    assert len(refusals) == 1
    assert metric("sidevoice_uptime_seconds", with_key(ADMIN_KEY)) >= 0
    assert ask("GET /nothing HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % with_key(ADMIN_KEY), admin).status == 404


def files_that_do_not_fit_keep_the_server_from_starting(folder):
    other = os.path.join(folder, "other")
    os.makedirs(other)
    make_certificate(other, 20)
    open_key = os.path.join(other, "open.pem")
    with open(os.path.join(other, "key.pem")) as f, open(open_key, "w") as copy:
        copy.write(f.read())
    os.chmod(open_key, 0o644)
    cases = [(os.path.join(folder, "cert.pem"), os.path.join(other, "key.pem"), "is not the key of"),
             (os.path.join(folder, "nothing.pem"), os.path.join(other, "key.pem"), "--tls-certificate"),
             (os.path.join(other, "key.pem"), os.path.join(other, "key.pem"), "no certificate"),
             (os.path.join(other, "cert.pem"), open_key, "chmod o-r"),
             (os.path.join(other, "cert.pem"), "", "--tls-key")]
    for certificate, key, words in cases:
        done = subprocess.run([binary, "serve", "--config", config, "--data", os.path.join(other, "data"), "--listen",
                               "127.0.0.1:0", "--admin-listen", "", "--tls-certificate", certificate, "--tls-key", key],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 2 and words in done.stderr, "%r: %s" % (words, done.stderr)


PLAIN = [a_client_key_opens_its_session_and_no_other, another_sessions_ids_are_unknown_to_every_message,
         keys_are_made_and_revoked_beside_the_server, a_client_key_is_revoked_with_its_sockets,
         too_many_sockets_of_a_session_are_refused, a_flood_of_messages_ends_the_connection]
SECURE = [https_and_wss_work, files_that_do_not_fit_keep_the_server_from_starting,
          old_tls_and_weak_ciphers_are_refused, plain_http_on_the_tls_port_is_told_so,
          the_admin_port_needs_its_key, a_new_certificate_is_taken_without_touching_connections]


def run_all(checks, folder, where, flags=(), tls=None):
    failed = 0
    server = raw_client.server = Server(binary, where, folder, flags, tls)
    try:
        server.wait_until_ready()
        server.app = "moving"
        for check in checks:
            try:
                check(folder)
            except Exception as why:  # noqa: BLE001: whatever it is, the check has failed
                failed += 1
                print("FAILED %s: %s: %s" % (check.__name__.replace("_", " "), type(why).__name__, why))
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(15)
        if code != 0:
            failed += 1
            print("FAILED: the server ended with %s" % code)
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    return len(checks) - failed, failed


def main():
    global binary, config
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    binary, config = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else os.path.join(root, "apps")
    with tempfile.TemporaryDirectory(prefix="sidevoice-access-") as data:
        passed, failed = run_all(PLAIN, data, config)
    with tempfile.TemporaryDirectory(prefix="sidevoice-tls-") as folder:
        make_certificate(folder, 10)
        os.environ["ADMIN_KEY_OF_TEST"] = ADMIN_KEY
        settings = os.path.join(folder, "sidevoice.jsonc")
        with open(settings, "w") as f:
            json.dump({"apps": os.path.abspath(config), "admin": {"keys": ["${env:ADMIN_KEY_OF_TEST}"]},
                       "tls": {"certificate": "cert.pem", "key": "key.pem"}}, f)
        more = run_all(SECURE, folder, settings, tls=context_of(folder))
    passed, failed = passed + more[0], failed + more[1]
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
