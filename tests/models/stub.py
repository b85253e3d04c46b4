"""A strict chat-completions endpoint on loopback, with scripted answers and faults.

What it does not know in a request (a field, a role, a missing header) is an offence: the call gets 400, and leaving
the stub fails the test. The shapes are those of the OpenAI API reference, "Chat".
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from aiohttp import web

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Text(msgspec.Struct, tag="text", tag_field="type", forbid_unknown_fields=True):
    text: str


class _Url(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    detail: Literal["auto", "low", "high"]


class _Picture(msgspec.Struct, tag="image_url", tag_field="type", forbid_unknown_fields=True):
    image_url: _Url


class _Called(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: str


class _Call(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    type: Literal["function"]
    function: _Called


class _System(msgspec.Struct, tag="system", tag_field="role", forbid_unknown_fields=True):
    content: str


class _User(msgspec.Struct, tag="user", tag_field="role", forbid_unknown_fields=True):
    content: str | list[_Text | _Picture]
    name: str | None = None


class _Assistant(msgspec.Struct, tag="assistant", tag_field="role", forbid_unknown_fields=True):
    content: str | None
    tool_calls: list[_Call] | None = None


class _ToolResult(msgspec.Struct, tag="tool", tag_field="role", forbid_unknown_fields=True):
    content: str
    tool_call_id: str


class _Function(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str
    parameters: dict[str, Any]
    strict: bool | None = None


class _Tool(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["function"]
    function: _Function


class _StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    include_usage: Literal[True]


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    messages: list[_System | _User | _Assistant | _ToolResult]
    stream: Literal[True]
    stream_options: _StreamOptions
    tools: list[_Tool] | msgspec.UnsetType = msgspec.UNSET
    tool_choice: Any = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: str | None = None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object none of whose names comes twice; JSON libraries do not agree on what such an object means."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a name comes twice: {names}")
    return dict(pairs)


@dataclass(frozen=True)
class Seen:
    """One request as it came: path with query, headers in lower case, body, and which connection brought it."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    connection: int

    @property
    def key(self) -> str | None:
        """What the Authorization header said."""
        return self.headers.get("authorization")


class Stub:
    """The endpoint. Answers in the order of the script; the last act is repeated."""

    def __init__(self) -> None:
        self.base_url = ""
        self.port = 0
        self.seen: list[Seen] = []
        self.offences: list[str] = []
        self.gone = asyncio.Event()
        self._acts: list[Act] = []
        self._connections: dict[int, asyncio.BaseTransport] = {}

    def script(self, *acts: Act) -> None:
        """What to do from now on, one act per request."""
        self._acts = list(acts)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            self._check(request, raw)
        except (ValueError, TypeError) as error:
            self.offences.append(str(error))
            return web.json_response({"error": {"message": str(error)}}, status=400)
        act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
        try:
            return await act(request)
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise

    def _check(self, request: web.Request, raw: bytes) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        transport = request.transport
        assert transport is not None
        self._connections.setdefault(id(transport), transport)
        body = json.loads(raw, object_pairs_hook=_unique)
        connection = list(self._connections).index(id(transport))
        self.seen.append(Seen(request.path_qs, headers, body, connection))
        if headers.get("content-type") != "application/json" or "cookie" in headers:
            raise ValueError(f"wrong headers: {headers}")
        msgspec.convert(body, _Request)

    @property
    def last(self) -> Seen:
        return self.seen[-1]


@asynccontextmanager
async def serving(*acts: Act) -> AsyncIterator[Stub]:
    """A stub that listens on loopback for the block. Offences fail the test at its end."""
    stub = Stub()
    stub.script(*acts)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/{tail:.*}chat/completions", stub.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.port = runner.addresses[0][1]
    stub.base_url = f"http://127.0.0.1:{stub.port}/v1"
    try:
        yield stub
    finally:
        await runner.cleanup()
    assert stub.offences == []


def event(document: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def chunk(delta: Mapping[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One chat.completion.chunk as an event; `more` are fields beside `choices`."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]
    shape = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "stub-model-1"}
    return event({**shape, "choices": choices, **more})


USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
DONE = b"data: [DONE]\n\n"


def answer(*pieces: str, finish: str = "stop") -> list[bytes]:
    """A whole, valid stream that says `pieces`."""
    role = chunk({"role": "assistant", "content": ""})
    return [role, *(chunk({"content": piece}) for piece in pieces), chunk({}, finish), chunk(usage=USAGE), DONE]


def streams(pieces: Sequence[bytes], *, kind: str = "text/event-stream", status: int = 200) -> Act:
    """Sends the pieces, each in a write of its own, and ends the body properly."""

    async def act(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    return act


def says(*pieces: str) -> Act:
    """A good answer."""
    return streams(answer(*pieces))


def replies(status: int, body: str | bytes, headers: Mapping[str, str] | None = None) -> Act:
    """Sends a status with a body and exactly these headers."""

    async def act(request: web.Request) -> web.StreamResponse:
        raw = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=raw, headers=headers)

    return act


def documents(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Act:
    """Sends a JSON document."""
    return replies(status, json.dumps(document), {"Content-Type": "application/json", **(headers or {})})


def breaks_off(pieces: Sequence[bytes], *, after: asyncio.Event | None = None) -> Act:
    """Sends the pieces and closes the connection in the middle of the body, once `after` is set."""

    async def act(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if after is not None:
            await after.wait()
        assert request.transport is not None
        request.transport.close()
        return response

    return act


def stalls(pieces: Sequence[bytes]) -> Act:
    """Sends the pieces and then nothing more, with the connection open, until the client goes away."""

    async def act(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await asyncio.Event().wait()
        return response

    return act


async def silent(_: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


Spoken = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(handle: Spoken) -> AsyncIterator[int]:
    """A TCP server on loopback that does with each connection what `handle` does; yields its port."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handle(reader, writer)
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in running.copy():
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One HTTP request with its body. Raises IncompleteReadError when the client is gone."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


def http(body: bytes, *, status: bytes = b"200 OK", kind: bytes = b"text/event-stream") -> bytes:
    """A whole HTTP response that keeps the connection."""
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)
