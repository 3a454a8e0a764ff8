"""The official Python client and the Agents SDK, unchanged, against `sidevoice fake-providers`."""

import asyncio
import json

import openai
import pytest
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from conftest import KEY

HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def client(fake):
    with openai.OpenAI(base_url=f"{fake.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_a_whole_answer_and_a_streamed_one_say_the_same(fake, client):
    fake.play()
    whole = client.chat.completions.create(**HI)
    assert whole.choices[0].message.content == "You said: hi"
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    chunks = list(client.chat.completions.create(**HI, stream=True))
    assert text_of(chunks) == "You said: hi"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_usage_chunk_comes_last(fake, client):
    fake.play({"answer": {"text": "Hello", "usage": {"completion_tokens": 7}}})
    chunks = list(client.chat.completions.create(**HI, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 7
    assert chunks[0].usage is None


def test_parallel_tool_calls_are_put_together_and_their_answers_are_taken(fake, client):
    calls = [{"name": "weather", "arguments": {"city": city}} for city in ("Zürich", "Oslo")]
    fake.play(
        {"match": {"last_role": "user"}, "answer": {"tool_calls": calls}},
        {"match": {"last_role": "tool"}, "answer": {"text": "They say {{tool_output}}."}},
    )
    with client.chat.completions.stream(**HI, tools=[WEATHER]) as stream:
        message = stream.get_final_completion().choices[0].message
    assert [json.loads(call.function.arguments)["city"] for call in message.tool_calls] == ["Zürich", "Oslo"]
    asked = [call.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}})
             for call in message.tool_calls]
    history = [*HI["messages"], {"role": "assistant", "tool_calls": asked}]
    history += [{"role": "tool", "tool_call_id": call["id"], "content": "noon"} for call in asked]
    answer = client.chat.completions.create(model="m", messages=history, tools=[WEATHER])
    assert answer.choices[0].message.content == "They say noon."
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model="m", messages=history[:-1], tools=[WEATHER])
    assert wrong.value.param == "messages"


def test_errors_become_the_classes_of_the_client(fake, client):
    fake.play()
    with pytest.raises(openai.AuthenticationError) as wrong:
        client.with_options(api_key="wrong").chat.completions.create(**HI)
    assert wrong.value.code == "invalid_api_key"
    assert wrong.value.request_id.startswith("req_")
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model="m", messages=[])
    assert (wrong.value.param, wrong.value.code) == ("messages", "empty_array")
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="m", input="x")
    fake.play({"answer": {"status": 404}})
    with pytest.raises(openai.NotFoundError) as wrong:
        client.chat.completions.create(**HI)
    assert wrong.value.code == "model_not_found"
    fake.play({"answer": {"status": 500}})
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**HI)


def test_after_a_429_the_client_comes_back_when_it_was_told_to(fake, client):
    fake.play({"answer": {"status": 429, "retry_after_ms": 40}, "times": 2}, {"answer": {"text": "At last."}})
    answer = client.with_options(max_retries=2).chat.completions.create(**HI)
    assert answer.choices[0].message.content == "At last."
    assert [request["status"] for request in fake.requests()] == [429, 429, 200]
    fake.play({"answer": {"status": 429, "retry_after_ms": 40}})
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(**HI)
    assert limited.value.response.headers["retry-after-ms"] == "40"


def test_an_error_in_mid_stream_and_a_broken_stream_reach_the_application(fake, client):
    fake.play({"answer": {"text": "one two three", "error_mid_stream": {"after": 2, "message": "It broke."}}})
    seen = []
    with pytest.raises(openai.APIError, match="It broke"):
        for chunk in client.chat.completions.create(**HI, stream=True):
            seen.append(chunk)
    assert text_of(seen) == "one two"
    fake.play({"answer": {"text": "one two three", "drop_after": 2, "words_per_second": 50}})
    seen.clear()
    with pytest.raises(openai.APIConnectionError):
        for chunk in client.chat.completions.create(**HI, stream=True):
            seen.append(chunk)
    assert text_of(seen) == "one two"


def test_bytes_that_are_cut_anywhere_still_make_the_same_text(fake, client):
    text = "Grüße, 世界 — schön!"
    fake.play({"answer": {"text": text, "split": "bytes", "comments": True, "empty_choices_first": True}})
    assert text_of(client.chat.completions.create(**HI, stream=True)) == text


def test_the_azure_client_is_served(fake):
    fake.play()
    options = {"azure_endpoint": fake.url, "api_version": "2024-10-21", "azure_deployment": "mine", "max_retries": 0}
    with openai.AzureOpenAI(api_key=KEY, **options) as azure:
        chunks = list(azure.chat.completions.create(**HI, stream=True))
    assert text_of(chunks) == "You said: hi"
    assert chunks[0].choices == []
    assert chunks[1].model == "mine"
    assert fake.requests()[0]["path"] == "/openai/deployments/mine/chat/completions"
    with openai.AzureOpenAI(api_key="wrong", **options) as azure, pytest.raises(openai.AuthenticationError):
        azure.chat.completions.create(**HI)


def test_models_are_listed(fake, client):
    fake.play()
    assert [model.id for model in client.models.list()] == ["fake-model"]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent_of_the_agents_sdk_uses_its_tool(fake, streamed):
    fake.play(
        {
            "match": {"last_role": "user", "tool": "weather", "system": "kind"},
            "answer": {"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]},
        },
        {"match": {"last_role": "tool"}, "answer": {"text": "It is {{tool_output}}."}},
    )
    asked = []

    @function_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "sunny"

    async def run():
        set_tracing_disabled(True)
        async with openai.AsyncOpenAI(base_url=f"{fake.url}/v1", api_key=KEY) as client:
            model = OpenAIChatCompletionsModel(model="m", openai_client=client)
            agent = Agent(name="a", instructions="Be kind.", model=model, tools=[weather])
            if not streamed:
                return (await Runner.run(agent, "The weather in Oslo?")).final_output
            result = Runner.run_streamed(agent, "The weather in Oslo?")
            async for _ in result.stream_events():
                pass
            return result.final_output

    assert asyncio.run(run()) == "It is sunny."
    assert asked == ["Oslo"]
    assert [request["status"] for request in fake.requests()] == [200, 200]
