"""An OpenAI-compatible model in the test's own process; what it says is up to a script."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.process.peer import serving


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came: path, headers in lower case, body as text and decoded."""

    path: str
    headers: Mapping[str, str]
    raw: str
    body: Mapping[str, Any]

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.body["messages"]
        return found

    @property
    def since_user(self) -> Sequence[Mapping[str, Any]]:
        """The last message of the user and what came after it."""
        last = max(n for n, message in enumerate(self.messages) if message["role"] == "user")
        return self.messages[last:]

    @property
    def user_text(self) -> str:
        text: str = self.since_user[0]["content"]
        return text


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool that the model wants to be called; the call's id is made by the server, and never made twice."""

    name: str
    arguments: Mapping[str, Any]


Reply = str | tuple[Wish, ...]
Script = Callable[[Asked], Awaitable[Reply]]
Pace = Callable[[], float]
"""Seconds to wait before each piece of an answer."""

Listened = Callable[[], Awaitable[object]]
"""Returns when a text that has begun may go on."""


async def at_once() -> None:
    """Nobody need have listened."""


@asynccontextmanager
async def stub_model(script: Script, pace: Pace = lambda: 0.0, listened: Listened = at_once) -> AsyncIterator[str]:
    """Serves `POST …/chat/completions`, always streamed; yields its address."""
    app = web.Application(client_max_size=2**26)
    server = _Server(script, pace, listened)
    app.router.add_post("/{place:.*}", server.handle)
    async with serving(app) as address:
        yield address


class _Server:
    def __init__(self, script: Script, pace: Pace, listened: Listened) -> None:
        self._script = script
        self._pace = pace
        self._listened = listened
        self._numbers = itertools.count(1)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.path, headers, raw, json.loads(raw))
        await asyncio.sleep(self._pace())
        reply = await self._script(asked)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            for number, piece in enumerate(self._pieces(asked, reply)):
                if number and isinstance(reply, str):
                    await self._listened()
                await response.write(piece)
                await asyncio.sleep(self._pace() / 4)
            await response.write(b"data: [DONE]\n\n")
            await response.write_eof()
        except ConnectionError:
            pass  # the gateway was killed while it listened: what these tests are about
        return response

    def _pieces(self, asked: Asked, reply: Reply) -> Sequence[bytes]:
        """The chunks of an answer (OpenAI API reference, "Chat")."""
        if isinstance(reply, str):
            third = len(reply) // 3 + 1
            deltas: list[dict[str, Any]] = [{"content": reply[at : at + third]} for at in range(0, len(reply), third)]
        else:
            deltas = [{"tool_calls": [self._call(n, wish) for n, wish in enumerate(reply)]}]
        reason = "stop" if isinstance(reply, str) else "tool_calls"
        model = asked.body["model"]
        return [
            *(_event(model, {"index": 0, "delta": delta, "finish_reason": None}) for delta in deltas),
            _event(model, {"index": 0, "delta": {}, "finish_reason": reason}),
            _event(model, usage={"prompt_tokens": len(asked.raw) // 4, "completion_tokens": len(deltas)}),
        ]

    def _call(self, index: int, wish: Wish) -> dict[str, Any]:
        function = {"name": wish.name, "arguments": json.dumps(wish.arguments)}
        return {"index": index, "id": f"call_{next(self._numbers)}", "type": "function", "function": function}


def _event(model: str, choice: Mapping[str, Any] | None = None, usage: Mapping[str, Any] | None = None) -> bytes:
    document = {
        "id": "chatcmpl-stub",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": [] if choice is None else [choice],
        "usage": usage,
    }
    return f"data: {json.dumps(document)}\n\n".encode()
