#!/usr/bin/env python3
"""Which release a session runs: through an edit of the app file, a kill, a save while it runs, names of releases,
rotated secrets, a faulty save, and an app that goes.

release_test.py BINARY starts one server with one app a check, on free ports. Prints what failed and
"N passed, M failed".
"""
import os
import pathlib
import shutil
import sys
import tempfile

from support import KEY, Checks, Closed, Fake, RealtimeClient, Server, Visitor, of, replies, request, until, write_app

OLD, NEW = "You are OLDPERSONA, a calm host.", "You are NEWPERSONA, a brisk host."


class World:
    def __init__(self, binary, folder):
        self.folder = pathlib.Path(folder)
        self.fake = Fake(binary, {"defaults": {"text": "I am here."}})
        for name in ("kill", "save", "names", "secret", "faulty", "gone"):
            (self.folder / f"{name}.key").touch(mode=0o600)
            self.write_key(name, f"{KEY}-{name}")
            self.save(name)
        self.server = Server(binary, str(self.folder / "apps"), str(self.folder / "data"),
                             env={"OPENAI_API_KEY": "fake"})
        self.server.start()

    def app(self, name, persona=OLD, size="integer", **live):
        return {
            "app": name, "conversation": {"instructions": persona},
            "checklist": {"topics": [{"id": "size", "type": size}, {"id": "name"}]},
            "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["rules"]},
            "live": {"access": {"server_keys": [f"${{file:{self.folder / (name + '.key')}}}"]},
                     "vendors": {"openai": {"base_url": self.fake.url}}, **live}}

    def save(self, name, **changes):
        write_app(self.folder, self.app(name, **changes))

    def write_key(self, name, key):
        """As a secret store renews a file: in one step."""
        fresh = self.folder / "fresh.key"
        fresh.touch(mode=0o600)
        fresh.write_text(key + "\n")
        os.replace(fresh, self.folder / f"{name}.key")

    def visitor(self, app, **more):
        more.setdefault("key", f"{KEY}-{app.split('@')[0]}")
        return Visitor(self.server, app, **more)

    def status(self, model, key=None):
        """The status of an upgrade; without `key` by the app's own."""
        try:
            RealtimeClient(self.server.port, f"/v1/realtime?model={model}",
                           key=key or f"{KEY}-{model.split('@')[0]}").close()
            return 101
        except Closed as why:
            return int(str(why).split()[2].rstrip(":"))

    def log(self):
        return pathlib.Path(self.server.log_path).read_text(errors="replace")

    def digest(self, app):
        """The newest release of an app that the log names."""
        lines = [line for line in self.log().splitlines() if f"app={app} " in line and "release=sha256:" in line]
        lines = [line for line in lines if " app.changed " in line] or lines
        return lines[-1].split("release=")[1].split()[0]

    def told(self, words):
        """The instructions that the model was sent with a turn."""
        for entry in reversed(self.fake.requests()):
            messages = entry["body"]["messages"]
            if any(m["role"] == "user" and words in m["content"] for m in messages):
                return messages[0]["content"]
        raise AssertionError(f"the model was never asked about {words!r}")

    def close(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        self.fake.close()


def edit(visitor, value):
    """Sets topic "size" by hand; the frame that answers."""
    base = next((t["revision"] for t in reversed([f["topic"] for f in visitor.frames
                                                  if f["type"] == "sidevoice.topic.updated"])
                 if t.get("id", t.get("topic")) == "size"), 0)
    event_id = "edit_" + os.urandom(16).hex()
    visitor.line.send({"type": "sidevoice.topic.update", "event_id": event_id, "topic": "size", "value": value,
                       "base_revision": base})
    while True:
        event = visitor.take()
        if event["type"] in ("sidevoice.topic.updated", "sidevoice.topic.rejected", "error"):
            return event


def expect_runs(world, visitor, words, persona, is_old):
    """A turn of the visitor is led by this persona, and an edit is judged by the matching type."""
    events = visitor.turn(words)
    assert replies(events) == ["I am here."], replies(events)
    other = NEW if persona == OLD else OLD
    told = world.told(words)
    assert persona in told and other not in told, told[:200]
    answer = edit(visitor, "many rooms")
    taken = answer["type"] == "sidevoice.topic.updated"
    assert taken != is_old, f"an edit that only the new type takes: {answer}"


def kill_and_restart(world):
    """kill -9 between the edit of the file and the next turn."""
    old = world.visitor("kill")
    expect_runs(world, old, "first turn before the kill", OLD, True)
    release = old.snapshot["release"]
    assert release.startswith("sha256:") and release == world.digest("kill")
    world.save("kill", persona=NEW, size="text")
    world.server.kill()
    world.server.start()
    old.connect()
    assert old.snapshot["release"] == release, "the old session changed its release"
    expect_runs(world, old, "second turn behind the kill", OLD, True)
    new = world.visitor("kill")
    assert new.snapshot["release"] == world.digest("kill") != release
    expect_runs(world, new, "turn of a new session", NEW, False)
    assert new.journal.release_of(new.session) != old.journal.release_of(old.session) == release


def save_while_running(world):
    old = world.visitor("save")
    release = old.snapshot["release"]
    expect_runs(world, old, "before the save", OLD, True)
    world.save("save", persona=NEW, size="text")
    until(lambda: "app.changed app=save" in world.log(), "the save to be seen")
    new = world.visitor("save")
    assert new.snapshot["release"] == world.digest("save") != release
    expect_runs(world, new, "new session behind the save", NEW, False)
    expect_runs(world, old, "old session behind the save", OLD, True)
    # Another connection of the old session has the old release as well.
    joined = world.visitor("save", session=old.session, name="w")
    assert joined.snapshot["release"] == release
    expect_runs(world, joined, "a second line of the old session", OLD, True)


def names_pick(world):
    stable = world.visitor("names").snapshot["release"]
    world.save("names", releases={"on_save": "preview"})
    # What is saved from now on becomes the preview; what the file was before stays stable.
    until(lambda: "app.changed app=names" in world.log(), "the new setting")
    world.save("names", persona=NEW, size="text", releases={"on_save": "preview"})
    until(lambda: world.log().count("app.changed app=names") >= 2, "the preview")
    preview = world.digest("names")
    assert preview != stable
    for model, release in (("names", stable), ("names@stable", stable), ("names@preview", preview),
                           (f"names@{stable}", stable), (f"names@{preview}", preview)):
        visitor = world.visitor(model)
        assert visitor.snapshot["release"] == release, model
        persona, is_old = (OLD, True) if release == stable else (NEW, False)
        expect_runs(world, visitor, f"picked by {model}", persona, is_old)
        visitor.close()
    nobody = "sha256:" + "0" * 64
    assert {world.status(f"names@{other}") for other in (nobody, "latest", "STABLE")} == {404}
    assert world.status(f"names@{nobody}") == world.status("nosuchapp", KEY + "-names") == 404
    # The names outlive the process, and new sessions may be given the preview.
    world.server.kill()
    world.server.start()
    assert world.visitor("names@stable").snapshot["release"] == stable
    assert world.visitor("names@preview").snapshot["release"] == preview
    world.save("names", persona=NEW, size="text", releases={"on_save": "preview", "new_sessions": "preview"})
    until(lambda: world.visitor("names").snapshot["release"] == preview, "the preview for new sessions")


def secrets_rotate(world):
    running = world.visitor("secret")
    release = running.snapshot["release"]
    running.turn("before the rotation")
    seen = running.frames.copy()
    world.write_key("secret", "a-key-that-came-later")
    # Not by trying: guessed keys are slowed down.
    until(lambda: "app.live_changed app=secret" in world.log(), "the rotation to be seen")
    until(lambda: world.status("secret", "a-key-that-came-later") == 101, "the new key")
    old = KEY + "-secret"
    assert world.status("secret", old) == 401, "the old key still opens"
    assert request(world.server.port, "POST", "/v1/realtime/client_secrets", {}, old)[0] == 401
    running.turn("behind the rotation")
    assert len(running.frames) > len(seen) and running.snapshot["release"] == release
    fresh = world.visitor("secret", key="a-key-that-came-later")
    assert fresh.snapshot["release"] == release, "a rotated key made a new release"
    log = world.log()
    assert "a-key-that-came-later" not in log and KEY not in log


def a_faulty_save_changes_nothing(world):
    old = world.visitor("faulty")
    release = old.snapshot["release"]
    place = world.folder / "apps/faulty/app.jsonc"
    good = place.read_text()
    faulty = {"half": good[:len(good) // 2], "unknown key": good.replace('"conversation"', '"conversatoin"', 1),
              "unknown type": good.replace('"integer"', '"integre"'), "empty": ""}
    for what, text in faulty.items():
        before = world.log().count("app.fault ")
        # Editors also write in place.
        place.write_text(text)
        until(lambda: world.log().count("app.fault ") > before, f"a word about the {what} file")
        line = [entry for entry in world.log().splitlines() if "app.fault " in entry][-1]
        assert "error" in line and "faulty/app.jsonc" in line, line
        visitor = world.visitor("faulty")
        assert visitor.snapshot["release"] == release, what
        expect_runs(world, visitor, f"a new session beside the {what} file", OLD, True)
        visitor.close()
    expect_runs(world, old, "the old session beside the faulty file", OLD, True)
    world.save("faulty", persona=NEW, size="text")
    until(lambda: "app.changed app=faulty" in world.log(), "the mended file")
    expect_runs(world, world.visitor("faulty"), "behind the mended file", NEW, False)


def a_removed_app_lets_its_sessions_go_on(world):
    running = world.visitor("gone")
    running.turn("before the app goes")
    shutil.rmtree(world.folder / "apps/gone")
    until(lambda: "app.removed app=gone" in world.log(), "the removal to be seen")
    # 401 like any key of nobody: the word in the log comes a moment before the door closes.
    until(lambda: world.status("gone") in (401, 404), "new sessions of a removed app to be refused")
    events = running.turn("after the app is gone")
    running.connect()
    assert replies(events) == ["I am here."] and of(events, "response.done")[0]["status"] == "completed"
    assert OLD in world.told("after the app is gone")
    world.save("gone")
    until(lambda: world.status("gone") == 101, "the app to come back")
    running.connect()
    running.turn("the app is back")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="sidevoice-release-") as folder:
        world = World(sys.argv[1], folder)
        try:
            for check in (kill_and_restart, save_while_running, names_pick, secrets_rotate,
                          a_faulty_save_changes_nothing, a_removed_app_lets_its_sessions_go_on):
                checks.run(check.__name__.replace("_", " "), check, world)
            checks.run("the server ends as asked", lambda: world.server.stop() == 0 or 1 / 0)
        finally:
            world.close()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
