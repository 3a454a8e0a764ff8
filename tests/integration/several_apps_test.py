#!/usr/bin/env python3
"""Apps on one server do not answer for each other: a vendor that hangs, a wrong key or a full house of one app leaves
the other's turns as they were.

several_apps_test.py BINARY. Prints what came out, then "N passed, M failed".
"""
import sys
import tempfile
import time

from support import KEY, Checks, Closed, Fake, RealtimeClient, Server, Visitor, lost, of, replies, until, write_app

PLACES = 2
VENDOR_KEY = "key-of-the-fake-vendor"
# Nobody's own patience: so long a calm turn may take on a machine that is busy.
CALM_S = 20


def app(name, url, models, key=VENDOR_KEY, first_byte_ms=4000, **live):
    account = {"base_url": url, "key": "${env:%s}" % ("VENDOR_KEY" if key == VENDOR_KEY else "WRONG_KEY")}
    account.update(live.pop("account", {}))
    return {"app": name, "checklist": {"topics": [{"id": "name"}]},
            "models": {"conversation": models, "analyzer": ["rules"]},
            "live": {"access": {"server_keys": ["${env:TEST_KEY}"]}, "vendors": {"openai": account}, **live,
                     "failover": {"first_byte_ms": first_byte_ms, "stall_ms": 4000, "retry_vendor_after_s": 3600}}}


class World:
    def __init__(self, binary, folder):
        self.fake = Fake(binary, {"defaults": {"text": "Fine."},
                                  "rules": [{"match": {"model": "hangs"}, "answer": {"latency_ms": 600_000}}]},
                         key=VENDOR_KEY)
        url, few = self.fake.url, {"concurrency": PLACES}
        for one in (app("calm", url, ["openai:fine"]),
                    app("hangs", url, ["openai:hangs"], first_byte_ms=20_000, account=few),
                    app("hangs-but", url, ["openai:hangs", "rules"], account=few),
                    app("wrong-key", url, ["openai:fine"], key="wrong"),
                    app("full", url, ["rules"], limits={"sessions": 2})):
            write_app(folder, one)
        self.server = Server(binary, f"{folder}/apps", f"{folder}/data",
                             env={"TEST_KEY": KEY, "VENDOR_KEY": VENDOR_KEY, "WRONG_KEY": "nobody's"})
        self.server.start()
        self.calm = Visitor(self.server, "calm", name="calm")

    def open_at_the_vendor(self):
        return sum(r["state"] == "open" and r["body"].get("model") == "hangs" for r in self.fake.requests())

    def log(self):
        with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def calm_turn(self, text):
        begin = time.monotonic()
        events = self.calm.turn(text, CALM_S)
        assert replies(events) == ["Fine."], replies(events)
        return time.monotonic() - begin

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.fake.close()


def reasons(events):
    return [r["status"] + (":" + r["reason"] if r.get("reason") else "") for r in of(events, "response.done")]


def hung_vendor(world):
    """Six visitors, two places: two hold them for as long as a model may be silent, the others are told sooner."""
    visitors = [Visitor(world.server, "hangs", name=f"h{n}") for n in range(6)]
    for visitor in visitors:
        visitor.post("hello?")
    until(lambda: world.open_at_the_vendor() == PLACES, "the vendor's places to be taken")
    took = world.calm_turn("still there?")
    assert world.open_at_the_vendor() <= PLACES, "more calls than places"
    ends = [reasons(visitor.settle()) for visitor in visitors]
    print(f"   beside it a turn took {took * 1000:.0f} ms; the six ended as {ends}")
    # On a machine that is very slow the first places come free, so that a later visitor may hang itself.
    assert all(e in (["failed:first_byte"], ["failed:vendor_busy"]) for e in ends), ends
    assert ends.count(["failed:vendor_busy"]) >= 2, ends
    assert "reason=vendor_busy" in world.log()
    for visitor in visitors:
        assert not lost(visitor.events()), lost(visitor.events())
        visitor.close()
    world.calm_turn("and now?")


def next_model(world):
    """Where the app has another model, that answers those who find no place."""
    visitors = [Visitor(world.server, "hangs-but", name=f"n{n}") for n in range(5)]
    for visitor in visitors:
        visitor.post("My name is Anna Schmidt")
    for visitor in visitors:
        events = visitor.settle()
        assert reasons(events)[-1] == "completed" and replies(events)[-1], reasons(events)
        visitor.close()
    # From now on the vendor is left out for all of this app, and asked for the other as before.
    visitor = Visitor(world.server, "hangs-but", name="later")
    before = len([r for r in world.fake.requests() if r["body"].get("model") == "hangs"])
    assert reasons(visitor.turn("hello again"))[-1] == "completed"
    after = len([r for r in world.fake.requests() if r["body"].get("model") == "hangs"])
    assert after == before, "a vendor that hangs was asked again at once"
    visitor.close()
    world.calm_turn("you too?")


def wrong_key(world):
    visitor = Visitor(world.server, "wrong-key", name="w")
    for text in ("one", "two", "three"):
        assert reasons(visitor.turn(text)) == ["failed:invalid_api_key"]
    world.calm_turn("does your key work?")
    visitor.close()


def full_house(world):
    """Behind its limit an app is refused, quickly and by name, and makes nothing."""
    inside = [Visitor(world.server, "full", name=f"f{n}") for n in range(2)]
    times = []
    for _ in range(20):
        begin = time.monotonic()
        try:
            RealtimeClient(world.server.port, "/v1/realtime?model=full", KEY, ("sidevoice.v1",))
        except Closed as why:
            assert "sessions_limit" in str(why), why
        else:
            raise AssertionError("a session beyond the limit was opened")
        times.append(time.monotonic() - begin)
    rows = inside[0].journal.query("select count(*) from sessions where app=?1", "full")[0][0]
    assert rows == 2, f"{rows} sessions were made"
    print(f"   a refusal took {sorted(times)[len(times) // 2] * 1000:.1f} ms, at most {max(times) * 1000:.1f} ms")
    world.calm_turn("is there room?")
    for visitor in inside:
        visitor.close()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        world = World(sys.argv[1], folder)
        try:
            for check in (hung_vendor, next_model, wrong_key, full_house):
                checks.run(check.__name__, check, world)
        finally:
            world.close()
    raise SystemExit(checks.end())


if __name__ == "__main__":
    main()
