"""The local engine keeps the contract; and its listeners' patience, in exact seconds."""

import asyncio

import pytest

from serai.core.event import TextDelta
from serai.engines.local import LocalEngine
from serai.ports.engine import Engine
from serai.testing.clock import virtual_time
from serai.testing.engine_contract import EngineContract


class TestLocal(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return LocalEngine()


@virtual_time
async def test_silence_is_counted_from_the_last_event() -> None:
    engine, loop = LocalEngine(), asyncio.get_running_loop()
    listener = engine.subscribe("run:1")
    begun = loop.time()
    loop.call_later(10, engine.publish, "run:1", TextDelta("a"))
    assert await listener.batch(15) == [TextDelta("a")]
    assert loop.time() - begun == pytest.approx(10)
    assert await listener.batch(15) == []
    assert loop.time() - begun == pytest.approx(25)
    assert await listener.batch(15) == []
    assert loop.time() - begun == pytest.approx(40)


@virtual_time
async def test_a_shorter_patience_than_the_last_one_counts() -> None:
    engine, loop = LocalEngine(), asyncio.get_running_loop()
    listener = engine.subscribe("run:1")
    loop.call_soon(engine.publish, "run:1", TextDelta("a"))
    await listener.batch(600)
    begun = loop.time()
    assert await listener.batch(1) == []
    assert loop.time() - begun == pytest.approx(1)


@virtual_time
async def test_whoever_waits_without_patience_does_not_mind_the_silence() -> None:
    engine, loop = LocalEngine(), asyncio.get_running_loop()
    listener = engine.subscribe("run:1")
    loop.call_soon(engine.publish, "run:1", TextDelta("a"))
    await listener.batch(5)
    loop.call_later(60, engine.publish, "run:1", TextDelta("b"))
    assert await listener.next() == TextDelta("b")


@virtual_time
async def test_a_listener_that_is_closed_leaves_no_timer_behind() -> None:
    engine, loop = LocalEngine(), asyncio.get_running_loop()
    listener = engine.subscribe("run:1")
    loop.call_soon(engine.publish, "run:1", TextDelta("a"))
    await listener.batch(600)
    listener.close()
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
