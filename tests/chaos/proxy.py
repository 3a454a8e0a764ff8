"""A bad network (toxiproxy): between the server and its clients, and between the server and its vendor."""
import contextlib
import http.client
import json
import re
import socket
import subprocess
import threading
import time

from harness import BROKEN, HERE, PATIENCE_S, Closed, World, until

# What our client waits for an acknowledgement before it takes another socket.
SILENCE_S = 15
SLICES = {"average_size": 3, "size_variation": 2, "delay": 50}
# (name, toxics as (type, stream, attributes), does the socket survive it)
TOXICS = (
    ("300 ms of delay, up to 200 ms more, both ways", (("latency", "downstream", {"latency": 300, "jitter": 200}),
                                                       ("latency", "upstream", {"latency": 300, "jitter": 200}))),
    ("4 KiB/s", (("bandwidth", "downstream", {"rate": 4}), ("bandwidth", "upstream", {"rate": 4}))),
    ("frames cut into pieces of 3 bytes", (("slicer", "downstream", SLICES), ("slicer", "upstream", SLICES))),
    ("the end of a connection comes 3 s late", (("slow_close", "downstream", {"delay": 3000}),)),
    ("reset after 400 ms", (("reset_peer", "downstream", {"timeout": 400}),)),
    ("cut after 900 bytes", (("limit_data", "downstream", {"bytes": 900}),)),
    ("a black hole", (("timeout", "downstream", {"timeout": 0}), ("timeout", "upstream", {"timeout": 0}))),
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program():
    """The proxy's program; None and why where it cannot be had."""
    script = str(HERE.parents[1] / "scripts" / "toxiproxy.sh")
    built = subprocess.run([script], capture_output=True, text=True, check=False)
    return (built.stdout.strip(), "") if built.returncode == 0 else (None, built.stderr.strip().splitlines()[-1])


class Proxy:
    """One toxiproxy with one route."""

    def __init__(self, binary, upstream):
        self.api, self.port = free_port(), free_port()
        self.process = subprocess.Popen([binary, "-host", "127.0.0.1", "-port", str(self.api)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.ask("GET", "/version"), "the proxy to start", PATIENCE_S)
        self.upstream = upstream
        assert self.ask("POST", "/proxies", {"name": "way", "listen": f"127.0.0.1:{self.port}",
                                             "upstream": f"127.0.0.1:{upstream}", "enabled": True}), "no route"

    def ask(self, method, path, body=None):
        line = http.client.HTTPConnection("127.0.0.1", self.api, timeout=PATIENCE_S)
        try:
            line.request(method, path, json.dumps(body) if body is not None else None,
                         {"Content-Type": "application/json"})
            reply = line.getresponse()
            text = reply.read().decode()
            return (text or "ok") if reply.status < 300 else None
        except OSError:
            return None
        finally:
            line.close()

    def poison(self, toxics):
        for number, (kind, stream, attributes) in enumerate(toxics):
            assert self.ask("POST", "/proxies/way/toxics", {"name": f"t{number}", "type": kind, "stream": stream,
                                                            "attributes": attributes}), f"{kind} was refused"

    def cure(self):
        """The network is well again; connections of before may be stuck in what they were."""
        assert self.ask("POST", "/reset"), "the proxy cannot be reset"

    def cut(self):
        """Ends every connection."""
        for enabled in (False, True):
            assert self.ask("POST", "/proxies/way", {"enabled": enabled})

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def on_bad_line(world, proxy, toxics, faults):
    """A client that talks while its network is bad. Gives what it saw, and the seconds to the next answer."""
    client = world.client(through=proxy.port).connect()
    client.turn("hello there")
    proxy.poison(toxics)
    breaks = 0
    curing = None
    for text in ("My name is Anna Schmidt", "what do you still need?"):
        try:
            client.put(text)
            client.until("response.done", timeout=SILENCE_S)
        except BROKEN:
            breaks += 1
            client.line.cut()
            # A network that is bad for good lets nobody back in; it gets better while the client tries.
            curing = threading.Timer(2.0, proxy.cure)
            curing.start()
            client.come_back()
    if curing:
        curing.join()
    proxy.cure()
    began = time.monotonic()
    try:
        client.turn("are you there?")
    except BROKEN:
        breaks += 1
        client.come_back()
        client.settle()
        client.turn("are you there?")
    normal = time.monotonic() - began
    faults += client.faults()
    client.close()
    return f"{breaks} lost sockets, each taken up again" if breaks else "slow answers", normal


def with_bad_vendor(world, proxy, toxics, faults):
    """The way to the vendor is bad: every response has a named end, and the next good moment an answer."""
    client = world.client().connect()
    proxy.cut()
    proxy.poison(toxics)
    client.put("what do you still need?")
    began = time.monotonic()
    try:
        done = client.until("response.done", timeout=90)["response"]
        took = time.monotonic() - began
        details = done.get("status_details") or {}
        outcome = " ".join(filter(None, (done["status"], str((details.get("error") or {}).get("code")
                                                             or details.get("reason") or ""))))
    except (TimeoutError, Closed) as why:
        took = time.monotonic() - began
        outcome = f"none: {why}"
        faults.append(f"a response had no end within {took:.0f} s")
    proxy.cure()
    proxy.cut()
    began = time.monotonic()

    def answered():
        done = [body for _, kind, body in client.turn("are you there?") if kind == "response.done"][-1]
        return done["status"] == "completed"
    try:
        until(answered, "an answer behind the bad line", PATIENCE_S)
    except AssertionError as why:
        faults.append(str(why))
    normal = time.monotonic() - began
    ended = [body for _, kind, body in client.events() if kind == "response.done"]
    named = [body for body in ended if body["status"] in ("failed", "incomplete") and not body.get("reason")]
    if named:
        faults.append(f"an answer failed without a reason: {named}")
    # One that failed is an end with a name, and no loss: its input is there.
    faults += [fault for fault in client.faults() if not re.search(r"ends with (failed|incomplete)$", fault)]
    client.close()
    return f"{outcome} after {took:.1f} s", normal


def run(binary, folder, table, short):
    toxiproxy, why = program()
    if toxiproxy is None:
        return table.skip("bad networks", why)
    toxics = TOXICS[3:6] if short else TOXICS
    world = World(binary, folder)
    with contextlib.ExitStack() as ends:
        ends.callback(world.close)
        world.start()
        proxy = Proxy(toxiproxy, world.server.port)
        ends.callback(proxy.close)
        for name, what in toxics:
            faults = []
            saw, normal = on_bad_line(world, proxy, what, faults)
            table.add([f"between clients and server: {name}", "1", saw, f"{normal:.2f} s"], faults)
        vendor = Proxy(toxiproxy, world.fake.port)
        ends.callback(vendor.close)
        world.write_apps(f"http://127.0.0.1:{vendor.port}/v1")
        world.server.kill()
        world.start()
        for name, what in toxics:
            faults = []
            saw, normal = with_bad_vendor(world, vendor, what, faults)
            table.add([f"between server and vendor: {name}", "1", saw, f"{normal:.2f} s"], faults)
        world.server.stop()
    return None
