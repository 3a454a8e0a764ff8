"""Bad input of voice: each case has a named outcome, the session survives it, and a typed turn is answered behind it.

Checks for voice_test.py: ON_ONE_SERVER take the server, WITHOUT_MODELS start one of their own.
"""
import base64
import os
import pathlib
import shutil

from support import KEY, PATIENCE_S, Closed, Journal, RealtimeClient, Server, lost, of, request, unsettled, until
from support_device import Device, Kept, text_of
from support_sound import clipped, length_ms, noise, silence, speech, words

NAME = "My name is Anna Schmidt."


def encoded(pcm):
    return base64.b64encode(pcm).decode()


def append(audio):
    return {"type": "input_audio_buffer.append", "audio": audio}


def update(**audio):
    return {"type": "session.update", "session": {"type": "realtime", "audio": audio}}


def replay(stream="mic_1", from_ms=0):
    return {"type": "sidevoice.audio.replay", "stream": stream, "from_ms": from_ms}


def truncate(item, ms, index=0):
    return {"type": "conversation.item.truncate", "item_id": item, "content_index": index, "audio_end_ms": ms}


def report(item, ms):
    return {"type": "sidevoice.playback.report", "item_id": item, "played_ms": ms}


INVALID, MISSING, TYPE = "invalid_value", "missing_required_parameter", "invalid_type"
# Frame -> code of its error. "refused": any code.
OF_ALL = [
    ("an odd byte count", append(encoded(b"abc")), INVALID),
    ("half a base64", append("AAA"), INVALID),
    ("a base64 with a hole", append("AAAA=AAA"), INVALID),
    ("garbage for base64", append("%%%%"), INVALID),
    ("base64 of lines", append("AAAA\nAAAA"), INVALID),
    ("no sound at all", append(""), INVALID),
    ("no audio field", {"type": "input_audio_buffer.append"}, "refused"),
    ("audio that is a number", append(5), "refused"),
    ("audio that is null", append(None), "refused"),
    ("an unknown format", update(input={"format": {"type": "audio/opus"}}), "refused"),
    ("an unknown rate", update(input={"format": {"type": "audio/pcm", "rate": 44100}}), INVALID),
    ("a rate in words", update(input={"format": {"type": "audio/pcm", "rate": "24000"}}), "refused"),
    ("a rate of nothing", update(output={"format": {"type": "audio/pcm", "rate": 0}}), INVALID),
    ("an old name of a format", update(input={"format": "pcm16"}), "refused"),
    ("an unknown turn detection", update(input={"turn_detection": {"type": "mind_reading"}}), "refused"),
    ("a threshold of seven", update(input={"turn_detection": {"type": "server_vad", "threshold": 7}}), INVALID),
    ("a speed of a hundred", update(output={"speed": 100}), INVALID),
    ("a commit of nothing", {"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
    ("a truncation of nothing known", truncate("item_nobody", 100), "item_truncate_invalid_item_id"),
    ("a truncation before the beginning", truncate("item_nobody", -1), "refused"),
    ("a large frame that is no sound", {"type": "session.update", "session": {"type": "realtime",
                                        "instructions": "x" * (1 << 20)}}, "refused"),
    ("sound of more than 15 MiB", append("A" * ((15 << 20) + 4)), "refused"),
]
OF_OURS = [
    ("sound before its stream", append(encoded(silence(100, 16000))), INVALID),
    ("a stream without a name", replay(""), "refused"),
    ("a stream with blanks", replay("a b"), INVALID),
    ("a stream with a long name", replay("a" * 65), INVALID),
    ("a stream that is a number", replay(7), "refused"),
    ("a position before the beginning", replay(from_ms=-1), "refused"),
    ("a position in another age", replay(from_ms=1 << 60), "refused"),
    ("a position in words", replay(from_ms="0"), "refused"),
    ("a position between", replay(from_ms=1.5), "refused"),
    ("a playback in words", report("item_1", "much"), "refused"),
    ("a playback before the beginning", report("item_1", -5), "refused"),
    ("a watch of something else", {"type": "sidevoice.voice.watch", "on": "yes"}, "refused"),
]


def ask(device, frame):
    """The error that answers a frame, as (code, sentence); None where it was taken."""
    name, probe = "bad_" + os.urandom(5).hex(), "probe_" + os.urandom(5).hex()
    mark = device.mark()
    device.send({**frame, "event_id": name})
    # Whatever answers this frame comes before the answer to the next.
    device.send({"type": "conversation.item.retrieve", "item_id": "nobody", "event_id": probe})
    device.wait("error", lambda e: e["error"].get("event_id") == probe, since=mark)
    # A frame that is too large to be read has no name.
    found = device.find("error", lambda e: e["error"].get("event_id") in (name, None), since=mark)
    assert len(found) <= 1, f"{len(found)} errors for one frame"
    return (found[0][1]["error"]["code"], found[0][1]["error"]["message"]) if found else None


def to_text(device):
    device.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}})


