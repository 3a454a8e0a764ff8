"""Typed sessions of the official PyPI clients, unchanged: two tools, the app's own webhook, an interruption, and keys."""

import asyncio
import json
import time

import pytest
from clients import AgentsTalk, OpenAITalk, text_of
from conftest import PATIENCE_S, SERVER_KEY, TRANSPORT, step
from openai import AuthenticationError
from websockets.exceptions import ConnectionClosed, InvalidStatus

CLIENTS = pytest.mark.parametrize("client", [OpenAITalk, AgentsTalk], ids=lambda client: f"{client.title} over {TRANSPORT}")
KM, SKY, PRICE = '{"km":289}', '{"sky":"rain"}', '{"price":"EUR 4321"}'
SHORT = "In short, it is one day of work."


def after(request, said):
    """Messages of a request to the model that follow what the user said."""
    messages = request["body"]["messages"]
    at = [i for i, one in enumerate(messages) if one["role"] == "user" and said in one["content"]]
    return messages[at[-1] :] if at else []


def was_told(requests, said, *outputs):
    """The model was told these outputs of tools, and no others, after what the user said."""
    told = [[one["content"] for one in after(request, said) if one["role"] == "tool"] for request in requests]
    assert list(outputs) in told


def shown(events):
    """Names of the functions that the client got to see."""
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    return [item["name"] for item in items if item["type"] == "function_call"]


def no_trace_of_the_webhook(events):
    """What the server runs itself is none of a client's business: no call of it, and no output."""
    for event in events:
        assert "estimate_price" not in json.dumps(event)
        item = event.get("item") or {}
        assert item.get("type") != "function_call_output" or "4321" not in item["output"]


def asked(stage):
    requests = stage.asked()
    assert requests and all(one["status"] == 200 for one in requests)
    return requests


async def two_at_once(talk, stage):
    events, _ = await talk.say("Look up both at once.", f"Both say: {SKY}")
    assert sorted(talk.calls) == [("look_up_distance", {"from": "Berlin", "to": "Hamburg"}), ("look_up_weather", {"city": "Hamburg"})]
    assert shown(events) == ["look_up_distance", "look_up_weather"]
    # The Agents SDK asks for an answer after each output, also after the first.
    await talk.until(lambda: [one for one in stage.asked() if KM in str(after(one, "both at once"))], "both outputs")
    was_told(asked(stage), "both at once", KM, SKY)


async def one_after_the_other(talk, stage):
    events, _ = await talk.say("Now look them up one after the other.", f"In the end: {SKY}")
    assert [name for name, _ in talk.calls] == ["look_up_distance", "look_up_weather"] == shown(events)
    was_told(asked(stage), "one after the other", KM)
    was_told(asked(stage), "one after the other", KM, SKY)


async def own_webhook(talk, stage):
    events, _ = await talk.say("And what does it cost?", f"The price: {PRICE}")
    assert [(name, call["arguments"]) for name, call in stage.shop.calls] == [("estimate", {"to": "Hamburg"})]
    assert talk.calls == []
    no_trace_of_the_webhook(events)


async def webhook_and_tool(talk, stage):
    # Where the client asks for an answer before the webhook is done, there is one more when it is.
    events, _ = await talk.say("Tell me weather and price.", f"Together: {PRICE}")
    assert len(stage.shop.calls) == 1
    assert talk.calls == [("look_up_weather", {"city": "Hamburg"})]
    assert shown(events) == ["look_up_weather"]
    was_told(asked(stage), "weather and price", SKY, PRICE)
    no_trace_of_the_webhook(events)


async def interruption(talk, stage):
    response, heard = await talk.cut("Please tell me everything.", "pack the books.")
    assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    (message,) = response["output"]
    assert message["status"] == "incomplete"
    assert await talk.item(message["id"]) == ("incomplete", heard)
    assert heard.startswith("First we pack the books.") and "it is a home" not in heard
    talk.heard = heard


async def next_turn(talk, stage):
    await talk.say("In short, please.", SHORT)
    messages = asked(stage)[-1]["body"]["messages"]
    last = max(i for i, one in enumerate(messages) if one["role"] == "user")
    assert "In short, please." in messages[last]["content"]
    before = [one["content"] for one in messages[:last] if one["role"] == "assistant"][-1]
    assert before.startswith(talk.heard) and "it is a home" not in before


