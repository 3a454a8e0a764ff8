"""PyPI openai's realtime client, unchanged, holds text conversations with the real server."""

import json
import threading

import pytest
from conftest import KEY, PATIENCE_S
from openai import OpenAI
from websockets.exceptions import InvalidStatus

FROM = "We are moving from Gartenstrasse 5, 10115 Berlin."
TO = "We are moving to Hauptstrasse 12, 20095 Hamburg."


class Talk:
    """One connection, with what a caller of it would write around it."""

    def __init__(self, connection):
        self.connection = connection
        self.seen = []

    def next(self):
        # recv() itself has no deadline: closing the socket makes it raise.
        guard = threading.Timer(PATIENCE_S, self.connection.close)
        guard.start()
        try:
            event = self.connection.recv()
        finally:
            guard.cancel()
        self.seen.append(event)
        return event

    def until(self, kind):
        """Events up to and with the next one of this type."""
        events = []
        while not events or events[-1].type != kind:
            events.append(self.next())
        return events

    def create_item(self, text, **more):
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content, **more}
        self.connection.conversation.item.create(item=item)

    def say(self, text):
        self.create_item(text)
        self.connection.response.create()
        return self.until("response.done")


@pytest.fixture
def client(server):
    with OpenAI(api_key=KEY, base_url=server.url + "/v1", max_retries=0) as made:
        yield made


@pytest.fixture
def talk(client):
    with client.realtime.connect(model="moving") as connection:
        opened = Talk(connection)
        assert opened.next().type == "session.created"
        connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        opened.until("session.updated")
        # The greeting: as a response, or as an item where it was over before this connection listened.
        if not of(opened.seen, "conversation.item.done"):
            opened.until("conversation.item.done")
        if len(of(opened.seen, "response.done")) < len(of(opened.seen, "response.created")):
            opened.until("response.done")
        yield opened


def of(events, kind):
    return [event for event in events if event.type == kind]


def text_of(done):
    return "".join(part.text for item in done.response.output if item.type == "message" for part in item.content)


def test_an_answer_streams_in_order_and_its_pieces_are_its_text(talk):
    events = talk.say("My name is Ada Lovelace.")
    kinds = [event.type for event in events]
    assert "error" not in kinds
    order = [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places)
    done = events[-1]
    assert done.response.status == "completed"
    assert text_of(done)
    assert "".join(event.delta for event in of(events, "response.output_text.delta")) == text_of(done)
    assert len({event.event_id for event in talk.seen}) == len(talk.seen)


def test_two_turns_are_two_responses(talk):
    first = talk.say("My name is Ada Lovelace.")[-1]
    second = talk.say(FROM)[-1]
    assert first.response.id != second.response.id
    assert second.response.status == "completed"
    assert text_of(second)


def test_a_function_is_called_and_its_output_is_spoken_about(talk):
    parameters = {
        "type": "object",
        "required": ["from", "to"],
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
    }
    price = {"type": "function", "name": "quote_price", "description": "The price", "parameters": parameters}
    talk.connection.session.update(session={"type": "realtime", "tools": [price]})
    talk.until("session.updated")
    talk.say("My name is Ada Lovelace.")
    talk.say(FROM)
    done = talk.say(TO)[-1]
    (call,) = [item for item in done.response.output if item.type == "function_call"]
    assert call.name == "quote_price"
    assert call.status == "completed"
    arguments = json.loads(call.arguments)
    assert "Berlin" in arguments["from"]
    assert "Hamburg" in arguments["to"]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": json.dumps({"price": "EUR 4321"})}
    talk.connection.conversation.item.create(item=output)
    talk.connection.response.create()
    answer = talk.until("response.done")[-1]
    assert "4321" in text_of(answer)


def test_an_item_keeps_the_id_that_its_client_gave_and_the_same_id_again_is_no_second_item(talk):
    talk.create_item("It is a flat.", id="item_mine")
    assert talk.until("conversation.item.done")[-1].item.id == "item_mine"
    talk.create_item("It is a flat.", id="item_mine")
    talk.connection.conversation.item.retrieve(item_id="item_mine")
    assert talk.until("conversation.item.retrieved")[-1].item.content[0].text == "It is a flat."
    talk.connection.response.create()
    assert talk.until("response.done")[-1].response.status == "completed"


def test_a_cancelled_response_ends_once(talk):
    talk.create_item(FROM)
    talk.connection.response.create()
    talk.connection.response.cancel(event_id="cancel")
    done = talk.until("response.done")[-1].response
    if done.status == "cancelled":
        assert done.status_details.reason == "client_cancelled"
    else:
        # The offline agent may be faster than the cancellation: then there is nothing to cancel, and it says so.
        assert done.status == "completed"
        late = (of(talk.seen, "error") or talk.until("error"))[-1].error
        assert (late.code, late.event_id) == ("response_cancel_not_active", "cancel")
    after = talk.say("It is a flat.")
    assert after[-1].response.id != done.id
    assert of(after, "response.done") == [after[-1]]


def test_a_deleted_item_is_gone(talk):
    talk.create_item("It is a flat.", id="item_gone")
    talk.until("conversation.item.done")
    talk.connection.conversation.item.delete(item_id="item_gone")
    assert talk.until("conversation.item.deleted")[-1].item_id == "item_gone"
    talk.connection.conversation.item.retrieve(item_id="item_gone", event_id="ask")
    assert talk.until("error")[-1].error.event_id == "ask"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "no.such.event"}, "invalid_value", "type"),
        ({"type": "response.cancel"}, "response_cancel_not_active", None),
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        ({"type": "conversation.item.create"}, "missing_required_parameter", "item"),
        ({"type": "response.create", "respose": {}}, "unknown_parameter", "respose"),
    ],
)
def test_an_error_names_the_event_at_fault_and_the_connection_goes_on(talk, event, code, param):
    talk.connection.send({**event, "event_id": "mine"})
    error = talk.until("error")[-1].error
    assert (error.event_id, error.code, error.param) == ("mine", code, param)
    assert error.message
    assert talk.say("It is a flat.")[-1].response.status == "completed"


def test_a_second_response_waits_for_nobody(talk):
    talk.create_item(FROM)
    talk.connection.response.create()
    talk.connection.response.create(event_id="second")
    first = talk.until("response.done")
    refused = of(first, "error")
    if refused:
        (refusal,) = refused
        assert refusal.error.code == "conversation_already_has_active_response"
        assert refusal.error.event_id == "second"
    else:
        # The offline agent may be faster than the second request, which is then one of its own.
        second = talk.until("response.done")
        assert second[-1].response.id != first[-1].response.id
        assert not of(second, "error")


def test_another_connection_to_the_session_gets_its_items(client, talk):
    talk.say("My name is Ada Lovelace.")
    session = talk.seen[0].session.id
    with client.realtime.connect(model="moving", extra_query={"session": session}) as connection:
        other = Talk(connection)
        assert other.next().session.id == session
        connection.session.update(session={"type": "realtime"})
        other.until("session.updated")
        texts = []
        while "My name is Ada Lovelace." not in texts:
            item = other.until("conversation.item.done")[-1].item
            texts += [part.text for part in item.content]


@pytest.mark.parametrize(
    ("key", "model", "status"), [("wrong", "moving", 401), (KEY, "nowhere", 404), (KEY, "", 400)]
)
def test_who_may_not_enter_is_told_before_the_upgrade(server, key, model, status):
    with OpenAI(api_key=key, base_url=server.url + "/v1", max_retries=0) as client:
        with pytest.raises(InvalidStatus) as refused:
            with client.realtime.connect(model=model):
                pass
    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body)["error"]["message"]