def settled(server, session):
    journal = Journal(server.data)
    return until(lambda: (lambda e: e if not unsettled(e) and not wordless(e) else None)(journal.events(session)),
                 f"{session} to settle")


def wordless(events):
    known = {e["item"] for e in of(events, "input.transcribed")} | {e["id"] for e in of(events, "item.removed")}
    return [e["item"] for e in of(events, "input.speech") if e["item"] not in known]


def lives(server, device, text="My name is Carla Weber"):
    """A typed turn is answered, and nothing is left open or answered twice."""
    to_text(device)
    device.typed_turn(text)
    events = settled(server, device.session)
    assert not lost(events), lost(events)
    return events


def bad_frames(server):
    for own, cases in ((True, OF_OURS + OF_ALL), (False, OF_ALL)):
        device = Device(server, "talk", own=own)
        faults = []
        for what, frame, code in cases:
            found = ask(device, frame)
            if not found or (code != "refused" and found[0] != code) or len(found[1]) < 15:
                faults.append(f"{what}: {found}")
        assert not faults, f"{'own' if own else 'plain'}: " + "; ".join(faults)
        lives(server, device)
        device.close()


def early_and_large(server):
    """A plain client that sends sound before any session.update, and a megabyte in one frame."""
    device = Device(server, "talk", own=False)
    assert ask(device, append(encoded(silence(200, 24000)))) is None
    assert ask(device, append(encoded(silence(15500, 24000)))) is None
    lives(server, device)
    device.close()


def silly_positions(server):
    """Replays that contradict each other: the newest counts, and what is said then is heard once."""
    device = Device(server, "talk")
    for frame in (replay("mic_a", 10 ** 12), replay("mic_a", 0), replay("mic_b", 5000), replay("mic_a", 7),
                  report("item_nobody", 10 ** 7), {"type": "input_audio_buffer.clear"}):
        assert ask(device, frame) is None, frame
        assert ask(device, append(encoded(silence(200, 16000)))) is None
    device.start()
    mark = device.mark()
    device.say(NAME)
    device.transcript(mark)
    events = lives(server, device, "on 12 March 2027")
    assert len(of(events, "input.speech")) == 1
    device.close()


