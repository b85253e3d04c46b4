"""An API server on loopback in front of a scripted gateway, and ways to call it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from openai import AsyncOpenAI

from serai.api.feed import Feed
from serai.api.server import Server
from serai.api.services import Readiness, Services, Trail
from serai.core.change import BadConfiguration, Change
from serai.core.decision import Considered, Decision, Explanation
from serai.core.event import RunEvent, TurnEnded
from serai.core.ids import MAIN, AgentId, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Answer, Usage
from serai.core.principal import Principal
from serai.core.profile import AgentProfile
from serai.core.redact import Redactor
from serai.core.route import RouteTable
from serai.core.snapshot import ApiKey, ApiSettings, Snapshot
from serai.core.source import Source
from serai.gateway.activity import Activity
from serai.gateway.request.run import Ask
from serai.ports.conversation import ConversationRow
from serai.ports.platform import HttpEndpoint, HttpReply, HttpRequest
from serai.ports.record import RecordKind, RecordRow
from serai.ports.secrets import SecretMissing
from serai.ports.store.arrival import Exchange
from serai.testing.clock import EPOCH, ManualClock, SeededEntropy
from tests.api.asking import NoApprovals
from tests.api.nothing import NoArchive, NoJobs, NoSessions, no_job, no_retry, nothing_sent
from tests.stores.test_sqlite import memory_store

OPS = AgentId("ops")
BROKEN = AgentId("broken")
HOME = Path("/nowhere")
ALL_KEY, OPS_KEY, ADMIN_KEY, LOCAL_TOKEN = "fake-key-all", "fake-key-ops", "fake-key-admin", "fake-local-token"
KEYS = (
    ApiKey("all", "ALL_KEY", None),
    ApiKey("ops", "OPS_KEY", frozenset({OPS})),
    ApiKey("admin", "ADMIN_KEY", None, admin=True),
    ApiKey("empty", "EMPTY_KEY", None, admin=True),
)
ANSWER = TurnEnded("done", Answer("It is 4.", Usage(24, 17, 8, 3), "m-upstream"))

Step = RunEvent | asyncio.Event | Exception
"""What a scripted run does next: tell an event, wait, or raise."""


@dataclass
class FakeRun:
    """A run that follows its script."""

    script: Sequence[Step]
    agent: AgentId = MAIN
    session: SessionId = SessionId("ses_1")
    id: InputId = InputId("run_1")
    created_at: float = EPOCH
    replayed: bool = False
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    _feed: Feed | None = None

    async def events(self) -> AsyncIterator[RunEvent]:
        for step in self.script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                yield step

    async def batch(self, patience: float) -> list[RunEvent]:
        self._feed = self._feed or Feed(self.events())
        return await self._feed.batch(patience)

    async def ended(self) -> TurnEnded:
        async for event in self.events():
            if isinstance(event, TurnEnded):
                return event
        raise AssertionError("the script has no end")

    def abandon(self) -> None:
        self.abandoned.set()

    def close(self) -> None:
        self.closed = True
        if self._feed is not None:
            self._feed.close()


class FakeRuns:
    """Hands out one run after another, by `script`; raises `refusal` where it is set."""

    def __init__(self, *script: Step) -> None:
        self.script: Sequence[Step] = script or (ANSWER,)
        self.refusal: Exception | None = None
        self.asks: list[Ask] = []
        self.runs: list[FakeRun] = []
        self.replayed = False
        self.id = InputId("run_1")
        self.started = asyncio.Event()

    async def start(self, ask: Ask) -> FakeRun:
        self.asks.append(ask)
        if self.refusal is not None:
            raise self.refusal
        agent = ask.source.agent_id or MAIN
        run = FakeRun(self.script, agent, ask.session or SessionId("ses_1"), self.id, replayed=self.replayed)
        self.runs.append(run)
        self.started.set()
        return run


class FakeLasting:
    """Where no run or response is."""

    async def start(self, ask: Ask) -> FakeRun:
        raise AssertionError(f"a background call came unexpectedly: {ask}")

    async def find(self, _name: InputId, _kind: RecordKind, _principal: Principal) -> RecordRow | None:
        return None

    async def trail(self, row: RecordRow) -> Trail:
        raise AssertionError(f"nobody should know {row}")

    async def stop(self, row: RecordRow) -> None:
        raise AssertionError(f"nobody should know {row}")

    async def drop(self, row: RecordRow) -> None:
        raise AssertionError(f"nobody should know {row}")

    async def forget(self, _name: InputId) -> None:
        """Nothing is kept."""

    async def said(self, _name: InputId, _owner: str, _agent: AgentId) -> Exchange | None:
        return None

    async def place(self, _row: RecordRow) -> LaneAddress | None:
        return None

    def forget_history(self, _row: ConversationRow) -> None:
        """Nothing is remembered."""

    hides_drafts = False


class FakeSecrets:
    """The secrets of the keys; EMPTY_KEY has none."""

    def __init__(self) -> None:
        self.known = {"ALL_KEY": ALL_KEY, "OPS_KEY": OPS_KEY, "ADMIN_KEY": ADMIN_KEY}

    def get(self, reader: AgentId | None, name: str) -> str:
        if reader is not None or name not in self.known:
            raise SecretMissing(name)
        return self.known[name]

    def values(self) -> Sequence[str]:
        return tuple(self.known.values())


class FakeEndpoint:
    """A platform that receives; it remembers what came and answers `reply`."""

    def __init__(self) -> None:
        self.reply = HttpReply(202, {"accepted": True})
        self.requests: list[HttpRequest] = []

    async def handle(self, request: HttpRequest) -> HttpReply:
        self.requests.append(request)
        return self.reply


def snapshot(settings: ApiSettings) -> Snapshot:
    """Three agents, of which `broken` refuses."""
    profiles = (AgentProfile(MAIN, HOME), AgentProfile(OPS, HOME), AgentProfile(BROKEN, HOME, refusal="it is off"))
    return Snapshot("r1", HOME, {profile.id: profile for profile in profiles}, RouteTable(()), api=settings)


@dataclass
class Answered:
    """An HTTP answer as it stood on the wire. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The error object, whose shape is checked."""
        document = self.json
        assert set(document) == {"error"}
        assert set(document["error"]) - {"problems"} == {"message", "type", "param", "code"}
        assert document["error"]["message"]
        return document["error"]


class Stage:
    """A running server with everything behind it in the test's hands."""

    def __init__(self, runs: FakeRuns, settings: ApiSettings) -> None:
        self.runs = runs
        self.snapshot = snapshot(settings)
        self.secrets = FakeSecrets()
        self.endpoint = FakeEndpoint()
        self.archive = NoArchive()
        self.activity = Activity()
        self.readiness = Readiness(True, {"ready": True, "accounts": {"webhook@work": "running"}})
        self.clock = ManualClock()
        self.explained: list[Source] = []
        self.reloaded: Change | BadConfiguration = Change()
        self.switched: list[tuple[AgentId, str]] = []
        self.port = 0
        self.server = Server(
            Services(
                snapshot=lambda: self.snapshot,
                secrets=lambda: self.secrets,
                redactor=lambda: Redactor(self.secrets.values()),
                runs=runs,
                archive=self.archive,
                sessions=NoSessions(),
                retry=no_retry,
                send=nothing_sent,
                jobs=NoJobs(),
                check_job=no_job,
                activity=self.activity,
                lasting=FakeLasting(),
                approvals=NoApprovals(),
                conversations=memory_store().conversations,
                explain=self._explain,
                endpoint=self._endpoint,
                ready=self._ready,
                reload=self._reload,
                stop_agent=self._stop,
                start_agent=self._start,
                metrics=lambda: lambda: b"serai_turns_total 1.0\n",
                local_token=LOCAL_TOKEN,
                clock=self.clock,
                entropy=SeededEntropy(),
            )
        )

    def configure(self, **changes: Any) -> None:
        """Swaps in a snapshot with other API settings."""
        self.snapshot = replace(self.snapshot, api=replace(self.snapshot.api, **changes))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str = ALL_KEY, **more: Any) -> AsyncOpenAI:
        """The official client."""
        return AsyncOpenAI(api_key=key, base_url=f"{self.url}/v1", max_retries=0, **more)

    async def send(self, data: bytes, host: str = "127.0.0.1") -> Answered:
        """Writes `data` and reads one answer."""
        reader, writer = await asyncio.open_connection(host, self.port)
        try:
            writer.write(data)
            return await answered(reader)
        finally:
            writer.close()
            await writer.wait_closed()

    async def call(
        self, method: str, path: str, body: bytes | object = b"", key: str | None = ALL_KEY, **headers: str
    ) -> Answered:
        """One request. Keyword names become header names: `X_Hermes_Chat_Id` is `X-Hermes-Chat-Id`."""
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if key is not None:
            lines.append(("Authorization", f"Bearer {key}"))
        return await self.send(request(method, path, body, lines))

    async def chat(
        self, key: str | None = ALL_KEY, headers: Mapping[str, str] | None = None, **body: Any
    ) -> Answered:
        """A chat completion of one user message, changed by `body`."""
        document = {"messages": [{"role": "user", "content": "2+2?"}], **body}
        return await self.call("POST", "/v1/chat/completions", document, key, **(headers or {}))

    async def _explain(self, source: Source) -> Explanation:
        self.explained.append(source)
        tried = Considered(1, 7, MAIN, "chat_id", ("100",), ("99",))
        return Explanation(Decision(OPS, "route", route=2, line=8), (tried,))

    def _endpoint(self, platform: str, account: str) -> HttpEndpoint | None:
        return self.endpoint if (platform, account) == ("webhook", "work") else None

    async def _reload(self) -> Change:
        if isinstance(self.reloaded, Exception):
            raise self.reloaded
        return self.reloaded

    async def _stop(self, agent: AgentId) -> None:
        self.snapshot = self.snapshot.with_stopped({agent})
        self.switched.append((agent, "stop"))

    async def _start(self, agent: AgentId) -> None:
        self.switched.append((agent, "start"))

    async def _ready(self) -> Readiness:
        return self.readiness


