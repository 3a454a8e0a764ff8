"""What must hold whatever has happened, checked from outside: the journal by SQLite, and what clients were shown.

`Ledger` is the journal's side, `Shown` a client's. `faults_of(journal, shown)` gives a sentence for each promise that
is broken, none where all is well. It knows nothing of how the server came to harm.
"""
import collections
import json
import os
import sqlite3


class Ledger:
    """The events of a data folder, read beside the running server or after it."""

    def __init__(self, data):
        self.path = os.path.join(data, "sidevoice.db")

    def query(self, sql, *args):
        base = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            return base.execute(sql, args).fetchall()
        finally:
            base.close()

    def events(self, session):
        """[(seq, type, body)] in their order."""
        rows = self.query("select seq, type, body from bodies where session_id=?1 order by seq", session)
        return [(seq, kind, json.loads(body)) for seq, kind, body in rows]

    def sessions(self):
        return [row[0] for row in self.query("select id from sessions")]


def fold(events):
    """Items in the order of the conversation, as {id, type, text...}, and topics by id: what a client should show."""
    items, removed, unheard, topics = {}, set(), set(), {}
    for _, kind, body in events:
        if kind == "item.put":
            value = body["item"]
            if value["id"] in removed:
                if value.get("response"):
                    continue
                removed.discard(value["id"])
            items[value["id"]] = {**value, "rank": body["rank"]}
        elif kind == "input.speech":
            items[body["item"]] = {"id": body["item"], "kind": "message", "role": "user", "rank": body["rank"]}
            unheard.add(body["item"])
        elif kind == "input.transcribed" and body["item"] in unheard:
            unheard.discard(body["item"])
            items[body["item"]].update(text=body.get("text", ""),
                                       status="incomplete" if body.get("reason") else "completed")
        elif kind == "item.heard" and body["id"] in items:
            items[body["id"]].update(text=body.get("text", ""), status="incomplete")
        elif kind == "item.removed":
            items.pop(body["id"], None)
            unheard.discard(body["id"])
            removed.add(body["id"])
        elif kind == "topic.updated":
            topics[body["topic"]] = {"status": body["status"], "value": value_of(body.get("value")),
                                     "revision": body["revision"]}
    ordered = sorted(items.values(), key=lambda item: item["rank"])
    return [shown_item(item) for item in ordered if item["id"] not in unheard], topics


def value_of(value):
    return json.loads(value) if isinstance(value, str) and value else (value or None)


def shown_item(item):
    kind = item.get("kind", "message")
    if kind == "function_call":
        return item["id"], kind, item.get("name", ""), json.loads(item.get("arguments") or "null")
    if kind == "function_call_output":
        return item["id"], kind, item.get("call_id", ""), item.get("output", "")
    return item["id"], kind, item.get("role", "user"), item.get("text", "")


class Shown:
    """What one client has been shown, built from nothing but the frames, as the client library builds it."""

    def __init__(self):
        self.items, self.topics, self.open = {}, {}, set()
        self.order = []
        self.seq, self.store, self.begins = 0, "", 0
        self.told = collections.Counter()
        self.faults = []
        self.snapshots = self.resumes = self.errors = 0

    def connected(self):
        """What carried no number does not outlive its socket."""
        for item in list(self.open):
            self.drop(item)
        self.open.clear()

    def drop(self, item):
        self.items.pop(item, None)
        if item in self.order:
            self.order.remove(item)

    def take(self, event):
        kind = event["type"]
        if kind == "sidevoice.session.snapshot":
            self.snapshots += 1
            self.items, self.order, self.open = {}, [], set()
            self.store, self.begins = event["store"], event["seq"]
            self.seq = 0
            self.topics = {topic["id"]: topic for topic in event["topics"]}
        elif kind == "sidevoice.session.resumed":
            self.resumes += 1
            self.store = event["store"]
        elif kind in ("conversation.item.added", "conversation.item.done"):
            self.put(event["item"], event.get("previous_item_id"), kind.endswith("done"))
        elif kind == "conversation.item.deleted":
            self.drop(event["item_id"])
            self.open.discard(event["item_id"])
        elif kind == "conversation.item.input_audio_transcription.completed":
            self.heard(event["item_id"], event.get("transcript", ""))
        elif kind == "conversation.item.input_audio_transcription.failed":
            self.heard(event["item_id"], "")
        elif kind == "sidevoice.topic.updated":
            self.topics[event["topic"]["id"]] = event["topic"]
        elif kind == "error":
            self.errors += 1
        if isinstance(event.get("seq"), int):
            self.number(event)

    def put(self, item, previous, done):
        known = item["id"] in self.items
        unheard = any(part["type"] == "input_audio" and part.get("transcript") is None
                      for part in item.get("content", []))
        if known and not done:
            return
        self.items[item["id"]] = item
        (self.open.discard if done and not unheard else self.open.add)(item["id"])
        if not known:
            end = 0 if previous is None else len(self.order)
            self.order.insert(self.order.index(previous) + 1 if previous in self.order else end, item["id"])
            self.told[item["id"]] += 1

    def heard(self, item, text):
        if item in self.items:
            self.items[item] = {**self.items[item], "content": [{"type": "input_audio", "transcript": text}]}
            self.open.discard(item)

    def number(self, event):
        seq = event["seq"]
        if not self.begins and self.seq and seq > self.seq + 1:
            self.faults.append(f"event {seq} was shown after {self.seq}: a gap")
        # A snapshot's items have their own numbers; all of it has been shown with the first frame without "more".
        if not event.get("more"):
            self.seq, self.begins = max(self.seq, seq, self.begins), 0

    def view(self):
        out = []
        for item_id in self.order:
            item = self.items[item_id]
            if item_id in self.open:
                continue
            if item["type"] == "function_call":
                out.append((item_id, "function_call", item["name"], json.loads(item["arguments"] or "null")))
            elif item["type"] == "function_call_output":
                out.append((item_id, "function_call_output", item["call_id"], item["output"]))
            else:
                text = "".join(part.get("text") or part.get("transcript") or "" for part in item["content"])
                out.append((item_id, "message", item["role"], text))
        return out


