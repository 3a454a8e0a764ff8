"""Spoken sessions of the official PyPI clients, unchanged."""

import asyncio
import json

import pytest
from clients import AgentsTalk, OpenAITalk, text_of
from conftest import recorded
from microphone import spoken, voice_in, word_error_rate
from order import in_order

STAYS = "The piano stays in the living room."
EVERYTHING = "Please tell me everything."
SHORT = "Please make it short."
FAR = "How far is it to Hamburg?"
HEARD = ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed")
HEARD += ("conversation.item.added", "conversation.item.done")
ANSWERED = ("response.created", "response.output_audio.delta", "response.output_audio.done", "response.done")
COMPLETED = "conversation.item.input_audio_transcription.completed"


def same_words(said, heard):
    assert word_error_rate(said, heard) <= 0.2, f"said '{said}', understood '{heard}'"


def spoken_whole(talk, response):
    assert response["status"] == "completed"
    (item,) = [item for item in response["output"] if item["type"] == "message"]
    assert item["content"][0]["type"] == "output_audio"
    assert talk.sound_ms(response["id"]) > 500


def nothing_unheard_was_told(stage):
    """What was cut off is no part of what the model is asked with."""
    asked = [one["body"]["messages"] for one in stage.model.requests() if (one["body"] or {}).get("model") == "gpt-4.1-mini"]
    said = lambda messages, role: [one["content"] or "" for one in messages if one["role"] == role]  # noqa: E731
    told = [text for messages in asked if "short" in said(messages, "user")[-1] for text in said(messages, "assistant")]
    assert [text for text in told if "First we pack" in text], asked
    assert not [text for text in told if "it is a home" in text]


async def a_turn(stage, talk):
    talk.microphone.start()
    at = await talk.microphone.say(STAYS)
    response = await talk.answered(r"^The piano stays where it is\.$")
    spoken_whole(talk, response)
    in_order(talk.events, *HEARD, COMPLETED)
    in_order(talk.events, HEARD[2], *ANSWERED)
    began, stopped = await talk.one(HEARD[0]), await talk.one(HEARD[1])
    words = await talk.one(COMPLETED, item_id=began["item_id"])
    same_words(STAYS, words["transcript"])
    first, last = voice_in(STAYS)
    # Up to 300 ms of padding before the voice, 500 ms of silence behind it, and a few frames to believe either.
    assert -500 <= began["audio_start_ms"] - (at + first) <= 200
    assert 200 <= stopped["audio_end_ms"] - (at + last) <= 900
    assert words["usage"]["type"] == "duration"
    assert abs(1000 * words["usage"]["seconds"] - (last - first)) < 1500
    item = await talk.retrieved(began["item_id"])
    assert (item["status"], item["content"][0]["transcript"]) == ("completed", words["transcript"])


