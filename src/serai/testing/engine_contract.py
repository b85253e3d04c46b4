"""What every engine must do, as a pytest suite: subclass, and give it a fixture `engine`."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from serai.core.event import TextDelta
from serai.ports.engine import Engine


class EngineContract:
    """Wake-ups may come twice, never together; leases are exclusive; topics reach their listeners."""

    async def test_a_woken_key_is_drained(self, engine: Engine) -> None:
        drained: asyncio.Queue[str] = asyncio.Queue()
        running = asyncio.create_task(engine.run(drained.put))
        engine.wake("turn:a:1")
        assert await drained.get() == "turn:a:1"
        await _stopped(running)

    async def test_a_wake_up_before_the_engine_runs_is_not_lost(self, engine: Engine) -> None:
        drained: asyncio.Queue[str] = asyncio.Queue()
        engine.wake("early")
        running = asyncio.create_task(engine.run(drained.put))
        assert await drained.get() == "early"
        await _stopped(running)

    async def test_a_key_is_never_drained_by_two_at_once_and_a_wake_up_meanwhile_counts(self, engine: Engine) -> None:
        inside, most, drains = 0, 0, 0
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def drain(_key: str) -> None:
            nonlocal inside, most, drains
            inside, drains = inside + 1, drains + 1
            most = max(most, inside)
            entered.set()
            await go_on.wait()
            inside -= 1

        running = asyncio.create_task(engine.run(drain))
        engine.wake("k")
        await entered.wait()
        for _ in range(5):
            engine.wake("k")
        await asyncio.sleep(0)
        assert drains == 1
        go_on.set()
        while drains < 2 or inside:
            await asyncio.sleep(0)
        assert (drains, most) == (2, 1)
        await _stopped(running)

    async def test_different_keys_do_not_wait_for_each_other(self, engine: Engine) -> None:
        together = asyncio.Barrier(50)
        seen: Counter[str] = Counter()

        async def drain(key: str) -> None:
            await together.wait()
            seen[key] += 1

        running = asyncio.create_task(engine.run(drain))
        for n in range(50):
            engine.wake(f"k{n}")
        while sum(seen.values()) < 50:
            await asyncio.sleep(0)
        assert set(seen.values()) == {1}
        await _stopped(running)

    async def test_a_later_wake_up_comes_later(self, engine: Engine) -> None:
        loop = asyncio.get_running_loop()
        drained: asyncio.Queue[float] = asyncio.Queue()

        async def drain(_key: str) -> None:
            await drained.put(loop.time())

        running = asyncio.create_task(engine.run(drain))
        await asyncio.sleep(0)
        began = loop.time()
        engine.wake("k", after=0.05)
        engine.wake("k", after=5.0)
        assert await drained.get() - began >= 0.049
        await _stopped(running)

    @pytest.mark.filterwarnings("ignore")
    async def test_a_drain_that_raises_leaves_its_key_usable(self, engine: Engine) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        drained: asyncio.Queue[str] = asyncio.Queue()
        failures = [ValueError("broken")]

        async def drain(key: str) -> None:
            if failures:
                raise failures.pop()
            await drained.put(key)

        running = asyncio.create_task(engine.run(drain))
        engine.wake("k")
        while failures:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        engine.wake("k")
        assert await drained.get() == "k"
        await _stopped(running)

    async def test_stopping_the_engine_cancels_its_drains(self, engine: Engine) -> None:
        entered, cancelled = asyncio.Event(), asyncio.Event()

        async def drain(_key: str) -> None:
            entered.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        running = asyncio.create_task(engine.run(drain))
        engine.wake("k")
        await entered.wait()
        await _stopped(running)
        assert cancelled.is_set()

    async def test_a_lease_is_exclusive(self, engine: Engine) -> None:
        order: list[str] = []

        async def holder(name: str) -> None:
            async with engine.hold("telegram:default"):
                order.append(f"{name} in")
                await asyncio.sleep(0)
                order.append(f"{name} out")

        await asyncio.gather(*(holder(name) for name in "abc"))
        assert all(order[n].split()[0] == order[n + 1].split()[0] for n in (0, 2, 4))

    async def test_listeners_hear_their_topic_in_order_and_nothing_after_closing(self, engine: Engine) -> None:
        first, second = engine.subscribe("run:1"), engine.subscribe("run:1")
        other = engine.subscribe("run:2")
        for word in ("a", "b"):
            engine.publish("run:1", TextDelta(word))
        engine.publish("run:2", TextDelta("z"))
        assert [await first.next(), await first.next()] == [TextDelta("a"), TextDelta("b")]
        assert await other.next() == TextDelta("z")
        second.close()
        second.close()
        engine.publish("run:1", TextDelta("c"))
        assert await first.next() == TextDelta("c")

    async def test_a_batch_is_all_that_came_and_a_cancelled_one_loses_nothing(self, engine: Engine) -> None:
        listener = engine.subscribe("run:1")
        waiting = asyncio.create_task(listener.batch(60))
        await asyncio.sleep(0)
        for word in ("a", "b"):
            engine.publish("run:1", TextDelta(word))
        await _stopped(waiting)
        assert await listener.batch(60) == [TextDelta("a"), TextDelta("b")]
        waiting = asyncio.create_task(listener.batch(60))
        await asyncio.sleep(0)
        engine.publish("run:1", TextDelta("c"))
        assert await waiting == [TextDelta("c")]
        listener.close()

    async def test_a_batch_is_empty_after_silence(self, engine: Engine) -> None:
        listener = engine.subscribe("run:1")
        assert await listener.batch(0.01) == []
        listener.close()


async def _stopped(running: asyncio.Task[Any]) -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
