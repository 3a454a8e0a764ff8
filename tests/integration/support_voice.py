"""What tests of speech share: words as sound, and a device with microphone and loudspeaker on a real socket.

The microphone runs in real time on a thread of its own, as one does; everything else waits for events.
"""
import base64
import functools
import os
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import threading
import time

from support import KEY, PATIENCE_S, Closed, RealtimeClient

SPEAKER_RATE = 24000
TICK_S = 0.1
REPORT_S = 0.2

# -- sound ----------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def speech(text, rate, voice="rms"):
    """What flite says, as PCM16."""
    with tempfile.TemporaryDirectory() as folder:
        wav, raw = pathlib.Path(folder, "a.wav"), pathlib.Path(folder, "a.raw")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True)
        subprocess.run(["sox", str(wav), "-r", str(rate), "-c", "1", "-b", "16", "-e", "signed-integer", str(raw)],
                       check=True)
        return raw.read_bytes()

def silence(ms, rate):
    return bytes(2 * (rate * ms // 1000))

def noise(ms, rate, level=0.3, seed=7):
    chance = random.Random(seed)
    peak = int(32767 * level)
    return b"".join(struct.pack("<h", chance.randint(-peak, peak)) for _ in range(rate * ms // 1000))

def clipped(pcm, gain=40):
    """As an amplifier that is turned up much too far."""
    count = len(pcm) // 2
    return struct.pack(f"<{count}h", *(max(-32768, min(32767, gain * s)) for s in struct.unpack(f"<{count}h", pcm)))

def length_ms(pcm, rate):
    return len(pcm) * 500 // rate

def at_rate(pcm, rate_in, rate_out):
    form = ["-c", "1", "-b", "16", "-e", "signed-integer", "-t", "raw"]
    return subprocess.run(["sox", "-r", str(rate_in), *form, "-", "-r", str(rate_out), *form, "-"], input=pcm,
                          check=True, capture_output=True).stdout

def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())

def word_errors(said, heard):
    """The share of wrong, missing and additional words."""
    a, b = words(said), words(heard)
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1] / max(1, len(a))

# -- the device -----------------------------------------------------------------------------------

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
