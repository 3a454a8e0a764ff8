"""Words as sound, and noise, for tests of speech."""
import functools
import pathlib
import random
import re
import struct
import subprocess
import tempfile

@functools.lru_cache(maxsize=None)
def speech(text, rate, voice="rms", stretch=1.0):
    """What flite says, as PCM16. `stretch`: below 1 it speaks faster."""
    with tempfile.TemporaryDirectory() as folder:
        wav, raw = pathlib.Path(folder, "a.wav"), pathlib.Path(folder, "a.raw")
        subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", str(wav)], check=True)
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
