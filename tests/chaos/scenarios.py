"""What goes on when the server is killed. Each scenario is a function of a `Stage`: it talks until the server dies,
and leaves in `stage.clients` whoever has to come back. Those named starts_* run before the start that is killed, those
named stops_* end with SIGTERM.
"""
import contextlib
import itertools
import os
import random
import signal
import struct
import subprocess
import threading
import time

from harness import BROKEN, KEY, PATIENCE_S, SCRIPT, SENTENCES, Client, Shown, faults_of, until, unsettled
from support_device import Device

TURNS_MOST = 40
PUTS_MOST = 460


def sound(ms, rate=16000, seed=5):
    """A voice as the energy gate hears one: noise that comes and goes."""
    chance = random.Random(seed)
    return b"".join(struct.pack("<h", chance.randint(-9000, 9000)) for _ in range(rate * ms // 1000))


class Talker(Device):
    """A client that talks; its view is built of its frames, as that of the others."""

    def __init__(self, world):
        self.shown, self.world, self.name = Shown(), world, "talker"
        self.unacknowledged, self.acknowledged = {}, {}
        super().__init__(world.server, "talk", key=KEY, timeout=PATIENCE_S)

    def connect(self):
        self.shown.connected()
        self.after, self.store = self.shown.seq, self.shown.store
        super().connect()

    def come_back(self, patience=PATIENCE_S):
        def once():
            try:
                self.connect()
                return True
            except (*BROKEN, AssertionError):
                return None
        until(once, "the talker to come back", patience)

    def take(self, event):
        self.shown.take(event)
        super().take(event)

    def events(self):
        return self.world.ledger.events(self.session)

    def turn(self, text):
        self.typed_turn(text)
        return self.settle()

    def settle(self, patience=PATIENCE_S):
        def settled():
            events = self.events()
            with self.changed:
                return events if not unsettled(events) and self.shown.seq >= events[-1][0] else None
        return until(settled, f"{self.session} to settle", patience)

    def faults(self):
        with self.changed:
            return [f"talker: {fault}" for fault in faults_of(self.events(), self.shown)]

    in_flight = Client.in_flight


class Stage:
    """One hit: the world, and who is in it."""

    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(seed)
        self.clients = []

    def client(self, app="talk", **how):
        fresh = self.world.client(app, **how)
        self.clients.append(fresh)
        return fresh.connect()

    def talker(self):
        fresh = Talker(self.world)
        self.clients.append(fresh)
        fresh.start()
        return fresh

    def is_dead(self):
        return self.world.server.process.poll() is not None

    def await_death(self):
        until(self.is_dead, "the server to die", PATIENCE_S)

    def sentence(self):
        return self.chance.choice(SENTENCES)


def turns(stage, client, texts):
    for text in itertools.islice(texts, TURNS_MOST):
        client.turn(text)
    raise AssertionError("the point was never reached")


# -- while it runs


def typed(stage):
    client = stage.client()
    turns(stage, client, itertools.chain(SENTENCES, itertools.repeat("what do you still need?")))


def interrupted(stage):
    """Most inputs come in the middle of the answer to the one before."""
    client = stage.client()
    for n in range(TURNS_MOST):
        client.put(stage.sentence())
        if n % 3 == 2:
            client.until("response.done", lambda event: event["response"]["status"] == "completed")
        else:
            client.until("response.output_text.delta")
    stage.await_death()


def webhook(stage, words="please book it"):
    turns(stage, stage.client("tools"), itertools.repeat(words))


def webhook_named(stage):
    turns(stage, stage.client("tools"), itertools.repeat("My name is Anna Schmidt, please book it"))


def webhook_twice(stage):
    other = stage.client("tools")
    other.put("please book it")
    webhook(stage)


def page(stage):
    turns(stage, stage.client("tools", page_tool=True), itertools.repeat("please show it"))


def page_beside(stage):
    other = stage.client("tools")
    other.put("please book it")
    page(stage)


def two_visitors(stage):
    other = stage.client()
    other.put("My name is Anna Schmidt")
    webhook_named(stage)


def spoken(stage):
    talker = stage.talker()
    for _ in range(TURNS_MOST):
        mark = talker.mark()
        talker.say(sound(1200) + bytes(2 * 16000))
        talker.wait("response.done", since=mark)
    stage.await_death()


def spoken_beside(stage):
    other = stage.client()
    other.put("what do you still need?")
    spoken(stage)


def seats(stage):
    """One device after the other, each in the middle of an answer when the next one takes a seat."""
    for _ in range(TURNS_MOST):
        talker = stage.talker()
        talker.type(stage.sentence())
    stage.await_death()


def seats_beside(stage):
    other = stage.client("tools")
    other.put("please book it")
    seats(stage)


def comes(stage):
    for _ in range(TURNS_MOST):
        stage.client().put("what do you still need?")
    stage.await_death()


def leaves(stage):
    """Visitors who have had their answer go away, and their sessions go to sleep."""
    for _ in range(6):
        client = stage.client()
        client.turn("hello there")
        client.line.close()
    stage.await_death()


def leaves_beside(stage):
    other = stage.client("tools")
    other.put("please book it")
    leaves(stage)


def fill(stage, client, between=lambda n: None):
    for n in range(PUTS_MOST):
        item = client.put(f"note {n}", answer=False)
        client.until("conversation.item.added", lambda event, item=item: event["item"]["id"] == item)
        between(n)
    stage.await_death()


def long(stage):
    fill(stage, stage.client())


def long_typed(stage):
    client = stage.client()
    fill(stage, client, lambda n: client.put("what do you still need?") if n % 60 == 59 else None)


def long_two(stage):
    other = stage.client()
    other.put("what do you still need?")
    fill(stage, stage.client())


def new_release(stage, client=None):
    """The app file changes while the server runs."""
    def once():
        stage.world.write_apps(stage.world.fake.url, greeting=f"Hello, says number {time.monotonic_ns()}.")
        if not stage.is_dead():
            stage.world.server.process.send_signal(signal.SIGHUP)
        threading.Event().wait(0.2)
        return stage.is_dead()
    if client is None:
        stage.client()
    until(once, "the server to die", PATIENCE_S)


def new_release_typed(stage):
    client = stage.client()
    client.put("what do you still need?")
    new_release(stage, client)


def key(stage, fault):
    """The program that makes a key dies beside a server that talks. Not the server: it must not notice."""
    client = stage.client()
    client.put("what do you still need?")
    world = stage.world
    command = [world.binary, "keys", "create", "--data", world.server.data, "--app", "talk", "--name", fault]
    made = subprocess.run(command, env=dict(os.environ, SIDEVOICE_FAULT=fault), capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    assert made.returncode == -signal.SIGKILL, f"the key's program ended with {made.returncode}: {made.stderr}"
    client.settle()


# -- before a start that is killed


def starts_idle(stage):
    stage.client().turn("hello there")


def starts_typed(stage):
    stage.world.fake.script(SCRIPT)
    client = stage.client()
    client.put("tell me a story")
    client.until("response.output_text.delta")


def starts_webhook(stage):
    """The webhook answers nobody before the server that asked is dead."""
    server = stage.world.server.process

    def held(handler, call):
        stage.world.tools.answers.pop("book", None)
        until(lambda: server.poll() is not None, "the server that asked to die", PATIENCE_S)
        handler.answer(200, f"{{\"done\": \"{call['name']}\"}}")
    stage.world.tools.answers["book"] = held
    client = stage.client("tools")
    client.put("please book it")
    client.until("conversation.item.added", lambda event: event["item"].get("type") == "function_call")


def starts_spoken(stage):
    talker = stage.talker()
    mark = talker.mark()
    talker.say(sound(1200) + bytes(2 * 16000))
    talker.wait("input_audio_buffer.committed", since=mark)


def starts_two(stage):
    starts_typed(stage)
    starts_webhook(stage)


# -- before SIGTERM


def stops(stage, prepare):
    prepare(stage)
    stage.world.server.process.terminate()
    with contextlib.suppress(*BROKEN, AssertionError):
        while True:
            stage.clients[0].take(PATIENCE_S) if isinstance(stage.clients[0], Client) else stage.await_death()
            if stage.is_dead():
                return


def stops_idle(stage):
    stops(stage, starts_idle)


def stops_typed(stage):
    stops(stage, starts_typed)


def stops_webhook(stage):
    stops(stage, starts_webhook)


def stops_spoken(stage):
    stops(stage, starts_spoken)


def stops_two(stage):
    stops(stage, starts_two)
