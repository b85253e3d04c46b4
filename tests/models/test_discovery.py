"""Finding a model server on loopback, and not mistaking anything else for one (SPEC 7.2)."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import pytest

from serai.core.profile import Endpoint
from serai.models.discovery import DEFAULT, find_local
from serai.models.openai_chat import make_session
from serai.testing.clock import virtual_time
from tests.patience import PATIENCE_S

from .stub import http, read_request, speaking

MOMENT: Final = 1.0
"""Seconds that a server has where one does not answer."""


def listing(*names: str, **more: Any) -> dict[str, Any]:
    """A list of models as OpenAI's API writes it, with fields that servers add."""
    data = [
        {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "library", **more} for name in names
    ]
    return {"object": "list", "data": data}


@asynccontextmanager
async def answering(
    document: object, *, status: bytes = b"200 OK", after: asyncio.Event | None = None
) -> AsyncIterator[int]:
    """A server that answers every request with a document (JSON, or bytes as they are), once `after` is set."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked = await read_request(reader)
            assert asked.startswith(b"GET /v1/models HTTP/1.1\r\n")
            assert b"authorization" not in asked.lower()
            if after is not None:
                await after.wait()
            writer.write(http(body, status=status, kind=b"application/json"))

    async with speaking(speak) as port:
        yield port


async def find(*ports: int, own: tuple[int, ...] = (), seconds: float = PATIENCE_S) -> Endpoint | None:
    async with make_session() as session:
        return await find_local(session, ports, own=own, seconds=seconds)


def endpoint(name: str, port: int) -> Endpoint:
    return Endpoint(name, f"http://127.0.0.1:{port}/v1", key_name=None)


def test_the_usual_servers_are_asked_in_the_usual_order() -> None:
    assert DEFAULT == (11434, 8080, 8000, 1234)


async def test_the_first_model_of_a_server_is_taken() -> None:
    async with answering(listing("qwen3:8b", "llama3.2")) as port:
        assert await find(port) == endpoint("qwen3:8b", port)


async def test_fields_that_servers_add_do_no_harm() -> None:
    llama_cpp = {**listing("model.gguf", meta={"n_ctx": 4096}), "models": [{"name": "model.gguf"}]}
    async with answering(llama_cpp) as port:
        assert await find(port) == endpoint("model.gguf", port)


async def test_models_for_embedding_are_passed_over() -> None:
    async with answering(listing("nomic-embed-text", "text-Embedding-3", " ", "smol")) as port:
        assert await find(port) == endpoint("smol", port)


async def test_the_preferred_server_wins_even_when_it_is_slower() -> None:
    answered = asyncio.Event()

    async def quick(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(http(json.dumps(listing("quick")).encode()))
        answered.set()
        await reader.read()

    async with answering(listing("slow"), after=answered) as slow_port, speaking(quick) as quick_port:
        assert await find(slow_port, quick_port) == endpoint("slow", slow_port)


@virtual_time
async def test_all_are_asked_at_once_and_a_mute_one_costs_a_moment() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with AsyncExitStack() as stack:
        mutes = [await stack.enter_async_context(speaking(mute)) for _ in range(4)]
        port = await stack.enter_async_context(answering(listing("m")))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await find(*mutes, port, seconds=MOMENT) == endpoint("m", port)
        assert loop.time() - begun == pytest.approx(MOMENT)


async def test_nothing_is_found_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert await find(taken.getsockname()[1]) is None
    assert await find() is None


async def test_the_gateways_own_port_is_not_asked() -> None:
    async with answering(listing("model")) as port:
        assert await find(port, own=(port,)) is None


async def test_agents_of_another_gateway_are_no_models() -> None:
    async with answering(listing("main", "ops", owned_by="serai")) as port:
        assert await find(port) is None


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<!DOCTYPE html><html><body>It works!</body></html>",
        b"OK",
        b"\xff\xfe\x00",
        b'{"object":"list","data":' + b"[" * 99_999,
        json.dumps(listing("m")).encode() + b" " * (2**20 + 1),
        [],
        {},
        {"data": [{"id": "m", "object": "model"}]},
        {"object": "list"},
        {"object": "list", "data": []},
        {"object": "list", "data": None},
        {"object": "list", "data": ["m"]},
        {"object": "list", "data": [{"id": "m"}]},
        {"object": "list", "data": [{"object": "model"}]},
        {"object": "list", "data": [{"id": 1, "object": "model"}]},
        {"object": "list", "data": [{"id": "m", "object": "user"}]},
        {"object": "page", "data": [{"id": "m", "object": "model"}]},
        listing("m") | {"data": [*listing("m")["data"], {"id": "u", "object": "user"}]},
        listing("nomic-embed-text"),
        listing(""),
    ],
)
async def test_another_server_is_not_mistaken_for_a_model(document: object) -> None:
    async with answering(document) as port:
        assert await find(port) is None


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"404 Not Found", b"503 Unavailable"])
async def test_a_server_that_refuses_is_passed_over(status: bytes) -> None:
    async with answering(listing("m"), status=status) as port:
        assert await find(port) is None


async def test_a_redirect_is_not_followed() -> None:
    async with answering(listing("m")) as port:
        elsewhere = b"302 Found\r\nLocation: http://127.0.0.1:%d/v1/models" % port
        async with answering({}, status=elsewhere) as first:
            assert await find(first) is None


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
@virtual_time
async def test_a_server_that_does_not_speak_http_is_passed_over(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with speaking(speak) as port, answering(listing("m")) as other:
        assert await find(port, other, seconds=MOMENT) == endpoint("m", other)
