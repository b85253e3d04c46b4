"""The yardstick: what aiohttp costs with nothing else. `python -m bench.bare_proxy --port P --upstream URL`.

One chat completion in, one streamed call out, one completion back, whole or streamed; no routing, no keys, no
store, no history. Same event loop, server, client and JSON library as the gateway (DESIGN 4).
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import uvloop
from aiohttp import web

from bench import wire

UPSTREAM = web.AppKey("upstream", str)
CLIENT = web.AppKey("client", aiohttp.ClientSession)
TICK_S = 0.01
JSON = {"Content-Type": "application/json"}


class Lag:
    """How late the event loop's timers ran at worst, in seconds: what the machine does to any process."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            self.worst = max(self.worst, loop.time() - due)


LAG = web.AppKey("lag", Lag)


class Request(msgspec.Struct):
    """A chat-completion request, as far as it is passed on."""

    model: str
    messages: list[dict[str, Any]]
    stream: bool = False


class Onward(msgspec.Struct):
    """The request to the model."""

    model: str
    messages: list[dict[str, Any]]
    stream: bool = True
    stream_options: dict[str, bool] = msgspec.field(default_factory=lambda: {"include_usage": True})


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The data of each server-sent event, without [DONE]."""
    rest = b""
    async for data in response.content.iter_any():
        *whole, rest = (rest + data).split(b"\n\n")
        for event in whole:
            if event.startswith(b"data: {"):
                yield event[6:]


async def complete(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    asked = msgspec.json.decode(await request.read(), type=Request)
    body = msgspec.json.encode(Onward(asked.model, asked.messages))
    client, url = request.app[CLIENT], request.app[UPSTREAM]
    async with client.post(url, data=body, headers=JSON) as response:
        if asked.stream:
            return await _stream(request, response)
        pieces = [piece async for piece in _pieces(response)]
    answer = wire.completion(asked.model, "".join(pieces))
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    async for event in events(response):
        for choice in msgspec.json.decode(event, type=wire.Chunk).choices:
            if choice.delta.content:
                yield choice.delta.content


async def _stream(request: web.Request, response: aiohttp.ClientResponse) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(wire.chunk({"role": "assistant", "content": ""}))
    async for piece in _pieces(response):
        await answer.write(wire.chunk({"content": piece}))
    await answer.write(wire.chunk({}, finish="stop") + b"data: [DONE]\n\n")
    await answer.write_eof()
    return answer


async def health(_: web.Request) -> web.Response:
    """GET /health and /ready."""
    return web.Response(text="ok")


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics: the same gauge as the gateway's."""
    return web.Response(text=f"serai_event_loop_stall_seconds_max {request.app[LAG].worst}\n")


async def life(app: web.Application) -> AsyncIterator[None]:
    """The one client session and the ticker, for as long as the server runs."""
    ticker = asyncio.create_task(app[LAG].watch())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        app[CLIENT] = client
        yield
    ticker.cancel()


def application(upstream: str) -> web.Application:
    """The proxy in front of the OpenAI-compatible endpoint `upstream` (ending in /v1)."""
    app = web.Application(client_max_size=10 * 2**20)
    app[UPSTREAM] = f"{upstream}/chat/completions"
    app[LAG] = Lag()
    app.cleanup_ctx.append(life)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/health", health)
    app.router.add_get("/ready", health)
    app.router.add_get("/metrics", metrics)
    return app


def main() -> None:
    """Serve until SIGTERM."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--upstream", required=True)
    given = options.parse_args()
    web.run_app(
        application(given.upstream),
        host="127.0.0.1",
        port=given.port,
        print=None,
        access_log=None,
        backlog=4096,
        handler_cancellation=True,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
