"""The official clients of PyPI, each used as its owner would: what a conversation of the tests needs, in one form."""

import asyncio
import contextlib
import json

from agents import function_tool
from agents.realtime import OpenAIRealtimeWebSocketModel, RealtimeAgent, RealtimeRunner
from conftest import PATIENCE_S

OUTPUTS = {"look_up_distance": {"km": 289}, "look_up_weather": {"sky": "rain"}}


def text_of(event):
    parts = [part for item in event["response"]["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts)


class Talk:
    """What a client has seen, and waits for what it is to see."""

    def __init__(self):
        self.events, self.faults, self.calls = [], [], []
        self.changed = asyncio.Event()
        self.over = False

    def saw(self, event):
        self.events.append(event)
        self.changed.set()

    def failed(self, fault):
        self.faults.append(fault)
        self.changed.set()

    def of(self, kind, since=0):
        return [event for event in self.events[since:] if event["type"] == kind]

    async def until(self, condition, what):
        async def wait():
            while not (found := condition()):
                assert not self.over, f"the connection ended: {self.faults}"
                self.changed.clear()
                await self.changed.wait()
            return found

        try:
            return await asyncio.wait_for(wait(), PATIENCE_S)
        except asyncio.TimeoutError:
            seen = " ".join(event["type"] for event in self.events)
            raise AssertionError(f"Nothing came of: {what}. Seen: {seen}. Faults: {self.faults}") from None

    async def say(self, text, wanted):
        """Says something, and waits for the end of a response with this text."""
        before = len(self.events)
        await self.ask(text)

        def found():
            return [done for done in self.of("response.done", before) if text_of(done) == wanted]

        (done, *_) = await self.until(found, f"an answer to '{text}'")
        return self.events[before:], done

    async def cut(self, text, words):
        """Says something, and interrupts the answer as soon as these words of it are there."""
        before = len(self.events)

        def heard():
            pieces = self.of("response.output_text.delta", before)
            last = pieces[-1]["response_id"] if pieces else None
            return last, "".join(piece["delta"] for piece in pieces if piece["response_id"] == last)

        await self.ask(text)
        await self.until(lambda: words in heard()[1], f"the words '{words}'")
        await self.interrupt()

        def ended():
            return [done for done in self.of("response.done", before) if done["response"]["id"] == heard()[0]]

        (done,) = await self.until(ended, "its end")
        return done["response"], heard()[1]

    async def end(self):
        """Waits until the server has closed the connection."""
        with contextlib.suppress(AssertionError):
            await self.until(lambda: self.over, "the end of the connection")
        assert self.over


class OpenAITalk(Talk):
    """PyPI openai: its owner runs the tools and asks for answers."""

    title = "PyPI openai"

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, stage, key):
        talk = cls()
        async with stage.client(key) as client, client.realtime.connect(model="desk") as talk.connection:
            reader = asyncio.create_task(talk.read())
            await talk.until(lambda: talk.of("session.created"), "session.created")
            tools = [
                cls.tool("look_up_distance", "from", "to"),
                cls.tool("look_up_weather", "city"),
            ]
            session = {"type": "realtime", "output_modalities": ["text"], "tools": tools}
            await talk.connection.session.update(session=session)
            await talk.until(lambda: talk.of("session.updated"), "session.updated")
            said = lambda: [one for one in talk.of("conversation.item.done") if one["item"]["role"] == "assistant"]  # noqa: E731
            await talk.until(said, "the greeting")
            yield talk
            await talk.connection.close()
            await reader

    @staticmethod
    def tool(name, *texts):
        properties = {text: {"type": "string"} for text in texts}
        parameters = {"type": "object", "required": list(texts), "properties": properties}
        return {"type": "function", "name": name, "description": name, "parameters": parameters}

    async def read(self):
        try:
            async for event in self.connection:
                self.saw(event.model_dump(mode="json"))
                if event.type == "error":
                    self.failed(event.error)
                if event.type == "response.done":
                    await self.run(event.response.output)
        except Exception as why:  # noqa: BLE001: what the client says of a connection that breaks
            self.failed(why)
        self.over = True
        self.changed.set()

    async def run(self, output):
        """All outputs go back before the next answer is asked for."""
        wanted = [item for item in output if item.type == "function_call"]
        for item in wanted:
            self.calls.append((item.name, json.loads(item.arguments)))
            output = {"type": "function_call_output", "call_id": item.call_id, "output": json.dumps(OUTPUTS[item.name], separators=(",", ":"))}
            await self.connection.conversation.item.create(item=output)
        if wanted:
            await self.connection.response.create()

    async def ask(self, text):
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await self.connection.response.create()

    async def interrupt(self):
        await self.connection.response.cancel()

    async def item(self, identity):
        await self.connection.conversation.item.retrieve(item_id=identity)
        found = lambda: [one for one in self.of("conversation.item.retrieved") if one["item"]["id"] == identity]  # noqa: E731
        (one, *_) = await self.until(found, f"item {identity}")
        return one["item"]["status"], "".join(part["text"] for part in one["item"]["content"])


class AgentsTalk(Talk):
    """PyPI openai-agents: runs the tools and asks for the next answer by itself."""

    title = "PyPI openai-agents"

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, stage, key):
        talk = cls()

        @function_tool
        def look_up_distance(origin: str, to: str) -> str:
            """The distance."""
            talk.calls.append(("look_up_distance", {"from": origin, "to": to}))
            return json.dumps(OUTPUTS["look_up_distance"], separators=(",", ":"))

        @function_tool
        def look_up_weather(city: str) -> str:
            """The weather."""
            talk.calls.append(("look_up_weather", {"city": city}))
            return json.dumps(OUTPUTS["look_up_weather"], separators=(",", ":"))

        # `from` is no name of Python: the schema has it, and the function gets it under another.
        parameters = look_up_distance.params_json_schema
        parameters["properties"]["from"] = parameters["properties"].pop("origin")
        parameters["required"] = ["from", "to"]
        invoke = look_up_distance.on_invoke_tool

        async def renamed(context, given):
            given = json.loads(given)
            return await invoke(context, json.dumps({"origin": given["from"], "to": given["to"]}))

        look_up_distance.on_invoke_tool = renamed
        agent = RealtimeAgent(name="mover", instructions="Help with the move.", tools=[look_up_distance, look_up_weather])
        model = OpenAIRealtimeWebSocketModel(transport_config={"handshake_timeout": PATIENCE_S})
        runner = RealtimeRunner(agent, model=model, config={"tracing_disabled": True})
        # With server VAD that interrupts by itself, which is the default, interrupt() leaves the cancelling to the server.
        settings = {"model_name": "desk", "modalities": ["text"], "turn_detection": {"type": "server_vad", "interrupt_response": False}}
        config = {"url": stage.address, "api_key": key, "initial_model_settings": settings}
        async with await runner.run(model_config=config) as talk.session:
            reader = asyncio.create_task(talk.read())
            await talk.until(lambda: talk.of("session.updated"), "session.updated")
            greeted = lambda: [one for one in talk.history() if one.role == "assistant" and one.status == "completed"]  # noqa: E731
            await talk.until(greeted, "the greeting")
            yield talk
            reader.cancel()

    def __init__(self):
        super().__init__()
        self.items = []

    def history(self):
        return self.items

    async def read(self):
        try:
            async for event in self.session:
                if event.type == "raw_model_event" and event.data.type == "raw_server_event":
                    self.saw(event.data.data)
                elif event.type == "history_updated":
                    self.items = [item for item in event.history if item.type == "message"]
                elif event.type == "history_added" and event.item.type == "message":
                    self.items = [*self.items, event.item]
                elif event.type == "error":
                    self.failed(event.error)
                self.changed.set()
        except Exception as why:  # noqa: BLE001: what the client says of a connection that breaks
            self.failed(why)
        self.over = True
        self.changed.set()

    async def ask(self, text):
        await self.session.send_message(text)

    async def interrupt(self):
        await self.session.interrupt()

    async def item(self, identity):
        """An item as the application finds it in its history."""
        found = lambda: [one for one in self.history() if one.item_id == identity and one.status != "in_progress"]  # noqa: E731
        (one, *_) = await self.until(found, f"item {identity}")
        return one.status, "".join(part.text for part in one.content)
