"""The wall clock jumps (libfaketime; the monotonic clock stays), between turns and in the middle of an answer."""
import glob
import os
import time

from harness import World

JUMPS = (("+1 h", 3600), ("-1 h", -3600), ("+1 day", 86400), ("-1 day", -86400))
# Longer than an answer of the fake's takes, shorter than any deadline of the server's.
TURN_MOST_S = 14


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


def world_with_clock(binary, folder):
    stamp = os.path.join(folder, "clock")
    set_clock(stamp, 0)
    world = World(binary, folder, env={
        "LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": stamp, "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    return world, stamp


def set_clock(stamp, offset):
    with open(stamp + ".new", "w", encoding="ascii") as out:
        out.write(f"{offset:+d}s\n")
    os.replace(stamp + ".new", stamp)


def jump(world, stamp, offset, faults):
    """A jump in the middle of an answer, a turn behind it, a jump back, and a turn again."""
    client = world.client().connect()
    passed = world.metric("sidevoice_deadlines_passed_total")
    longest = 0.0
    for clock in (offset, 0):
        client.put("what do you still need?")
        client.until("response.output_text.delta")
        set_clock(stamp, clock)
        begin = time.monotonic()
        client.settle()
        client.turn("My name is Anna Schmidt")
        longest = max(longest, time.monotonic() - begin)
    late = world.metric("sidevoice_deadlines_passed_total") - passed
    if late:
        faults.append(f"{late:.0f} deadlines fired because of a jump of the wall clock")
    if longest > 2 * TURN_MOST_S:
        faults.append(f"a turn took {longest:.1f} s after the jump")
    rows = world.ledger.query("select at from events where session_id=?1 order by seq", client.session)
    steps = [after - before for (before,), (after,) in zip(rows, rows[1:])]
    if not any(abs(step - 1000 * offset) < 60_000 for step in steps):
        faults.append(f"the journal's clock did not jump by {offset} s: nothing was tested")
    status = world.ledger.query(
        "select json_extract(body,'$.status') from events where session_id=?1 and type='response.done'", client.session)
    if {row[0] for row in status} != {"completed"}:
        faults.append(f"answers ended as {status}")
    faults += client.faults()
    client.close()
    return longest


def run(binary, folder, table, short):
    if library() is None:
        return table.skip("the wall clock jumps", "needs libfaketime (scripts/install.sh chaos)")
    world, stamp = world_with_clock(binary, folder)
    try:
        world.start()
        for name, offset in JUMPS[:2] if short else JUMPS:
            faults = []
            longest = jump(world, stamp, offset, faults)
            table.add([f"the wall clock jumps by {name} in the middle of an answer, and back in the next", "2",
                       "nothing: no deadline fired, answers whole, numbers linear", f"{longest:.2f} s for both turns"],
                      faults)
        world.server.stop()
    finally:
        world.close()
    return None