def strange_sounds(server):
    """Bursts far faster than real time; then a typed turn, each time."""
    device = Device(server, "talk")
    device.kept = Kept(16000)
    device.ask()
    device.wait("sidevoice.voice.seat", lambda e: e["state"] == "yours")

    def burst(pcm, piece_ms=1000):
        for at in range(0, len(pcm), piece_ms * 32):
            device.append(pcm[at:at + piece_ms * 32])
        device.append(silence(1500, 16000))

    def turn(what):
        mark = device.mark()
        device.type(what)
        device.wait("response.done", lambda e: e["response"]["status"] == "completed", since=mark)
        return settled(server, device.session)

    burst(silence(60000, 16000), 12000)
    events = turn("My name is Anna Schmidt")
    assert not of(events, "input.speech"), "silence was speech"
    burst(noise(3000, 16000))
    print(f"   noise came to {len(of(turn('on 12 March 2027'), 'input.speech'))} utterances")
    mark = device.mark()
    burst(clipped(speech(NAME, 16000)))
    print(f"   clipped: {device.transcript(mark)[1]!r}")
    turn("a flat")
    whole = speech("I live in a flat on the third floor.", 16000)
    whole = (whole * (30000 // length_ms(whole, 16000) + 1))[:30000 * 32]
    mark = device.mark()
    burst(whole, 400)
    heard = device.transcript(mark)[1]
    assert "third" in words(heard) or "3rd" in words(heard), heard
    events = turn("anna@example.com")
    long = [e["to_ms"] - e["from_ms"] for e in of(events, "input.speech")]
    print(f"   30 s in one burst: utterances of {long} ms")
    assert sum(long) >= 28000, long
    assert not lost(events), lost(events)
    device.close()


def cleared(server):
    """A clear in mid-speech: what was said is forgotten, and never comes to the history."""
    device = Device(server, "talk")
    device.start()
    mark = device.mark()
    device.say(NAME + " I live in a flat on the third floor.")
    item = device.wait("input_audio_buffer.speech_started", since=mark)["item_id"]
    with device.changed:
        device.waiting.clear()
    device.send({"type": "input_audio_buffer.clear"})
    device.wait("input_audio_buffer.cleared", since=mark)
    device.wait("input_audio_buffer.speech_stopped", lambda e: e["item_id"] == item, since=mark)
    # The microphone goes on, and a word after it counts.
    device.heard_to(device.kept.end_ms + 1000)
    mark = device.mark()
    device.say("Our budget is nine hundred euros.")
    device.transcript(mark)
    events = lives(server, device, "on 12 March 2027")
    spoken = [i for i in of(events, "input.transcribed") if i.get("text")]
    assert len(spoken) == 1 and "budget" in words(spoken[0]["text"]), spoken
    device.close()


def truncations(server):
    """Truncations of an answer that was spoken: too far, of another's item, of another part; and a good one."""
    device = Device(server, "talk", update={"output": {"speed": 1.25}})
    device.start()
    done = device.typed_turn("My name is Anna Schmidt")
    answer = done["response"]["output"][0]["id"]
    mine = next(e["item"]["id"] for _, e in device.find("conversation.item.added", lambda e: e["item"]["role"] == "user"))
    for frame, code in ((truncate(answer, 10 ** 7), INVALID), (truncate(answer, 300, 3), INVALID),
                        (truncate(mine, 100), INVALID), (truncate(answer, 10 ** 12), "refused")):
        found = ask(device, frame)
        assert found and code in (found[0], "refused"), (frame, found)
    mark = device.mark()
    device.send(truncate(answer, 900))
    device.wait("conversation.item.truncated", since=mark)
    events = lives(server, device, "on 12 March 2027")
    said = text_of(done["response"]["output"][0])
    kept = text_of(device.retrieve(answer))
    assert said.startswith(kept) and len(kept) < len(said), kept
    assert [e["ms"] for e in of(events, "item.heard")] == [900], of(events, "item.heard")
    device.close()


def counted(server, name):
    body = request(server.admin_port, "GET", "/metrics")[1]
    return next(float(line.split()[-1]) for line in body.splitlines() if line.startswith(f"sidevoice_{name}_total "))


def never_reads(server):
    """A client that is spoken to and does not read: it is closed with 1013 (which it may not live to read), and its
    session lives."""
    line = RealtimeClient(server.port, "/v1/realtime?model=tale", key=KEY, protocols=("realtime",), timeout=PATIENCE_S)
    session = line.until("session.created")[-1]["session"]["id"]
    before = counted(server, "connections_slow")

    def message(item, text):
        line.send({"type": "conversation.item.create", "item": {
            "id": item, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}})

    line.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["audio"]}})
    line.send(append(encoded(silence(200, 24000))))
    message("in_large", "x" * 100_000)
    message("in_story", "tell me the long story")
    line.send({"type": "response.create"})
    line.until("response.output_audio.delta")
    try:
        for _ in range(300):
            line.send({"type": "conversation.item.retrieve", "item_id": "in_large"})
    except Closed:
        pass
    until(lambda: counted(server, "connections_slow") > before, "the slow connection to be closed")
    why = ""
    try:
        while True:
            line.receive(PATIENCE_S)
    except Closed as closed:
        why = str(closed)
    print(f"   never reads: {why[:60]}")
    assert "1013" in why or "gone" in why, why
    device = Device(server, "tale", session=session)
    device.typed_turn("a short one, please")
    assert not lost(settled(server, session))
    device.close()


