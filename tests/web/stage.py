"""The web chat in front of a whole gateway in memory, on a real port, and a page's way to call it."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp

from serai.api.server import Server
from serai.api.services import Readiness, Services
from serai.core.ids import AgentId
from serai.core.message import Message, Usage
from serai.core.snapshot import ApiKey, ApiSettings, Snapshot
from serai.gateway.activity import Activity
from serai.gateway.state import State
from serai.ports.mailbox import Mailbox
from serai.ports.model import Model, ModelReply, ModelRequest, OnDelta
from serai.ports.secrets import SecretMissing, Secrets
from serai.ports.tool import Tool
from serai.stores.sqlite.store import SqliteStore
from serai.web.driver import ACCOUNT, STANDING
from serai.web.hub import Turns
from serai.web.site import Site
from tests.api.asking import NoApprovals
from tests.api.nothing import NoArchive, NoJobs, NoSessions, no_job, no_retry, nothing_sent
from tests.gateway.stage import Stage, snapshot
from tests.patience import PATIENCE_S

CHAT: Final = "chat-0001"
ALL_KEY: Final = "fake-web-key-of-ann"
OPS_KEY: Final = "fake-web-key-of-bob"
KEYS: Final = (ApiKey("ann", "ANN_KEY", None), ApiKey("bob", "BOB_KEY", frozenset({AgentId("ops")})))
PIXEL: Final = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Keys:
    """The secrets of the two keys."""

    def __init__(self) -> None:
        self.known = {"ANN_KEY": ALL_KEY, "BOB_KEY": OPS_KEY}

    def get(self, _reader: AgentId | None, name: str) -> str:
        if name not in self.known:
            raise SecretMissing(name)
        return self.known[name]

    def values(self) -> Sequence[str]:
        return tuple(self.known.values())


class Teller:
    """A model whose answers a test writes word by word: `say`, then `end`."""

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []
        self._words: asyncio.Queue[str | Exception | None] = asyncio.Queue()

    def say(self, *words: str) -> None:
        for word in words:
            self._words.put_nowait(word)

    def end(self) -> None:
        self._words.put_nowait(None)

    def fail(self, error: Exception) -> None:
        self._words.put_nowait(error)

    def answer(self, text: str) -> None:
        self.say(text)
        self.end()

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        self.requests.append(request)
        told: list[str] = []
        while (word := await self._words.get()) is not None:
            if isinstance(word, Exception):
                raise word
            told.append(word)
            if on_delta is not None:
                on_delta(word)
        return ModelReply(Message("assistant", "".join(told)), Usage(1, 1), "m-test", "stop")


@dataclass
class Page:
    """What a page has understood from a stream: messages by id, and drafts put together by offset."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)
    tools: list[dict[str, str]] = field(default_factory=list)
    revision: int = 0
    seen: list[str] = field(default_factory=list)
    """Every piece of text that came, in order."""

    def take(self, kind: str, document: Any) -> None:
        if kind == "message":
            self.messages[document["id"]] = document
            self.revision = document["revision"]
        elif kind == "drafts":
            self.drafts = {draft["answers"]: draft["text"] for draft in document}
            self.tools = [tool for draft in document for tool in draft["tools"]]
        else:
            self.seen.append(document["text"])
            units = self.drafts[document["answers"]].encode("utf-16-le")[: document["at"] * 2]
            self.drafts[document["answers"]] = units.decode("utf-16-le") + document["text"]

    @property
    def said(self) -> list[str]:
        """The agents' messages."""
        return [one["text"] for one in sorted(self.messages.values(), key=lambda one: one["n"]) if one["agent"]]


