"""What holds for the order of events in every spoken session, whatever is said in it."""

# Of one item of a response: no event of a lower rank comes behind one of a higher.
OF_OUTPUT = {
    "response.output_item.added": 1,
    "response.content_part.added": 2,
    "response.output_audio.delta": 3,
    "response.output_audio_transcript.delta": 3,
    "response.function_call_arguments.delta": 3,
    "response.output_audio.done": 4,
    "response.output_audio_transcript.done": 4,
    "response.function_call_arguments.done": 4,
    "response.content_part.done": 5,
    "response.output_item.done": 6,
}
# Of one utterance.
OF_SPEECH = {
    "input_audio_buffer.speech_started": 1,
    "input_audio_buffer.speech_stopped": 2,
    "input_audio_buffer.committed": 3,
    "conversation.item.added": 4,
    "conversation.item.done": 5,
    "conversation.item.input_audio_transcription.delta": 6,
    "conversation.item.input_audio_transcription.completed": 7,
}


class Order:
    def __init__(self):
        self.faults, self.seen, self.responses, self.ranks, self.pieces = [], set(), {}, {}, {}

    def take(self, event):
        kind = event["type"]
        if not event.get("event_id") or event["event_id"] in self.seen:
            self.fault(event, "has no event_id of its own")
        self.seen.add(event.get("event_id"))
        if kind == "response.created":
            self.responses[event["response"]["id"]] = "open"
        elif kind == "response.done":
            self.ends(event)
        elif event.get("response_id"):
            self.outputs(event)
        item = event.get("item") or {"role": "user"}
        if kind in OF_SPEECH and item.get("role") == "user":
            subject = f"of the visitor {event.get('item_id') or item.get('id')}"
            self.rises(event, subject, OF_SPEECH[kind], not kind.endswith("delta"))

    def ends(self, event):
        response = event["response"]
        if self.responses.get(response["id"]) != "open":
            self.fault(event, "ends what is not open")
        self.responses[response["id"]] = "done"
        for item in response["output"]:
            if response["status"] == "completed" and item["type"] == "message" and item["content"][0]["type"] == "output_audio":
                self.same_text(event, item["id"], item["content"][0]["transcript"])

    def outputs(self, event):
        if self.responses.get(event["response_id"]) != "open":
            self.fault(event, "is of a response that is not open")
        item = event.get("item_id") or event["item"]["id"]
        if event["type"] in OF_OUTPUT:
            self.rises(event, item, OF_OUTPUT[event["type"]])
        if event["type"] == "response.output_audio_transcript.delta":
            self.pieces[item] = self.pieces.get(item, "") + event["delta"]
        # An answer that is cut ends where it was heard; one that is completed is compared at its end.
        if (event["type"] == "response.output_audio_transcript.done"
                and not self.pieces.get(item, "").startswith(event["transcript"])):
            self.same_text(event, item, event["transcript"])

    def same_text(self, event, item, text):
        if self.pieces.get(item, "") != text:
            self.fault(event, f"has the text '{text}', and its pieces are '{self.pieces.get(item, '')}'")

    def rises(self, event, subject, rank, only_once=False):
        before = self.ranks.get(subject, 0)
        if rank < before or (only_once and rank == before):
            self.fault(event, f"comes too late, or again, for {subject}")
        self.ranks[subject] = rank

    def fault(self, event, what):
        self.faults.append(f"{event['type']} {what}: {str(event)[:300]}")


def faults_of_order(events):
    """What is wrong with these events: all that one connection has received."""
    order = Order()
    for event in events:
        order.take(event)
    return order.faults


def in_order(events, *kinds):
    """Whether these types come in this order, others between them."""
    at = 0
    for kind in kinds:
        found = [place for place, event in enumerate(events) if place >= at and event["type"] == kind]
        assert found, f"no {kind} in its place of {kinds}: {[event['type'] for event in events]}"
        at = found[0] + 1