async def offline_turn(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(STAYS)
    spoken_whole(talk, await talk.answered("."))
    same_words(STAYS, (await talk.one(COMPLETED))["transcript"])
    in_order(talk.events, *HEARD, COMPLETED)


async def interruption(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(EVERYTHING)
    response = await talk.sounding(3000)
    before = len(talk.events)
    saying = asyncio.create_task(talk.microphone.say(SHORT))
    await talk.one("input_audio_buffer.speech_started", before)
    # As its owner does who plays sound: what was heard of the answer is known to the player only.
    (item,) = {event["item_id"] for event in talk.of("response.output_audio.delta") if event["response_id"] == response}
    await talk.connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=2000)
    ended = await talk.ended(response)
    assert (ended["status"], ended["status_details"]["reason"]) == ("cancelled", "turn_detected")
    truncated = await talk.one("conversation.item.truncated", before, item_id=item)
    assert (truncated["content_index"], truncated["audio_end_ms"]) == (0, 2000)
    cut = await talk.retrieved(item)
    assert cut["status"] == "incomplete"
    # Two seconds are the first sentence and perhaps the one behind it.
    heard = cut["content"][0]["transcript"]
    assert heard.startswith("First we pack") and "After that" not in heard
    await saying
    spoken_whole(talk, await talk.answered(r"^In short, it is one day of work\.$", before))
    same_words(SHORT, (await talk.one(COMPLETED, before))["transcript"])
    nothing_unheard_was_told(stage)


async def tool_call(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(FAR)
    call = await talk.until(lambda: [item for done in talk.of("response.done") for item in done["response"]["output"] if item["type"] == "function_call"], "the call")
    assert json.loads(call[0]["arguments"]) == {"from": "Berlin", "to": "Hamburg"}
    output = {"type": "function_call_output", "call_id": call[0]["call_id"], "output": "289 kilometres"}
    await talk.connection.conversation.item.create(item=output)
    await talk.connection.response.create()
    spoken_whole(talk, await talk.answered(r"^The distance is 289 kilometres\.$"))


async def by_hand(stage, talk):
    await talk.connection.input_audio_buffer.commit()
    await talk.refused("input_audio_buffer_commit_empty")
    talk.microphone.start()
    await talk.microphone.say(FAR)
    await talk.connection.input_audio_buffer.clear()
    await talk.one("input_audio_buffer.cleared")
    await talk.microphone.say(STAYS)
    await talk.microphone.stop()
    await talk.connection.input_audio_buffer.commit()
    same_words(STAYS, (await talk.one(COMPLETED))["transcript"])
    assert not talk.of("response.created")
    await talk.connection.response.create()
    spoken_whole(talk, await talk.answered(r"^The piano stays where it is\.$"))
    in_order(talk.events, *HEARD[2:], *ANSWERED)
    assert len(talk.of(HEARD[2])) == 1 and not talk.of(HEARD[0]) and not talk.of(HEARD[1])
    await talk.connection.input_audio_buffer.commit()
    await talk.refused("input_audio_buffer_commit_empty")


async def cancelled(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(EVERYTHING)
    response = await talk.sounding(1500)
    await talk.connection.response.cancel()
    ended = await talk.ended(response)
    assert (ended["status"], ended["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert "it is a home" not in text_of(ended)
    before = len(talk.events)
    await talk.microphone.say(SHORT)
    spoken_whole(talk, await talk.answered(r"^In short, it is one day of work\.$", before))


async def typed(stage, talk):
    content = [{"type": "input_text", "text": STAYS}]
    await talk.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await talk.connection.response.create()
    spoken_whole(talk, await talk.answered(r"^The piano stays where it is\.$"))
    in_order(talk.events, "conversation.item.done", *ANSWERED)
    unknown = {"item_id": "item_nowhere", "content_index": 0, "audio_end_ms": 0}
    await talk.connection.conversation.item.truncate(**unknown)
    await talk.refused("item_truncate_invalid_item_id")


async def agents_turn(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(STAYS)
    spoken_whole(talk, await talk.answered(r"^The piano stays where it is\.$"))
    await talk.until(lambda: ("completed", "The piano stays where it is.") in talk.said("assistant"), "the answer in the history")
    await talk.until(lambda: [text for _, text in talk.said("user") if text], "the words in the history")
    ((_, heard),) = talk.said("user")
    same_words(STAYS, heard)
    assert talk.reports[0] == "audio" and talk.reports[-1] == "audio_end"


async def agents_tool(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(FAR)
    spoken_whole(talk, await talk.answered(r"^The distance is 289 kilometres\.$"))
    assert talk.calls == ["Hamburg"]


async def agents_interruption(stage, talk):
    talk.microphone.start()
    await talk.microphone.say(EVERYTHING)
    response = await talk.sounding(3000)
    before = len(talk.events)
    await talk.microphone.say(SHORT)
    ended = await talk.ended(response)
    assert (ended["status"], ended["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert "audio_interrupted" in talk.reports
    truncated = await talk.one("conversation.item.truncated", before)
    assert 0 < truncated["audio_end_ms"] <= talk.sound_ms(response)
    spoken_whole(talk, await talk.answered(r"^In short, it is one day of work\.$", before))
    await talk.until(lambda: [text for status, text in talk.said("assistant") if status == "incomplete"], "the cut answer in the history")
    (cut,) = [text for status, text in talk.said("assistant") if status == "incomplete"]
    assert cut.startswith("First we pack") and "it is a home" not in cut
    nothing_unheard_was_told(stage)


CASES = {
    "a spoken turn, its edges where they were": (OpenAITalk, a_turn, {}),
    "a spoken turn, its end found by the model": (OpenAITalk, offline_turn, {"turn_detection": "semantic_vad", "app": "moves"}),
    "speech into an answer cuts it at what was heard": (OpenAITalk, interruption, {}),
    "a tool is called by voice, and its output is spoken": (OpenAITalk, tool_call, {"tools": [{
        "type": "function", "name": "look_up_distance", "description": "The distance", "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
    }]}),
    "a turn in g711_ulaw": (OpenAITalk, a_turn, {"form": "pcmu"}),
    "a turn in g711_alaw": (OpenAITalk, a_turn, {"form": "pcma"}),
    "turns by hand: nothing happens until they are committed and asked for": (OpenAITalk, by_hand, {"turn_detection": None}),
    "a cancelled answer falls silent, and the next one is spoken": (OpenAITalk, cancelled, {}),
    "a typed message is answered aloud": (OpenAITalk, typed, {}),
    "a spoken turn": (AgentsTalk, agents_turn, {}),
    "a tool is called by voice": (AgentsTalk, agents_tool, {}),
    "speech into an answer interrupts it": (AgentsTalk, agents_interruption, {}),
}


@pytest.fixture(scope="session")
def outcomes(stage, request):
    """What came of each case that was chosen. Most of a talk is waiting for somebody to finish: three at a time."""
    chosen = {item.callspec.params["name"] for item in request.session.items if "outcomes" in item.fixturenames}
    for text in (STAYS, EVERYTHING, SHORT, FAR):
        for _, _, options in CASES.values():
            spoken(text, options.get("form", "pcm"))

    async def run_all():
        room = asyncio.Semaphore(3)

        async def run(name, client, does, options):
            async with room:
                try:
                    with recorded(client.title, name):
                        async with client.open(stage, name, **options) as talk:
                            await does(stage, talk)
                except Exception as why:  # noqa: BLE001: raised again in the test of its name
                    return why

        names = [name for name in CASES if name in chosen]
        return dict(zip(names, await asyncio.gather(*(run(name, *CASES[name]) for name in names))))

    return asyncio.run(run_all())


@pytest.mark.parametrize("name", CASES, ids=lambda name: f"{CASES[name][0].title}: {name}")
def test_spoken_session(outcomes, name):
    if outcomes[name]:
        raise outcomes[name]