@asynccontextmanager
async def serving(runs: FakeRuns | None = None, host: str = "127.0.0.1", **settings: Any) -> AsyncIterator[Stage]:
    """A stage with the four keys, unless `settings` say otherwise."""
    stage = Stage(runs or FakeRuns(), ApiSettings(**{"keys": KEYS, **settings}))
    _, stage.port = await stage.server.start(host, 0)
    try:
        yield stage
    finally:
        await stage.server.stop(grace=0.01)


def request(
    method: str,
    path: str,
    body: bytes | object = b"",
    headers: Sequence[tuple[str, str]] = (),
    host: str | None = "localhost",
) -> bytes:
    """An HTTP/1.1 request. Header values are written as Latin-1, `host` None leaves the Host out."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [("Host", host)] if host is not None else []
    lines += [("Content-Length", str(len(content))), *headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + content


async def answered(reader: asyncio.StreamReader) -> Answered:
    """Reads one answer, chunked or not."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join([chunk async for chunk in _chunks(reader)])
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answered(int(status.split()[1]), headers, body)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
    await reader.readline()


def browser(stage: Stage) -> aiohttp.ClientSession:
    """An ordinary HTTP client."""
    return aiohttp.ClientSession(stage.url, headers={"Authorization": f"Bearer {ALL_KEY}"})
