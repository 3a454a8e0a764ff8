"""The official clients of PyPI, each used as its owner would: what a spoken conversation of the tests needs."""

import asyncio
import base64
import contextlib
import re

from agents import function_tool
from agents.realtime import OpenAIRealtimeWebSocketModel, RealtimeAgent, RealtimeRunner
from conftest import PATIENCE_S, SERVER_KEY, keep_events
from microphone import FORMATS, Microphone
from order import faults_of_order


def text_of(response):
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("transcript") or part.get("text") or "" for part in parts)


class Talk:
    """What a client has received, and waits for what it is to receive."""

    def __init__(self, form):
        self.events, self.faults, self.calls = [], [], []
        self.form = form
        self.sound = {}
        self.changed = asyncio.Event()
        self.over = False
        self.microphone = Microphone(self.append, form)

    def saw(self, event):
        self.events.append(event)
        if event["type"] == "response.output_audio.delta":
            size = len(base64.b64decode(event["delta"]))
            if size % (2 if self.form == "pcm" else 1):
                self.faults.append("a piece of sound has half a sample")
            self.sound[event["response_id"]] = self.sound.get(event["response_id"], 0) + size
        self.changed.set()

    def failed(self, fault):
        self.faults.append(str(fault))
        self.changed.set()

    def of(self, kind, since=0):
        return [event for event in self.events[since:] if event["type"] == kind]

    def sound_ms(self, response):
        return self.sound.get(response, 0) / FORMATS[self.form].bytes_per_ms

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
            raise AssertionError(f"Nothing came of: {what}.") from None

    async def one(self, kind, since=0, **about):
        """The first event of this type with these fields."""

        def found():
            return [event for event in self.of(kind, since) if about.items() <= event.items()]

        return (await self.until(found, f"{kind} {about or ''}"))[0]

    async def answered(self, wanted, since=0):
        """Waits for the end of a response with this text."""

        def found():
            return [done["response"] for done in self.of("response.done", since) if re.search(wanted, text_of(done["response"]))]

        return (await self.until(found, f"the end of an answer like '{wanted}'"))[0]

    async def ended(self, response):
        """Waits for the end of this response, however it ends."""

        def found():
            return [done["response"] for done in self.of("response.done") if done["response"]["id"] == response]

        return (await self.until(found, f"the end of {response}"))[0]

    async def sounding(self, length_ms, since=0):
        """Waits for so much sound of the next answer: its id."""
        response = (await self.one("response.created", since))["response"]["id"]
        await self.until(lambda: self.sound_ms(response) >= length_ms, f"{length_ms} ms of sound")
        return response

    def check(self):
        """What must hold at the end of every talk."""
        assert self.faults == []
        assert self.of("error") == []
        assert faults_of_order(self.events) == []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, stage, name, form="pcm", **options):
        """A talk from its opening to its end; what a failed one has received is kept."""
        talk = cls(form)
        try:
            async with talk.connected(stage, **options):
                yield talk
                await talk.microphone.stop()
                talk.check()
        except BaseException as why:
            kept = keep_events(cls.title, name, talk.events)
            raise AssertionError(f"{why} (what came: {kept}; faults: {talk.faults})") from why
        finally:
            await talk.microphone.stop()


class OpenAITalk(Talk):
    """PyPI openai: its owner runs the tools and asks for answers."""

    title = "PyPI openai"

    @contextlib.asynccontextmanager
    async def connected(self, stage, turn_detection="server_vad", app="desk", **session):
        async with stage.client() as client, client.realtime.connect(model=app) as self.connection:
            reader = asyncio.create_task(self.read())
            await self.one("session.created")
            form = FORMATS[self.form].wire
            detection = turn_detection and {"type": turn_detection}
            transcription = {"model": "whisper-1"}
            sound = {"input": {"format": form, "turn_detection": detection, "transcription": transcription}, "output": {"format": form}}
            session = {"type": "realtime", "output_modalities": ["audio"], "audio": sound, **session}
            await self.connection.session.update(session=session)
            await self.one("session.updated")
            try:
                yield
            finally:
                await self.connection.close()
                await reader

    async def read(self):
        try:
            async for event in self.connection:
                self.saw(event.model_dump(mode="json"))
        except Exception as why:  # noqa: BLE001: what the client says of a connection that breaks
            self.failed(why)
        self.over = True
        self.changed.set()

    async def append(self, piece):
        await self.connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())

    async def retrieved(self, item):
        since = len(self.events)
        await self.connection.conversation.item.retrieve(item_id=item)
        return (await self.until(lambda: [one["item"] for one in self.of("conversation.item.retrieved", since) if one["item"]["id"] == item], f"item {item}"))[0]

    async def refused(self, code):
        """Waits for this error, which was asked for."""
        fault = await self.until(lambda: [one for one in self.of("error") if one["error"]["code"] == code], f"the error {code}")
        self.events = [event for event in self.events if event["type"] != "error"]
        return fault[0]["error"]


class AgentsTalk(Talk):
    """PyPI openai-agents: looks at every event strictly, and runs the tools by itself."""

    title = "PyPI openai-agents"

    def __init__(self, form):
        super().__init__(form)
        self.items, self.reports = [], []

    @contextlib.asynccontextmanager
    async def connected(self, stage, turn_detection="semantic_vad", app="desk"):
        @function_tool
        def look_up_distance(to: str) -> str:
            """The distance."""
            self.calls.append(to)
            return "289 kilometres"

        agent = RealtimeAgent(name="mover", instructions="Help with the move.", tools=[look_up_distance])
        model = OpenAIRealtimeWebSocketModel(transport_config={"handshake_timeout": PATIENCE_S})
        runner = RealtimeRunner(agent, model=model, config={"tracing_disabled": True})
        settings = {"model_name": app, "turn_detection": {"type": turn_detection, "interrupt_response": True}}
        config = {"url": stage.address(app), "api_key": SERVER_KEY, "initial_model_settings": settings}
        async with await runner.run(model_config=config) as self.session:
            reader = asyncio.create_task(self.read())
            await self.one("session.updated")
            try:
                yield
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def read(self):
        async for event in self.session:
            if event.type == "raw_model_event" and event.data.type == "raw_server_event":
                self.saw(event.data.data)
            elif event.type == "history_updated":
                self.items = [item for item in event.history if item.type == "message"]
            elif event.type == "error":
                self.failed(event.error)
            elif event.type in ("audio", "audio_end", "audio_interrupted"):
                self.reports.append(event.type)
            self.changed.set()
        self.over = True
        self.changed.set()

    async def append(self, piece):
        await self.session.send_audio(piece)

    def said(self, role):
        """What the application finds in its history: status and text."""
        texts = [(item, "".join(getattr(part, "transcript", None) or getattr(part, "text", None) or "" for part in item.content)) for item in self.items]
        return [(getattr(item, "status", None), text) for item, text in texts if item.role == role]
