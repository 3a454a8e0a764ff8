#!/usr/bin/env python3
"""Every named point at which chaos tests kill the server: what is in flight there, and how it is reached.

  points.py    compares this list with the sources; a fault_point that is missing here, or is there no more, fails

The one list of them. A hit is (scenario of scenarios.py, n): SIGKILL at the n-th passing of the point.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("config", "persistence", "providers", "actors", "gateway", "cluster", "cli")
HITS_LEAST = 5

Point = collections.namedtuple("Point", "flying hits")

ANSWERS = (("typed", 1), ("typed", 3), ("interrupted", 2), ("webhook", 2), ("spoken", 1))
CALLS = (("webhook", 1), ("webhook", 2), ("webhook", 3), ("two_visitors", 1), ("webhook_twice", 2))
VOICE = (("spoken", 1), ("spoken", 2), ("spoken", 3), ("spoken_beside", 1), ("spoken_beside", 2))
AT_START = (("starts_typed", 1), ("starts_webhook", 1), ("starts_spoken", 1), ("starts_two", 1), ("starts_idle", 1))
AT_STOP = (("stops_idle", 1), ("stops_typed", 1), ("stops_webhook", 1), ("stops_spoken", 1), ("stops_two", 1))

POINTS = {
    "append.before": Point("events of a session, not yet written", (
        ("typed", 2), ("typed", 9), ("interrupted", 7), ("webhook", 8), ("spoken", 6), ("starts_typed", 1))),
    "append.after": Point("events that are durable, of which nobody knows", (
        ("typed", 2), ("typed", 9), ("interrupted", 7), ("webhook", 8), ("spoken", 6), ("starts_typed", 1))),
    "claim.before": Point("a session that is to be owned", (
        ("comes", 1), ("comes", 2), ("comes", 3), ("starts_typed", 1), ("starts_two", 1))),
    "claim.after": Point("a session that is owned, and nobody runs it", (
        ("comes", 1), ("comes", 2), ("comes", 3), ("starts_typed", 1), ("starts_two", 1))),
    "session.claimed": Point("a session's actor that has its journal and has told nobody", (
        ("comes", 1), ("comes", 3), ("starts_typed", 1), ("starts_webhook", 1), ("starts_two", 2))),
    "session.passivates": Point("a session that goes to sleep", (
        ("leaves", 1), ("leaves", 2), ("leaves", 3), ("leaves_beside", 1), ("leaves_beside", 2))),
    "snapshot.before": Point("a snapshot of 200 events, not yet written", (
        ("long", 1), ("long", 2), ("long_typed", 1), ("long_typed", 2), ("long_two", 2))),
    "snapshot.after": Point("a snapshot that is durable", (
        ("long", 1), ("long", 2), ("long_typed", 1), ("long_typed", 2), ("long_two", 2))),
    "release.before": Point("an app's release, not yet written", (
        ("starts_idle", 1), ("starts_typed", 1), ("starts_webhook", 1), ("new_release", 3), ("new_release_typed", 3))),
    "release.after": Point("an app's release that is durable", (
        ("starts_idle", 1), ("starts_typed", 1), ("starts_webhook", 1), ("new_release", 3), ("new_release_typed", 3))),
    "key.before": Point("a server key, made beside the running server, not yet written", tuple(
        ("key", 1) for _ in range(HITS_LEAST))),
    "key.after": Point("a server key that is durable and was shown to nobody", tuple(
        ("key", 1) for _ in range(HITS_LEAST))),
    "input.handed_to_store": Point("an input that waits for its commit", (
        ("typed", 1), ("typed", 4), ("interrupted", 3), ("webhook", 2), ("long", 50))),
    "input.durable": Point("an input that is durable; its sender does not know", (
        ("typed", 1), ("typed", 4), ("interrupted", 3), ("webhook", 2), ("long", 50))),
    "answer.started": Point("an answer whose begin is durable, nothing of it out", ANSWERS),
    "answer.piece_out": Point("an answer of which a piece is out", (
        ("typed", 1), ("typed", 6), ("interrupted", 3), ("webhook", 4), ("spoken", 2))),
    "answer.clause_journaled": Point("an answer in its middle, a clause of it durable", (
        ("typed", 1), ("typed", 2), ("interrupted", 1), ("webhook", 2), ("spoken", 1))),
    "answer.whole": Point("a whole answer that is not durable", ANSWERS),
    "answer.journaled": Point("a whole answer that is durable, its end not shown", ANSWERS),
    "topic.journaled": Point("a topic's change that is durable and was shown to nobody", (
        ("typed", 1), ("typed", 2), ("typed", 3), ("webhook_named", 1), ("two_visitors", 1))),
    "call.opened": Point("a tool's call that is durable and was not begun", CALLS),
    "call.start_journaled": Point("a call whose start is durable and that was not sent", CALLS),
    "call.before_send": Point("a webhook's request before it leaves", CALLS),
    "call.sent": Point("a webhook's request that was handed to the transfer", CALLS),
    "call.answered": Point("a webhook's answer that is not durable", CALLS),
    "call.handed_to_page": Point("a call that is on its way to the page", (
        ("page", 1), ("page", 2), ("page", 3), ("page_beside", 1), ("page_beside", 2))),
    "call.output_journaled": Point("a call's output that is durable and that no model has read", CALLS),
    "seat.taken": Point("a voice seat that was just taken", (
        ("spoken", 1), ("seats", 2), ("seats", 3), ("spoken_beside", 1), ("seats_beside", 2))),
    "speech.journaled": Point("speech that is durable without its words", VOICE),
    "transcript.known": Point("words of speech that are not durable", VOICE),
    "sweep.read": Point("what the former run left open, as read at the start", AT_START),
    "sweep.restored": Point("a session that the start has brought back", (
        ("starts_typed", 1), ("starts_webhook", 1), ("starts_spoken", 1), ("starts_two", 1), ("starts_two", 2))),
    "drain.sessions": Point("everything, at SIGTERM, no session told", AT_STOP),
    "session.leaves": Point("a session whose turn is over and whose clients do not know that it leaves", (
        ("stops_typed", 1), ("stops_webhook", 1), ("stops_spoken", 1), ("stops_two", 1), ("stops_two", 2))),
    "stop.sockets": Point("everything, at SIGTERM, nobody told", AT_STOP),
    "stop.sessions": Point("sessions whose sockets were told to come back", AT_STOP),
}


def in_sources():
    """{name: [file:line]} of the fault points in the code."""
    found = collections.defaultdict(list)
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.?pp")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                for name in re.findall(r'fault_point\("([^"]*)"\)', line):
                    found[name].append(f"{path.relative_to(ROOT)}:{number}")
    return found


def faults():
    there = in_sources()
    for name, places in there.items():
        if name not in POINTS:
            yield (f"{places[0]}: fault_point(\"{name}\") is not in tests/chaos/points.py: add what is in flight, and "
                   "its hits")
        if len(places) != 1:
            yield f"{name} names {len(places)} places: {', '.join(places)}"
    for name, point in POINTS.items():
        if name not in there:
            yield f"{name} is in tests/chaos/points.py, and in no source"
        if len(point.hits) < HITS_LEAST:
            yield f"{name} has {len(point.hits)} hits, at least {HITS_LEAST} are needed"


def main():
    found = list(faults())
    for fault in found:
        print(fault)
    bad = min(len(found), len(POINTS))
    print(f"{len(POINTS) - bad} passed, {bad} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