def faults_of(events, shown=None, acknowledged=()):
    """Broken promises of one session that has settled. `shown`: the client that saw it to its end."""
    faults = list(journal_faults(events))
    faults += input_faults(events, acknowledged)
    if shown is not None:
        faults += shown.faults
        faults += view_faults(events, shown)
    return faults


def journal_faults(events):
    """Numbers, ends, causes, calls and revisions of one journal."""
    if [seq for seq, _, _ in events] != list(range(1, len(events) + 1)):
        yield "the numbers have a gap"
    causes, status = collections.defaultdict(list), {}
    ends, outputs, calls, call_ends = (collections.Counter() for _ in range(4))
    attempts = collections.defaultdict(list)
    revision = 0
    for seq, kind, body in events:
        if kind == "response.requested":
            for cause in body["cause"]:
                causes[cause].append(body["response"])
        elif kind == "response.started":
            attempts[body["response"]].append(body["attempt"])
        elif kind == "response.done":
            ends[body["response"]] += 1
            status[body["response"]] = body["status"]
        elif kind == "item.put" and body["item"].get("kind") == "function_call":
            calls[body["item"]["call_id"]] += 1
        elif kind == "item.put" and body["item"].get("kind") == "function_call_output":
            outputs[body["item"]["call_id"]] += 1
        elif kind == "call.ended":
            call_ends[body["call"]] += 1
        elif kind == "topic.updated":
            if body["revision"] != revision + 1:
                yield f"event {seq}: revision {body['revision']} follows {revision}"
            revision = body["revision"]
    for cause, responses in causes.items():
        last = responses[-1]
        # A response that was cut by a crash is continued by one whose cause it is.
        while causes.get(last):
            last = causes[last][-1]
        if len(responses) != 1:
            yield f"{cause} has {len(responses)} responses"
        if status.get(last) not in ("completed", "cancelled"):
            yield f"{cause} ends with {status.get(last)}"
    for response, count in ends.items():
        if count != 1:
            yield f"{response} has {count} ends"
    for response, numbers in attempts.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{response} has the attempts {numbers}"
    for call, count in calls.items():
        if count != 1 or outputs[call] != 1 or call_ends[call] > 1:
            yield f"call {call}: {count} calls, {outputs[call]} outputs, {call_ends[call]} ends"


def input_faults(events, acknowledged):
    """What a client was told is accepted is in the journal once, and answered once."""
    puts, causes, wanted = collections.Counter(), collections.Counter(), dict(acknowledged)
    for _, kind, body in events:
        if kind == "item.put":
            puts[body["item"]["id"]] += 1
        elif kind == "response.requested":
            causes.update(body["cause"])
    for item, answer in wanted.items():
        if puts[item] != 1:
            yield f"accepted input {item} stands {puts[item]} times in the journal"
        if answer and causes[item] != 1:
            yield f"accepted input {item} was answered {causes[item]} times"


def view_faults(events, shown):
    """A client's view is the fold of the journal."""
    items, topics = fold(events)
    seen = shown.view()
    if seen != items:
        missing = [item for item in items if item not in seen]
        more = [item for item in seen if item not in items]
        yield (f"the client's items are not the journal's: missing {missing[:3]}, more {more[:3]}" if missing or more
               else f"the client's order is not the journal's: {[i[0] for i in seen]}, {[i[0] for i in items]}")
    for topic, state in topics.items():
        known = shown.topics.get(topic, {})
        if {key: known.get(key) for key in state} != state:
            yield f"topic {topic}: the client has {({key: known.get(key) for key in state})}, the journal {state}"
    if events and shown.seq != events[-1][0]:
        yield f"the client is at number {shown.seq}, the journal at {events[-1][0]}"


def unsettled(events):
    """What of a session still waits; empty: nothing is left to do."""
    done = {body["response"] for _, kind, body in events if kind == "response.done"}
    ended = {body["call"] for _, kind, body in events if kind == "call.ended"}
    causes = {cause for _, kind, body in events if kind == "response.requested" for cause in body["cause"]}
    words = {body["item"] for _, kind, body in events if kind == "input.transcribed"}
    waits = [body["response"] for _, kind, body in events
             if kind == "response.requested" and body["response"] not in done]
    waits += [body["call"] for _, kind, body in events if kind == "call.opened" and body["call"] not in ended]
    waits += [body["item"] for _, kind, body in events if kind == "input.speech" and body["item"] not in words]
    waits += [body["item"]["id"] for _, kind, body in events
              if kind == "item.put" and body["item"].get("kind") == "function_call_output"
              and body["item"].get("response") and body["item"]["id"] not in causes]
    return waits
