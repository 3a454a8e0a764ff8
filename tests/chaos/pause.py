"""The process stands still (SIGSTOP), for less and for more than clients bear, and goes on."""
import signal
import subprocess
import threading
import time

from harness import BROKEN, PATIENCE_S

# After so long without a word our client gives its socket up and opens another (clients/js/session.js).
SILENCE_S = 15


def second_process(world):
    """A second server on the same folder: its exit code and what it says."""
    other = subprocess.run([world.binary, "serve", "--config", world.server.config, "--data", world.server.data,
                            "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--no-speech"],
                           env=world.server.env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return other.returncode, other.stderr.strip().splitlines()[-1:]


def stands_still(world, seconds, faults):
    client = world.client().connect()
    client.put("what do you still need?")
    client.until("response.output_text.delta")
    process = world.server.process
    process.send_signal(signal.SIGSTOP)
    going_on = threading.Timer(seconds, process.send_signal, [signal.SIGCONT])
    going_on.start()
    begin = time.monotonic()
    code, words = second_process(world)
    if code == 0 or "holds the data folder" not in " ".join(words):
        faults.append(f"a second process beside a stopped one: exit {code}, {words}")
    lost = "nothing: the frames came late"
    try:
        while time.monotonic() - begin < seconds:
            client.take(min(SILENCE_S, max(0.05, begin + seconds - time.monotonic())))
    except TimeoutError:
        if seconds > SILENCE_S:
            # As our client does: the socket has gone silent, so it drops it and asks for another.
            client.line.cut()
            lost = f"silence for {SILENCE_S} s, then another socket"
            going_on.join()
            client.come_back()
    going_on.join()
    ended = time.monotonic()
    try:
        client.settle()
        client.turn("are you there?")
    except BROKEN:
        client.come_back()
        client.turn("are you there?")
    normal = time.monotonic() - ended
    faults += client.faults()
    client.close()
    return lost, normal


def run(world, table, short):
    world.start()
    for seconds, times in ((2, 1),) if short else ((2, 3), (20, 2)):
        for _ in range(times):
            faults = []
            lost, normal = stands_still(world, seconds, faults)
            table.add([f"SIGSTOP for {seconds} s in the middle of an answer, then SIGCONT", "1", lost + "; a second "
                       "process could not take the folder", f"{normal:.2f} s"], faults)
    world.server.stop()