# -- without models -------------------------------------------------------------------------------


def chats_only(binary, place, config, name, models):
    """A server that cannot hear: it says so, and chats."""
    server = Server(binary, config, str(place / name), args=["--models", str(models)],
                    env={"VOICE_KEY": KEY, "OPENAI_API_KEY": "fake"})
    server.start()
    try:
        device = Device(server, "talk")
        device.kept = Kept(16000)
        device.ask()
        seat = device.wait("sidevoice.voice.seat")
        assert seat["state"] == "unavailable" and seat["reason"] and "models" in seat["text"], seat
        device.append(silence(200, 16000))
        device.typed_turn("My name is Anna Schmidt")
        assert not device.sound, "it speaks all the same"
        device.close()
        plain = Device(server, "talk", own=False)
        plain.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["audio"]}})
        found = ask(plain, append(encoded(silence(200, 24000))))
        assert found and found[0] == "voice_unavailable", found
        assert ask(plain, append(encoded(silence(200, 24000)))) is None, "said twice"
        done = plain.typed_turn("My name is Anna Schmidt")
        assert text_of(done["response"]["output"][0]) and not plain.sound, done
        assert plain.find(("response.output_text.delta", "response.output_audio_transcript.delta")), "no text came"
        plain.close()
        log = pathlib.Path(server.log_path).read_text(errors="replace")
        assert "remedy=" in log and "models.sh" in log, log[-1500:]
    finally:
        if server.process.poll() is None:
            code = server.stop()
        else:
            code = server.process.returncode
    assert code == 0, f"it ended with {code}"


def models_folder():
    home = os.environ.get("SIDEVOICE_MODELS") or os.path.join(
        os.environ.get("SIDEVOICE_CACHE") or os.path.join(os.environ.get("HOME", "."), ".cache", "sidevoice"), "models")
    return pathlib.Path(home)


def no_models(binary, place, config):
    chats_only(binary, place, config, "no-models", place / "nowhere")


def damaged_models(binary, place, config):
    """Cut in the middle, cut to nothing, and filled with something else."""
    for name, damage in (("half", lambda data: data[:len(data) // 2]), ("empty", lambda data: b""),
                         ("other", lambda data: b"<html>not found</html>" * 50)):
        folder = place / f"models-{name}"
        folder.mkdir()
        for model in models_folder().iterdir():
            if model.is_file():
                (folder / model.name).write_bytes(damage(model.read_bytes()))
        try:
            chats_only(binary, place, config, f"damaged-{name}", folder)
        except Exception as why:
            raise AssertionError(f"{name}: {why}") from why
        finally:
            shutil.rmtree(folder)


ON_ONE_SERVER = [
    ("bad frames are refused by name", bad_frames),
    ("sound before set-up, and a large frame", early_and_large),
    ("replays at silly positions", silly_positions),
    ("silence, noise, clipping, bursts", strange_sounds),
    ("a clear in mid-speech", cleared),
    ("truncations that cannot be", truncations),
    ("a client that never reads", never_reads),
]
WITHOUT_MODELS = [("no models: a chat", no_models), ("damaged models: a chat", damaged_models)]
