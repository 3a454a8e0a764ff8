"""A device with microphone and loudspeaker on a real socket.

The microphone runs in real time on a thread of its own, as one does; everything else waits for events.
"""
import base64
import os
import threading
import time

from support import KEY, PATIENCE_S, Closed, RealtimeClient
from support_sound import speech, length_ms, words

SPEAKER_RATE = 24000
TICK_S = 0.1
REPORT_S = 0.2

class Kept:
    """The microphone's sound that the server may still need, as clients/js/audio/kept_speech.js keeps it."""

    def __init__(self, rate):
        self.rate = rate
        self.stream = "mic_" + os.urandom(6).hex()
        self.begin = 0  # in samples, as everything here
        self.pcm = bytearray()

    @property
    def end_ms(self):
        return (self.begin + len(self.pcm) // 2) * 1000 // self.rate

    @property
    def from_ms(self):
        return self.begin * 1000 // self.rate

    def acknowledge(self, stream, to_ms):
        if stream != self.stream:
            return
        gone = min(to_ms * self.rate // 1000 - self.begin, len(self.pcm) // 2)
        if gone > 0:
            del self.pcm[:2 * gone]
            self.begin += gone

class Loudspeaker:
    """What is played when: by the clock, in the order of arrival, standing still while it is held."""

    def __init__(self, rate=SPEAKER_RATE):
        self.rate = rate
        self.items = {}  # item -> ms that have come; in order
        self.played = {}
        self.held = False
        self.last = time.monotonic()

    def advance(self):
        now = time.monotonic()
        left, self.last = (now - self.last) * 1000, now
        if self.held:
            return
        for item, come in self.items.items():
            step = min(left, come - self.played[item])
            self.played[item] += step
            left -= step

    def add(self, item, pcm):
        self.advance()
        self.items[item] = self.items.get(item, 0) + len(pcm) * 500 / self.rate
        self.played.setdefault(item, 0.0)

    def hold(self, held):
        self.advance()
        self.held = held

    def flush(self, item):
        """Where it stopped, or None if nothing of it was to be heard."""
        self.advance()
        if item not in self.items:
            return None
        self.items[item] = self.played[item]
        return round(self.played[item])

    def now(self):
        """(item, ms) of what is playing."""
        self.advance()
        for item, come in self.items.items():
            if self.played[item] < come:
                return item, round(self.played[item])
        return None

class Device:
    """A client that talks. `own`: with our extension, as our JavaScript client behaves; else a plain Realtime client.

    `frames` is all it was shown: (seconds of the monotonic clock, event).
    """

    def __init__(self, server, app, own=True, session=None, key=KEY, update=None, timeout=PATIENCE_S):
        self.server, self.app, self.own, self.key, self.timeout = server, app, own, key, timeout
        self.rate = 16000 if own else 24000
        self.update = update or {}
        self.session, self.after, self.store = session, 0, ""
        self.frames, self.sound = [], {}
        self.reports = []  # to be sent by the reader, which takes events under a lock
        self.stopped = {}  # item -> where the loudspeaker was stopped
        self.changed = threading.Condition()
        self.sending = threading.RLock()
        self.speaker = Loudspeaker()
        self.kept = None
        self.waiting = bytearray()  # what the microphone will hear
        self.flowing = False
        self.closed = None
        self.microphone = None
        self.stopping = threading.Event()
        self.connect()

    # -- the socket

    def connect(self):
        path = f"/v1/realtime?model={self.app}" + (f"&session={self.session}" if self.session else "")
        line = self.open(path)
        mark = self.mark()
        with self.changed:
            self.closed, self.line = None, line
        threading.Thread(target=self.read, args=(line,), daemon=True).start()
        self.session = self.wait("session.created", since=mark)["session"]["id"]
        if self.own:
            self.send({"type": "sidevoice.session.resume", "after_seq": self.after, "store": self.store})
            self.wait(("sidevoice.session.snapshot", "sidevoice.session.resumed"), since=mark)
        if self.kept:
            self.ask()

    def open(self, path):
        """A server that starts may say "in a moment" once."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return RealtimeClient(self.server.port, path, key=self.key,
                                      protocols=("sidevoice.v1",) if self.own else ("realtime",), timeout=self.timeout)
            except (Closed, OSError) as why:
                if time.monotonic() > deadline or ("503" not in str(why) and not isinstance(why, OSError)):
                    raise
                self.stopping.wait(0.05)

    def read(self, line):
        while True:
            try:
                event = line.receive(600)
            except (Closed, TimeoutError, OSError, ValueError) as why:
                with self.changed:
                    if self.line is line:
                        self.closed, self.flowing = why, False
                    self.changed.notify_all()
                return
            with self.changed:
                self.take(event)
                self.frames.append((time.monotonic(), event))
                self.changed.notify_all()
                reports, self.reports = self.reports, []
            for report in reports:
                self.send(report)

    def take(self, event):
        kind = event["type"]
        if isinstance(event.get("seq"), int):
            self.after = max(self.after, event["seq"])
        if kind == "sidevoice.session.snapshot":
            self.store = event["store"]
        elif kind == "sidevoice.audio.acknowledged" and self.kept:
            self.kept.acknowledge(event["stream"], event["to_ms"])
        elif kind == "response.output_audio.delta":
            pcm = base64.b64decode(event["delta"])
            self.sound[event["item_id"]] = self.sound.get(event["item_id"], b"") + pcm
            self.speaker.add(event["item_id"], pcm)
        elif kind in ("sidevoice.playback.held", "sidevoice.playback.released"):
            self.speaker.hold(kind.endswith("held"))
        elif kind == "response.done" and event["response"]["status"] == "cancelled":
            self.speaker.hold(False)
            for item in event["response"]["output"]:
                self.flush(item["id"])
        elif kind == "input_audio_buffer.speech_started" and not self.own:
            # What is played is none of the server's business any more: official clients flush here.
            playing = self.speaker.now()
            if playing:
                self.flush(playing[0])
        elif kind == "sidevoice.voice.seat" and event["state"] != "yours":
            self.flowing = False

    def flush(self, item):
        at = self.speaker.flush(item)
        if at is None:
            return
        self.stopped.setdefault(item, at)
        if self.own:
            self.reports.append({"type": "sidevoice.playback.report", "item_id": item, "played_ms": at})

    def send(self, event):
        try:
            with self.sending:
                self.line.send(event)
            return True
        except (Closed, OSError):
            return False

    def mark(self):
        with self.changed:
            return len(self.frames)

    def find(self, kinds, where=lambda event: True, since=0):
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        with self.changed:
            return [(at, e) for at, e in self.frames[since:] if e["type"] in kinds and where(e)]

    def wait(self, kinds, where=lambda event: True, since=0, patience=None):
        """The first such event after the mark `since`, also one that is there already."""
        deadline = time.monotonic() + (patience or self.timeout)
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        at = since
        with self.changed:
            while True:
                for _, event in self.frames[at:]:
                    if event["type"] in kinds and where(event):
                        return event
                at = len(self.frames)
                if self.closed is not None:
                    raise Closed(f"{self.closed}; waited for {kinds}")
                if not self.changed.wait(max(0.0, deadline - time.monotonic())):
                    seen = [e["type"] for _, e in self.frames[since:]]
                    raise AssertionError(f"no {kinds} came; there were {seen[-30:]}")

    # -- the microphone

    def start(self):
        """Switches the microphone on; from here on it hears silence, or what is said to it."""
        self.kept = Kept(self.rate)
        mark = self.mark()
        self.ask()
        self.microphone = threading.Thread(target=self.capture, daemon=True)
        self.microphone.start()
        if self.own:
            # Who has it already is not told again.
            held = [seat for _, seat in self.find("sidevoice.voice.seat")][-1:]
            seat = held[0] if held else self.wait("sidevoice.voice.seat", since=mark)
            assert seat["state"] == "yours", seat

    def ask(self):
        """Tells this socket of the stream, and sends what the server may not have."""
        session = {"type": "realtime", "output_modalities": ["audio"], "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": self.rate}, **self.update.get("input", {})},
            "output": {"format": {"type": "audio/pcm", "rate": SPEAKER_RATE}, **self.update.get("output", {})}}}
        if not self.own:
            session["audio"]["input"].setdefault("transcription", {"model": "whisper-1"})
        with self.sending:
            self.send({"type": "session.update", "session": session})
            with self.changed:
                begin, pcm = self.kept.from_ms, bytes(self.kept.pcm)
            if self.own:
                self.send({"type": "sidevoice.audio.replay", "stream": self.kept.stream, "from_ms": begin})
                piece = self.rate * 2 * 400 // 1000
                for at in range(0, len(pcm), piece):
                    self.append(pcm[at:at + piece])
            self.flowing = True

    def append(self, pcm):
        return self.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})

    def capture(self):
        size = int(self.rate * TICK_S) * 2
        due = time.monotonic()
        reported = 0.0
        while not self.stopping.is_set():
            with self.sending:
                with self.changed:
                    chunk = bytes(self.waiting[:size])
                    del self.waiting[:size]
                    chunk += bytes(size - len(chunk))
                    self.kept.pcm += chunk
                    if not self.own:
                        self.kept.acknowledge(self.kept.stream, self.kept.end_ms)
                    playing = self.speaker.now()
                    self.changed.notify_all()
                if self.flowing:
                    self.append(chunk)
                    if self.own and playing and playing[1] > 0 and time.monotonic() - reported >= REPORT_S:
                        reported = time.monotonic()
                        self.send({"type": "sidevoice.playback.report", "item_id": playing[0],
                                   "played_ms": playing[1]})
            due += TICK_S
            self.stopping.wait(max(0.0, due - time.monotonic()))

    def say(self, what, voice="rms"):
        """Speaks into the microphone: a text, or sound of its rate. Gives the position in ms where it begins."""
        pcm = speech(what, self.rate, voice) if isinstance(what, str) else what
        with self.changed:
            begin = self.kept.end_ms + length_ms(self.waiting, self.rate)
            self.waiting += pcm
            return begin

    def heard_to(self, position_ms, patience=None):
        """Waits until the microphone has heard so much."""
        deadline = time.monotonic() + (patience or self.timeout)
        with self.changed:
            while self.kept.end_ms < position_ms:
                assert self.changed.wait(max(0.0, deadline - time.monotonic())), "the microphone stands still"

    def hears(self, condition, what, patience=None):
        """Waits for something of the loudspeaker, which the microphone's thread looks at in every tick."""
        deadline = time.monotonic() + (patience or self.timeout)
        with self.changed:
            while not condition():
                assert self.changed.wait(max(0.0, deadline - time.monotonic())), f"waited for {what}"

    def plays(self, item, at_ms):
        self.hears(lambda: self.speaker.played.get(item, 0) >= at_ms, f"{item} to be played to {at_ms} ms")

    def plays_to_end(self, item):
        self.hears(lambda: self.speaker.items.get(item, 0) > 0
                   and self.speaker.played[item] >= self.speaker.items[item], f"{item} to be played to its end")

    # -- turns

    def type(self, text):
        item = "in_" + os.urandom(6).hex()
        event = {"type": "conversation.item.create", "item": {
            "id": item, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}}
        mark = self.mark()
        if self.own:
            self.send({**event, "answer": True})
        else:
            self.send(event)
            self.send({"type": "response.create"})
        self.wait("conversation.item.added", lambda e: e["item"]["id"] == item, since=mark)
        return item

    def typed_turn(self, text):
        """Types; gives the answer's response.done once all of it was said."""
        mark = self.mark()
        self.type(text)
        return self.wait("response.done", lambda e: e["response"]["status"] == "completed", since=mark)

    def transcript(self, since):
        """The words of the next utterance that has words: (item, text)."""
        done = self.wait("conversation.item.input_audio_transcription.completed",
                         lambda e: bool(words(e["transcript"])), since=since)
        return done["item_id"], done["transcript"]

    def spoken_turn(self, what, voice="rms"):
        """Speaks; gives (item, its transcript, response.done)."""
        mark = self.mark()
        self.say(what, voice)
        item, text = self.transcript(mark)
        done = self.wait("response.done", lambda e: e["response"]["status"] == "completed", since=mark)
        return item, text, done

    def retrieve(self, item):
        mark = self.mark()
        self.send({"type": "conversation.item.retrieve", "item_id": item})
        return self.wait("conversation.item.retrieved", lambda e: e["item"]["id"] == item, since=mark)["item"]

    def close(self):
        self.stopping.set()
        if self.microphone:
            self.microphone.join(5)
        with self.sending:
            try:
                self.line.close()
            except OSError:
                pass

    def cut(self):
        with self.sending:
            self.line.cut()

def text_of(item):
    """What an item says."""
    return "".join(part.get("transcript") or part.get("text") or "" for part in item["content"])
