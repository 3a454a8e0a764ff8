"""A visitor's voice: sentences spoken by flite, made into a client's format by sox, and sent as a microphone would."""

import array
import asyncio
from asyncio import sleep as pause
import functools
import re
import subprocess
import tempfile
from typing import NamedTuple


class Format(NamedTuple):
    wire: dict
    sox: tuple
    bytes_per_ms: int
    silence: bytes


FORMATS = {
    "pcm": Format({"type": "audio/pcm", "rate": 24000}, ("-r", "24000", "-e", "signed-integer", "-b", "16"), 48, b"\0"),
    "pcmu": Format({"type": "audio/pcmu"}, ("-r", "8000", "-e", "mu-law", "-b", "8"), 8, b"\xff"),
    "pcma": Format({"type": "audio/pcma"}, ("-r", "8000", "-e", "a-law", "-b", "8"), 8, b"\xd5"),
}
PIECE_MS = 40


@functools.lru_cache
def spoken(text, form):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        # None of the voices that the agent has by default.
        subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", file.name], check=True)
        command = ["sox", "-D", file.name, "-t", "raw", "-c", "1", *FORMATS[form].sox, "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout


def voice_in(text):
    """Where in a sentence the voice begins and ends, in ms."""
    samples = array.array("h", spoken(text, "pcm"))
    loud = [at for at, sample in enumerate(samples) if abs(sample) > 600]
    return loud[0] // 24, loud[-1] // 24


class Microphone:
    """Sends without a break, in real time: what is said, and silence where nothing is."""

    def __init__(self, send, form):
        self.send, self.name, self.form = send, form, FORMATS[form]
        self.waiting = []
        self.sent = 0
        self.task = None

    def start(self):
        self.task = asyncio.create_task(self.run())

    async def stop(self):
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def say(self, text):
        """Returns when the last piece of it has gone: where on the connection it began, in ms."""
        gone = asyncio.get_running_loop().create_future()
        self.waiting.append([spoken(text, self.name), 0, gone])
        # A microphone that has broken down says nothing.
        await asyncio.wait([gone, self.task], return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            self.task.result()
        return gone.result()

    async def run(self):
        loop = asyncio.get_running_loop()
        began, before = loop.time(), self.sent
        while True:
            due = before + int(1000 * (loop.time() - began) / PIECE_MS)
            while self.sent < due:
                await self.send(self.piece())
                self.sent += 1
            await pause(began + (self.sent - before + 1) * PIECE_MS / 1000 - loop.time())

    def piece(self):
        size = PIECE_MS * self.form.bytes_per_ms
        if not self.waiting:
            return self.form.silence * size
        sound, at, gone = self.waiting[0]
        piece = sound[at : at + size]
        self.waiting[0][1] = at + size
        if at + size >= len(sound):
            self.waiting.pop(0)
            gone.set_result(self.sent * PIECE_MS - at // self.form.bytes_per_ms)
        return piece + self.form.silence * (size - len(piece))


def plain_words(text):
    return re.findall("[a-z0-9]+", text.lower().replace("'", ""))


def word_error_rate(said, heard):
    """Words to put in, leave out or change, for each word that was said."""
    a, b = plain_words(said), plain_words(heard)
    row = list(range(len(b) + 1))
    for i, word in enumerate(a):
        above, row = row, [i + 1]
        for j, other in enumerate(b):
            row.append(min(above[j] + (word != other), above[j + 1] + 1, row[j] + 1))
    return row[-1] / len(a)
