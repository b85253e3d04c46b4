"""Streams that have nothing to tell say that they are still there, and slow readers are let go (SPEC 11.3, 11.6)."""

import asyncio

import pytest

from serai.api.sse import PATIENCE_S
from serai.core.activity import Configured
from serai.testing.clock import virtual_time
from tests.api.stage import ADMIN_KEY, ANSWER, FakeRuns, Stage, request, serving

LIFETIME_S = 600.0
ADMIN = [("Authorization", f"Bearer {ADMIN_KEY}")]


@virtual_time
async def test_a_silent_session_says_every_15_seconds_that_it_is_there() -> None:
    loop, go_on = asyncio.get_running_loop(), asyncio.Event()
    async with serving(FakeRuns(go_on, ANSWER)) as stage:
        stage.archive.rows["trip"] = "admin"
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        begun = loop.time()
        body = {"message": "2+2?", "stream": True}
        writer.write(request("POST", "/api/sessions/trip/chat", body, ADMIN))
        for count in (1, 2):
            await reader.readuntil(b": keep-alive\n\n")
            assert loop.time() - begun == pytest.approx(count * PATIENCE_S)
        go_on.set()
        await reader.readuntil(b"event: run.completed")
        writer.close()


@virtual_time
async def test_a_quiet_gateway_says_so_and_lets_its_reader_come_back_in_the_end() -> None:
    loop = asyncio.get_running_loop()
    async with serving() as stage:
        reader, writer = await _watching(stage)
        begun = loop.time()
        await reader.readuntil(b": keep-alive\n\n")
        assert loop.time() - begun == pytest.approx(PATIENCE_S, abs=0.1)
        stage.activity.tell(Configured(("agents.ops",), ()))
        told = await reader.readuntil(b"\n\n")
        assert b"event: configuration.changed" in told
        rest = await reader.readuntil(b"\r\n0\r\n\r\n")
        assert rest.count(b": keep-alive") >= 30
        assert loop.time() - begun == pytest.approx(LIFETIME_S, abs=PATIENCE_S)
        writer.close()


@virtual_time
async def test_a_reader_that_reads_nothing_is_let_go() -> None:
    async with serving() as stage:
        reader, writer = await _watching(stage)
        for _ in range(40):  # seconds, in which 80 MB pile up for it
            for _ in range(1000):
                stage.activity.tell(Configured(("x" * 2000,), ()))
            await asyncio.sleep(1.0)
        try:
            read = await reader.read()
        except ConnectionError:
            read = b""
        assert not read.endswith(b"0\r\n\r\n")
        assert len(read) < 2**24
        writer.close()


async def _watching(stage: Stage) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the events have begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(request("GET", "/api/events", b"", ADMIN))
    await reader.readuntil(b"retry: 1000\n\n")
    return reader, writer
