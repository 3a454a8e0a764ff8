#!/usr/bin/env python3
"""Conversations aloud with the real server, the local engines and a real clock: typing and talking in turns, two
sessions at once, two devices of one session, interruptions, and what was measured. Bad input is in voice_bad_input.py.

voice_test.py BINARY [PART OF A NAME]... Needs flite, sox and the speech models. Prints figures, then "N passed, M failed".
"""
import json
import pathlib
import sys
import tempfile
import threading

import voice_bad_input
from support import KEY, Checks, Fake, Journal, Server, items, lost, of, replies, request, unsettled, until, write_app
from support_device import Device, text_of
from support_sound import at_rate, noise, silence, speech, word_errors, words

HEARD_WRONG_MOST = 0.25
TALK = {
    "app": "talk",
    "checklist": {"topics": [
        {"id": "name", "type": "person_name", "required": True}, {"id": "date", "type": "date", "required": True},
        {"id": "home", "type": "choice", "choices": {"flat": ["apartment"], "house": ["cottage"]}, "required": True},
        {"id": "floor", "type": "integer"}, {"id": "budget", "type": "money", "currency": "EUR"},
        {"id": "email", "type": "email"}]},
    "models": {"conversation": ["rules"], "analyzer": ["rules"]},
    "live": {"access": {"server_keys": ["${env:VOICE_KEY}"]}},
}
LONG = ("There was a small harbour in the north where the boats came in every evening with the tide. "
        "An old woman counted them from her window and wrote the number in a book. "
        "One day there was a boat too many, and nobody knew whose it was. "
        "She put on her coat, took the lamp from the wall and went down to the water to ask.")
SHORT = "The harbour is closed today because of the storm, and it will open again tomorrow morning at nine."


def tale(fake):
    return {"app": "tale", "checklist": {"topics": [{"id": "name"}]},
            "models": {"conversation": ["openai:gpt-4.1-mini"], "analyzer": ["rules"]},
            "live": {**TALK["live"], "vendors": {"openai": {"base_url": fake.url}}}}


# What each visitor says and types, and what the checklist holds in the end.
ANNA = ([("say", "My name is Anna Schmidt."), ("type", "on 12 March 2027"),
         ("say", "I live in a flat on the third floor."), ("type", "anna@example.com"),
         ("say", "Our budget is nine hundred euros."), ("type", "what do you still need?")],
        {"name": "Anna Schmidt", "date": "2027-03-12", "home": "flat", "floor": 3,
         "budget": {"amount": 900, "currency": "EUR"}, "email": "anna@example.com"})
BRUNO = ([("type", "My name is Bruno Keller"), ("say", "We live in a house."), ("type", "on 4 May 2027"),
          ("say", "It is on the second floor."), ("type", "bruno@example.com"),
          ("say", "Our budget is two thousand euros.")],
         {"name": "Bruno Keller", "date": "2027-05-04", "home": "house", "floor": 2,
          "budget": {"amount": 2000, "currency": "EUR"}, "email": "bruno@example.com"})
FIGURES = {"nine hundred": "900", "two thousand": "2000", "2,000": "2000"}


def plain(text):
    """As Whisper writes numbers."""
    for spelt, figure in FIGURES.items():
        text = text.replace(spelt, figure)
    return text