class WebStage:
    """A gateway with its web chat. `port` is where it listens."""

    def __init__(
        self,
        model: Model,
        settings: ApiSettings,
        store: SqliteStore | None,
        tools: Mapping[str, Tool] | None,
        *,
        secrets: Secrets | None = None,
        wrap: Callable[[Mailbox], Mailbox] = lambda mailbox: mailbox,
        **changes: Any,
    ) -> None:
        """`wrap` puts something around the mailbox."""
        config: Snapshot = replace(snapshot("ops", "broken", api=settings), **changes)
        state = State(config, secrets or Keys(), {ACCOUNT: STANDING})
        seed = 7 if store is None else random.randrange(2**32)
        self.gateway = Stage(model, config, store=store, platforms=(), tools=tools, state=state, seed=seed)
        self.mailbox = wrap(self.gateway.store.mailbox)
        self.site = Site(
            self.mailbox,
            Turns(self.gateway.engine.subscribe, self.gateway.store.outcome, self.gateway.lanes.stop),
            self.gateway.clock,
            self.gateway.entropy,
        )
        self.gateway.switchboard.add(self.site.platform)
        self.server = Server(self._services(), [self.site.area])
        self.port = 0

    def _services(self) -> Services:
        stage = self.gateway

        async def ready() -> Readiness:
            return Readiness(True, {})

        async def unused(*_: object) -> Any:
            raise AssertionError("no page asks for this")

        return Services(
            snapshot=lambda: stage.state.snapshot,
            secrets=lambda: stage.state.secrets,
            redactor=lambda: stage.state.redactor,
            runs=stage.runs,
            archive=NoArchive(),
            sessions=NoSessions(),
            retry=no_retry,
            send=nothing_sent,
            jobs=NoJobs(),
            check_job=no_job,
            activity=Activity(),
            lasting=stage.lasting,
            approvals=NoApprovals(),
            conversations=stage.store.conversations,
            explain=stage.resolver.explain,
            endpoint=lambda _platform, _account: None,
            ready=ready,
            metrics=lambda: lambda: b"",
            reload=unused,
            stop_agent=unused,
            start_agent=unused,
            local_token="",
            clock=stage.clock,
            entropy=stage.entropy,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Browser:
    """One client with its cookies."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> "Answer":
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, self.url + path, json=body, headers=lines) as response:
            data = await response.read()
            return Answer(response.status, response.headers.copy(), data)

    async def get(self, path: str, **headers: str) -> "Answer":
        return await self.call("GET", path, **headers)

    async def send(self, text: str, message: str = "message-1", chat: str = CHAT, **more: Any) -> "Answer":
        return await self.call("POST", f"/web/chats/{chat}/messages", {"id": message, "text": text, **more})

    @asynccontextmanager
    async def events(self, page: Page | None = None, chat: str = CHAT) -> AsyncIterator["Watching"]:
        """The chat's stream, from where `page` is."""
        page = page or Page()
        lines = {"Last-Event-ID": str(page.revision)} if page.revision else {}
        async with self._session.get(f"{self.url}/web/chats/{chat}/events", headers=lines) as response:
            assert response.status == 200, await response.text()
            watching = Watching(page, response)
            try:
                yield watching
            finally:
                watching.close()


class Watching:
    """A page that reads its stream in the background."""

    def __init__(self, page: Page, response: aiohttp.ClientResponse) -> None:
        self.page = page
        self._response = response
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def until(self, true: Any) -> Page:
        """Waits until something is true of the page."""
        async with asyncio.timeout(PATIENCE_S):
            while not true(self.page):
                self._news.clear()
                await self._news.wait()
        return self.page

    async def ended(self) -> None:
        """Waits for the end of the stream."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({self._reader})

    def close(self) -> None:
        self._reader.cancel()

    async def _read(self) -> None:
        rest, looked = bytearray(), 0
        async for piece in self._response.content.iter_any():
            rest += piece
            while (end := rest.find(b"\n\n", looked)) >= 0:
                self._take(rest[:end].decode())
                del rest[: end + 2]
                looked = 0
            looked = max(len(rest) - 1, 0)  # a large event is not searched anew with each of its pieces

    def _take(self, event: str) -> None:
        lines = dict(line.split(": ", 1) for line in event.split("\n"))
        if "data" in lines:
            self.page.take(lines["event"], json.loads(lines["data"]))
            self._news.set()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def serving(
    model: Model | None = None,
    *,
    keys: bool = False,
    store: SqliteStore | None = None,
    tools: Mapping[str, Tool] | None = None,
    port: int = 0,
    **changes: Any,
) -> AsyncIterator[WebStage]:
    """A running gateway. With `keys` ann may use every agent, bob `ops` alone; without, this machine is the admin."""
    stage = WebStage(model or Teller(), ApiSettings(keys=KEYS if keys else ()), store, tools, **changes)
    async with stage.gateway.running(recover=store is not None):
        await stage.site.hub.resume()
        _, stage.port = await stage.server.start("127.0.0.1", port)
        try:
            yield stage
        finally:
            await stage.site.hub.close()
            await stage.server.stop(grace=0.05)


@asynccontextmanager
async def browser(stage: WebStage, key: str | None = None) -> AsyncIterator[Browser]:
    """A browser, signed in with `key` where there is one."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        one = Browser(session, stage.url)
        if key is not None:
            answer = await one.call("POST", "/web/sign-in", {"key": key})
            assert answer.status == 200, answer.body
        yield one
