"""A deadline that moves."""

import asyncio

import pytest

from serai.models.deadline import Deadline


async def wait_under(seconds: float, moved: float | None = None, waiting: asyncio.Event | None = None) -> None:
    """Waits for ever under a deadline, which is moved once."""
    with Deadline(seconds) as deadline:
        if moved is not None:
            deadline.wait(moved)
        if waiting is not None:
            waiting.set()
        await asyncio.Event().wait()


async def test_waiting_ends_at_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        await wait_under(0.02)


async def test_a_deadline_that_moved_later_ends_waiting_later() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(TimeoutError):
        await wait_under(0.02, moved=0.06)
    assert loop.time() - begun >= 0.059


async def test_a_deadline_that_moved_nearer_ends_waiting_sooner() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(TimeoutError):
        await wait_under(60, moved=0.01)
    assert loop.time() - begun < 30


async def test_what_is_done_in_time_is_left_alone() -> None:
    task = asyncio.current_task()
    assert task is not None
    with Deadline(60):
        await asyncio.Condition().acquire()
    assert task.cancelling() == 0


async def test_an_error_inside_passes() -> None:
    with pytest.raises(KeyError), Deadline(60):
        raise KeyError


async def test_a_cancelled_task_stays_cancelled() -> None:
    waiting = asyncio.Event()
    task = asyncio.create_task(wait_under(60, waiting=waiting))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_is_cancelled_as_the_deadline_comes_stays_cancelled() -> None:
    task = asyncio.create_task(wait_under(0))
    asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_later(0, task.cancel))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_outside_stays_outside() -> None:
    inside: list[type[BaseException]] = []

    async def wait() -> None:
        try:
            await wait_under(60)
        except BaseException as error:
            inside.append(type(error))
            raise

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait(), 0.01)
    assert inside == [asyncio.CancelledError]