class Voice:
    def __init__(self, server):
        self.server = server
        self.journal = Journal(server.data)
        self.devices = []
        self.answers = {}

    def device(self, app, **about):
        self.devices.append(Device(self.server, app, **about))
        return self.devices[-1]

    def settle(self, session):
        return until(lambda: (lambda e: e if not unsettled(e) else None)(self.journal.events(session)),
                     f"{session} to settle")

    # -- whole talks

    def talk(self, name, script, expected):
        """Typing and talking alternate at every turn; gives nothing, asserts everything."""
        visitor = self.device("talk", update={"output": {"speed": 1.25}})
        visitor.start()
        for how, what in script:
            if how == "type":
                visitor.typed_turn(what)
            else:
                visitor.spoken_turn(what)
        events = self.settle(visitor.session)
        visitor.close()
        said = [i for i in items_in_order(events) if i.get("role") == "user"]
        assert len(said) == len(script), f"{len(said)} inputs of {len(script)}: {[i['text'] for i in said]}"
        for (how, what), item in zip(script, said):
            wrong = word_errors(plain(what), plain(item["text"]))
            assert wrong <= (HEARD_WRONG_MOST if how == "say" else 0), f"{what!r} was heard as {item['text']!r}"
            assert bool(item.get("spoken")) == (how == "say"), item
        roles = [i["role"] for i in items_in_order(events) if i["kind"] == "message"]
        assert roles == ["user", "assistant"] * len(script), roles
        causes = [c for body in of(events, "response.requested") for c in body["cause"]]
        assert sorted(causes) == sorted(i["id"] for i in said), f"answered: {causes}"
        assert not lost(events), lost(events)
        found = until(lambda: (lambda t: t if len(t) == len(expected) else None)(topics(
            self.journal.events(visitor.session))), f"{len(expected)} topics of {name}")
        assert found == expected, found
        spoken = [i for i in items(events, "message") if i.get("role") == "assistant" and i["id"] in visitor.sound
                  and len(words(i["text"])) >= 6 and not any(c.isdigit() or c in '@"' for c in i["text"])]
        assert spoken, f"no answer to compare among {replies(events)}"
        # All of them: a name alone may be misheard.
        self.answers[name] = (" ".join(i["text"] for i in spoken),
                              silence(400, 24000).join(visitor.sound[i["id"]] for i in spoken))
        measured = visitor.find("sidevoice.turn.completed")
        assert len(measured) == sum(how == "say" for how, _ in script), f"{len(measured)} turns were measured"
        for _, turn in measured:
            parts = dict(turn["latency"])
            whole = parts.pop("silence_ms")
            assert sum(parts.values()) == whole, turn["latency"]
            assert parts["end_of_speech_ms"] >= 500, turn["latency"]
        print(f"   {name}: silence heard, ms: {[t['latency']['silence_ms'] for _, t in measured]}")

    def two_talks(self):
        faults = []

        def one(*about):
            try:
                self.talk(*about)
            except Exception as why:  # noqa: BLE001: told below, where it fails the check
                faults.append(f"{about[0]}: {type(why).__name__}: {why}")

        both = [threading.Thread(target=one, args=(name, *about)) for name, about in
                (("anna", ANNA), ("bruno", BRUNO))]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert not faults, "; ".join(faults)

    def answers_match(self):
        """What the agent said aloud is what it wrote, and each session heard its own."""
        listener = self.device("talk", own=False, update={"input": {"turn_detection": None}})
        listener.start()
        for name, other in (("anna", "bruno"), ("bruno", "anna")):
            text, sound = self.answers[name]
            mark = listener.mark()
            listener.say(silence(300, 24000) + sound + silence(300, 24000))
            listener.heard_to(listener.kept.end_ms + len(listener.waiting) // 48 + 200)
            listener.send({"type": "input_audio_buffer.commit"})
            _, heard = listener.transcript(mark)
            wrong = word_errors(text, heard)
            print(f"   {name}: {wrong:.0%} word errors: {heard!r}")
            assert wrong <= HEARD_WRONG_MOST, f"{text!r} sounded like {heard!r}"
            assert wrong < word_errors(self.answers[other][0], heard), "the other session's answer was heard"
        assert not listener.find("response.created"), "a manual commit was answered unasked"
        listener.close()

    def seat(self):
        """The second device takes the voice; the first goes on as text."""
        first = self.device("talk", update={"output": {"speed": 1.25}})
        first.start()
        first.spoken_turn("My name is Anna Schmidt.")
        second = self.device("talk", session=first.session, update={"output": {"speed": 1.25}})
        mark = first.mark()
        second.start()
        lost_at = first.wait("sidevoice.voice.seat", since=mark)
        assert lost_at["state"] == "elsewhere" and lost_at["text"], lost_at
        mark = first.mark()
        item, heard, _ = second.spoken_turn("I live in a flat on the third floor.")
        assert word_errors("I live in a flat on the third floor.", heard) <= HEARD_WRONG_MOST, heard
        first.wait("conversation.item.added", lambda e: e["item"]["id"] == item, since=mark)
        first.typed_turn("on 12 March 2027")
        for kind in ("response.output_audio.delta", "sidevoice.playback.held", "input_audio_buffer.speech_started"):
            assert not first.find(kind, since=mark), f"{kind} came to the device that has lost the seat"
        assert second.sound, "the second device heard nothing"
        assert first.retrieve(item)["content"][0]["transcript"] == heard
        assert not lost(self.settle(first.session)), "an answer is missing"
        first.close()
        second.close()

    # -- interruptions

    def storyteller(self, own, words_wanted, at_ms=1200):
        visitor = self.device("tale", own=own)
        visitor.start()
        mark = visitor.mark()
        if not own:
            # A plain client has the seat once it has sent sound.
            visitor.heard_to(300)
        visitor.type(words_wanted)
        item = visitor.wait("response.output_item.added", since=mark)["item"]["id"]
        visitor.plays(item, at_ms)
        return visitor, mark, item

    def interrupted(self, own):
        visitor, mark, item = self.storyteller(own, "tell me the long story")
        visitor.say("Wait please, I have a question about that.")
        started = visitor.wait("input_audio_buffer.speech_started", since=mark)
        done = visitor.wait("response.done", lambda e: e["response"]["status"] == "cancelled", since=mark)
        assert done["response"]["status_details"]["reason"] == "turn_detected", done
        # Live sound goes on to come in and the words are answered: nothing of the old answer is among it.
        visitor.transcript(mark)
        visitor.wait("response.done", lambda e: e["response"]["status"] == "completed", since=mark)
        frames = visitor.frames[mark:]
        stop = next(n for n, (_, e) in enumerate(frames) if e is started)
        deltas = [n for n, (_, e) in enumerate(frames)
                  if e["type"] == "response.output_audio.delta" and e["item_id"] == item]
        assert deltas and deltas[-1] < stop, f"{sum(n > stop for n in deltas)} frames of sound came after speech_started"
        if own:
            held = next(n for n, (_, e) in enumerate(frames) if e["type"] == "sidevoice.playback.held")
            assert deltas[-1] < held < next(n for n, (_, e) in enumerate(frames) if e is done), "held out of order"
        stopped = visitor.stopped[item]
        if not own:
            visitor.send({"type": "conversation.item.truncate", "item_id": item, "content_index": 0,
                          "audio_end_ms": stopped})
            visitor.wait("conversation.item.truncated", since=mark)
        events = self.settle(visitor.session)
        stored = next(i for i in items(events, "message") if i["id"] == item)
        heard_ms = ([e["ms"] for e in of(events, "item.heard") if e["id"] == item] or [stored.get("audio_ms", 0)])[-1]
        shown = text_of(visitor.retrieve(item))
        print(f"   {'own' if own else 'plain'}: last sound {1000 * (frames[stop][0] - frames[deltas[-1]][0]):.0f} ms "
              f"before speech_started; stopped at {stopped} ms, stored {heard_ms} ms, {len(shown)} of {len(LONG)} bytes")
        assert LONG.startswith(shown) and 0 < len(shown) < len(LONG), f"stored: {shown!r}"
        assert abs(heard_ms - stopped) <= 300, f"stopped at {stopped} ms, stored {heard_ms} ms"
        assert not lost(events), lost(events)
        visitor.close()

    def goes_on(self, sound, words_expected):
        """Something that is no interruption: the answer goes on to its end."""
        visitor, mark, item = self.storyteller(True, "a short one, please")
        visitor.say(sound)
        held = visitor.wait(("sidevoice.playback.held", "response.done"), since=mark)
        assert held["type"] == "sidevoice.playback.held", "the sound was not noticed before the answer's end"
        visitor.wait("sidevoice.playback.released", since=mark)
        done = visitor.wait("response.done", since=mark)
        assert done["response"]["status"] == "completed", done["response"]["status_details"]
        visitor.plays_to_end(item)
        assert text_of(visitor.retrieve(item)) == SHORT
        events = self.settle(visitor.session)
        if words_expected:
            visitor.transcript(mark)
            events = self.settle(visitor.session)
        said = [i["text"] for i in items_in_order(events) if i.get("spoken") and i["role"] == "user"]
        assert len(of(events, "response.requested")) == 1, "it was answered"
        assert len(said) == words_expected, said
        print(f"   kept of it: {said}")
        visitor.close()

    def noise_is_nothing(self):
        """150 ms of noise: whether the detector minds or not, the answer is said to its end."""
        visitor, mark, item = self.storyteller(True, "a short one, please")
        visitor.say(noise(150, 16000))
        done = visitor.wait("response.done", since=mark)
        assert done["response"]["status"] == "completed", done["response"]["status_details"]
        visitor.plays_to_end(item)
        kinds = [e["type"] for _, e in visitor.find(("sidevoice.playback.held", "sidevoice.playback.released"), since=mark)]
        assert kinds in ([], ["sidevoice.playback.held", "sidevoice.playback.released"]), kinds
        assert len(of(self.settle(visitor.session), "response.requested")) == 1
        visitor.close()

    def greeting_interrupted(self):
        """Sound that belongs to no response is broken off: the loudspeaker is free for the answer."""
        visitor = self.device("hello", update={"output": {"speed": 1.25}})
        visitor.start()
        first = visitor.wait("response.output_audio.delta")["item_id"]
        visitor.plays(first, 400)
        visitor.say("My name is Anna Schmidt.")
        visitor.wait("sidevoice.playback.held")
        done = visitor.wait("response.done", lambda e: e["response"]["status"] == "completed")
        visitor.plays_to_end(done["response"]["output"][0]["id"])
        visitor.close()

    def metrics(self):
        status, body = request(self.server.admin_port, "GET", "/metrics")
        assert status == 200, body
        counts = {line.split("{")[1].split("}")[0]: float(line.rsplit(" ", 1)[1]) for line in body.splitlines()
                  if line.startswith("sidevoice_turn_milliseconds_count{")}
        turns = next(float(line.rsplit(" ", 1)[1]) for line in body.splitlines()
                     if line.startswith("sidevoice_turns_measured_total"))
        print(f"   turns measured: {turns:.0f}; counted by part: {counts}")
        assert turns >= 6 and len(counts) >= 6 and set(counts.values()) == {turns}, counts

    def close(self):
        for device in self.devices:
            device.close()


def items_in_order(events):
    """Items as the visitor sees them: by rank, with the words that came later."""
    found = {}
    for kind, body in events:
        if kind == "item.put":
            found[body["item"]["id"]] = (body["rank"], dict(body["item"]))
        elif kind == "input.speech":
            found[body["item"]] = (body["rank"], {"id": body["item"], "kind": "message", "role": "user", "spoken": True,
                                                  "text": ""})
        elif kind == "input.transcribed":
            found[body["item"]][1]["text"] = body.get("text", "")
        elif kind == "item.removed":
            found.pop(body["id"], None)
    return [item for _, item in sorted(found.values(), key=lambda entry: entry[0])]


def topics(events):
    return {body["topic"]: json.loads(body["value"]) for body in of(events, "topic.updated")
            if body.get("value") is not None}


def grunt():
    """A voice, but too short for a word: the detector notices it."""
    return speech("ah", 16000)[2 * 100 * 16:2 * 320 * 16]


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="sidevoice-voice-") as folder:
        place = pathlib.Path(folder)
        fake = Fake(binary, {"rules": [{"match": {"last_user": "long"}, "answer": {"text": LONG}},
                                       {"match": {"last_user": "short"}, "answer": {"text": SHORT}}],
                             "defaults": {"text": "Yes, of course."}})
        config = write_app(place, TALK)
        write_app(place, tale(fake))
        write_app(place, {**TALK, "app": "hello", "conversation": {"greeting": SHORT}})
        server = Server(binary, config, str(place / "data"), env={"VOICE_KEY": KEY, "OPENAI_API_KEY": "fake"})
        server.start()
        voice = Voice(server)
        groups = [
            [("typing and talking alternate in two sessions at once", voice.two_talks),
             ("the sound of the answers is their text", voice.answers_match)],
            [("the seat goes to the second device", voice.seat),
             ("an interruption, own client", voice.interrupted, True),
             ("an interruption, plain client", voice.interrupted, False),
             ("the greeting is interrupted", voice.greeting_interrupted)],
            [("a cough releases the hold", voice.goes_on, grunt(), 0),
             ("a noise is nothing", voice.noise_is_nothing),
             ("mhm does not interrupt", voice.goes_on, speech("Okay.", 16000, stretch=0.35), 1)],
            [(name, check, server) for name, check in voice_bad_input.ON_ONE_SERVER],
            [(name, check, binary, place, config) for name, check in voice_bad_input.WITHOUT_MODELS],
        ]
        wanted = sys.argv[2:]
        groups = [[one for one in group if not wanted or any(part in one[0] for part in wanted)] for group in groups]
        results = [Checks() for _ in groups]

        def work(checks, group):
            for one in group:
                checks.run(*one)

        # They mostly wait for sound to pass: side by side they take as long as the longest.
        threads = [threading.Thread(target=work, args=about) for about in zip(results, groups)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        total = Checks()
        total.passed = sum(r.passed for r in results)
        total.failed = sum(r.failed for r in results)
        if not wanted:
            total.run("/metrics has the turns", voice.metrics)
        voice.close()
        try:
            total.run("the server ends by itself", lambda: check_end(server))
        finally:
            fake.close()
    return total.end()


def check_end(server):
    code = server.stop()
    log = pathlib.Path(server.log_path).read_text(errors="replace")
    assert code == 0 and "ERROR: AddressSanitizer" not in log and "runtime error" not in log, (code, log[-2000:])


if __name__ == "__main__":
    sys.exit(main())
