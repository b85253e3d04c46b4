"""AgentThreads: whose thread works, how many there are, what a cancelled caller leaves behind."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from serai.core.ids import AgentId
from serai.tools.thread import AgentThreads
from tests.patience import PATIENCE_S

A, B = AgentId("a"), AgentId("b")


@contextmanager
def opened(threads: AgentThreads) -> Iterator[AgentThreads]:
    try:
        yield threads
    finally:
        threads.close()


def waiting_for(gate: threading.Event) -> None:
    assert gate.wait(PATIENCE_S)


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop run until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0)


async def test_work_runs_beside_the_loop_and_returns_its_value() -> None:
    with opened(AgentThreads()) as threads:
        here = threading.get_ident()
        there = await threads.run(A, threading.get_ident)
    assert there != here


async def test_what_the_work_raises_reaches_the_caller() -> None:
    def fail() -> None:
        raise ZeroDivisionError("seven by nought")

    with opened(AgentThreads()) as threads:
        with pytest.raises(ZeroDivisionError, match="seven"):
            await threads.run(A, fail)
        assert await threads.run(A, lambda: "still there") == "still there"


async def test_even_stop_iteration_does_not_lose_the_caller() -> None:
    with opened(AgentThreads()) as threads, pytest.raises(RuntimeError, match="StopIteration"):
        await threads.run(A, lambda: next(iter(())))


async def test_a_thread_serves_one_agent_only() -> None:
    with opened(AgentThreads()) as threads:
        names = await asyncio.gather(
            *(threads.run(AgentId(f"a{n % 10}"), lambda: threading.current_thread().name) for n in range(100))
        )
    assert names == [f"serai-tool-a{n % 10}" for n in range(100)]


async def test_a_thread_that_is_free_is_used_again() -> None:
    with opened(AgentThreads()) as threads:
        used = {await threads.run(A, threading.get_ident) for _ in range(20)}
    assert len(used) == 1


async def test_an_agent_has_four_places_and_its_fifth_piece_waits() -> None:
    gate = threading.Event()
    started: Counter[str] = Counter()

    def work() -> None:
        started["a"] += 1
        waiting_for(gate)

    with opened(AgentThreads(per_agent=4)) as threads:
        tasks = [asyncio.create_task(threads.run(A, work)) for _ in range(5)]
        await until(lambda: started["a"] == 4)
        assert threads.count == 4
        assert await threads.run(B, lambda: "b is served") == "b is served"
        assert started["a"] == 4
        gate.set()
        await asyncio.gather(*tasks)
    assert started["a"] == 5


def living(names: str) -> int:
    """How many threads there are whose names begin so."""
    return sum(thread.name.startswith(names) for thread in threading.enumerate())


async def test_a_thousand_agents_share_a_bounded_number_of_threads() -> None:
    with opened(AgentThreads(most=8)) as threads:
        counts, seen = [], []

        async def one(n: int) -> None:
            await threads.run(AgentId(f"z{n}"), lambda: seen.append(living("serai-tool-z")))
            counts.append(threads.count)

        await asyncio.gather(*(one(n) for n in range(1000)))
        assert max(counts) <= 8
        assert max(seen) <= 250, "a thread for each agent"  # those that end may need a long moment on a busy machine
        await until(lambda: living("serai-tool-z") <= 8)  # those that were told to end may need a moment for it


async def test_agents_that_wait_take_turns() -> None:
    gate = threading.Event()
    order: list[str] = []
    with opened(AgentThreads(per_agent=1, most=1)) as threads:
        first = asyncio.create_task(threads.run(A, lambda: waiting_for(gate)))
        flood = [asyncio.create_task(threads.run(A, lambda: order.append("a"))) for _ in range(50)]
        await asyncio.sleep(0)
        one = asyncio.create_task(threads.run(B, lambda: order.append("b")))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, one, *flood)
    assert order.index("b") <= 1


async def test_threads_with_nothing_to_do_end() -> None:
    with opened(AgentThreads(idle=0.0)) as threads:
        thread = await threads.run(A, threading.current_thread)
        await until(lambda: threads.count == 0)
        await asyncio.to_thread(thread.join, PATIENCE_S)
    assert not thread.is_alive()


async def test_cancelling_drops_what_has_not_started() -> None:
    gate = threading.Event()
    done: list[str] = []
    with opened(AgentThreads(per_agent=1)) as threads:
        first = asyncio.create_task(threads.run(A, lambda: waiting_for(gate)))
        second = asyncio.create_task(threads.run(A, lambda: done.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        await first
        await threads.run(A, lambda: done.append("third"))
    assert done == ["third"]


async def test_cancelled_work_that_had_started_keeps_its_place_until_it_is_through() -> None:
    gate, begun = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        waiting_for(gate)
        return "late"

    with opened(AgentThreads(per_agent=1)) as threads:
        task = asyncio.create_task(threads.run(A, work))
        await until(begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        following = asyncio.create_task(threads.run(A, lambda: "next"))
        await asyncio.sleep(0)
        assert threads.count == 1
        gate.set()
        assert await following == "next"


async def test_closing_fails_what_waits_and_ends_all_threads() -> None:
    gate = threading.Event()
    threads = AgentThreads(per_agent=1)
    idle = await threads.run(B, threading.current_thread)
    first = asyncio.create_task(threads.run(A, lambda: waiting_for(gate) or threading.current_thread()))
    second = asyncio.create_task(threads.run(A, lambda: None))
    await asyncio.sleep(0)
    threads.close()
    with pytest.raises(RuntimeError, match="closed"):
        await second
    gate.set()
    busy = await first
    for thread in (idle, busy):
        await asyncio.to_thread(thread.join, PATIENCE_S)
        assert not thread.is_alive()
    with pytest.raises(RuntimeError, match="closed"):
        await threads.run(A, lambda: None)


async def test_nothing_is_kept_of_an_agent_that_is_gone() -> None:
    with opened(AgentThreads(idle=0.0)) as threads:
        await asyncio.gather(*(threads.run(AgentId(f"a{n}"), lambda: None) for n in range(200)))
        await until(lambda: threads.count == 0)
        assert not threads._crews