STEPS = {
    "two tools in one answer": two_at_once,
    "two tools, one after the other": one_after_the_other,
    "the app's own webhook, unseen": own_webhook,
    "webhook and tool in one answer": webhook_and_tool,
    "an interrupted answer holds what was heard": interruption,
    "the turn after an interruption": next_turn,
}


@CLIENTS
@pytest.mark.parametrize("kind", ["server key", "client key"])
def test_a_session_is_held(stage, client, kind):
    async def run():
        key = SERVER_KEY if kind == "server key" else (await stage.secret()).value
        with step(client.title, f"{kind}: opens and is greeted"):
            opened = client.open(stage, key)
            talk = await opened.__aenter__()
        try:
            for name, does in STEPS.items():
                stage.fresh()
                talk.calls.clear()
                with step(client.title, f"{kind}: {name}"):
                    await does(talk, stage)
                    assert talk.faults == []
                    assert talk.of("error") == []
        finally:
            await opened.__aexit__(None, None, None)

    asyncio.run(run())


def test_the_answer_to_a_tool_waits_for_the_slower_webhook_beside_it(stage):
    async def run():
        async with OpenAITalk.open(stage, SERVER_KEY) as talk:
            stage.fresh()
            stage.open.clear()
            with step(OpenAITalk.title, "a webhook slower than a tool: one answer to both"):
                try:
                    talking = asyncio.create_task(talk.say("Tell me weather and price.", f"Together: {PRICE}"))
                    outputs = lambda: [one for one in talk.of("conversation.item.done") if one["item"]["type"] == "function_call_output"]  # noqa: E731
                    await talk.until(outputs, "the tool's output")
                finally:
                    stage.open.set()
                await talking
                words = [text_of(one) for one in talk.of("response.done") if text_of(one)]
                assert words.count(f"Together: {PRICE}") == 1
                assert not [one for one in words if "running" in one]

    asyncio.run(run())


async def refused(client, stage, key):
    with pytest.raises(InvalidStatus) as why:
        async with client.open(stage, key):
            pass
    assert why.value.response.status_code == 401
    assert json.loads(why.value.response.body)["error"]["message"]
    async with stage.client(key) as plain:
        with pytest.raises(AuthenticationError):
            await plain.realtime.client_secrets.create()


async def until_refused(stage, key):
    """Opens the key's session again and again, until the server has had enough of it."""
    deadline = time.monotonic() + PATIENCE_S
    with pytest.raises(InvalidStatus) as why:
        while time.monotonic() < deadline:
            async with stage.client(key) as client, client.realtime.connect(model="desk") as connection:
                assert (await connection.recv()).type == "session.created"
    assert why.value.response.status_code == 401


async def closed_by_revoking(client, stage, key, name):
    async with client.open(stage, key) as talk:
        await asyncio.to_thread(stage.keys, "revoke", name)
        await talk.end()
        ends = [fault for fault in talk.faults if isinstance(fault, ConnectionClosed)]
        assert [(end.rcvd.code, end.rcvd.reason) for end in ends] == [(1008, "key revoked")]
    await refused(client, stage, key)


@CLIENTS
def test_keys_do_not_open(stage, client):
    async def run():
        expiring = await stage.secret(10)
        async with client.open(stage, expiring.value) as early:
            with step(client.title, "a wrong server key is refused"):
                await refused(client, stage, "wrong")
            with step(client.title, "a wrong client key is refused"):
                await refused(client, stage, "ek_wrong")
            with step(client.title, "a revoked server key: its session is closed, and it opens no more"):
                key, name = stage.made_keys.pop()
                await closed_by_revoking(client, stage, key, name)
            with step(client.title, "a revoked client key: its session is closed, and it opens no more"):
                made = await stage.secret()
                await closed_by_revoking(client, stage, made.value, made.value)
            with step(client.title, "an expired client key opens no more, and its open session goes on"):
                await until_refused(stage, expiring.value)
                assert time.time() >= expiring.expires_at
                await refused(client, stage, expiring.value)
                await early.say("In short, please.", SHORT)

    asyncio.run(run())
