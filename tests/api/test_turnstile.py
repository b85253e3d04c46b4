"""A crowd is let in a few at a time."""

import asyncio

from serai.api.guard.turnstile import Turnstile
from tests.patience import PATIENCE_S


async def _visit(turnstile: Turnstile, seen: list[int], number: int) -> None:
    if not turnstile.try_pass():
        await turnstile.wait()
    seen.append(number)


async def _rounds(turnstile: Turnstile, seen: list[int], crowd: int) -> list[int]:
    """How many had passed after each round of the loop."""
    tasks = [asyncio.create_task(_visit(turnstile, seen, number)) for number in range(crowd)]
    passed = []
    while len(seen) < crowd:
        await asyncio.sleep(0)
        passed.append(len(seen))
    await asyncio.gather(*tasks)
    return passed


async def test_a_crowd_passes_in_order_and_a_few_each_round() -> None:
    seen: list[int] = []
    passed = await _rounds(Turnstile(3), seen, 10)
    assert seen == list(range(10))
    assert all(later - earlier <= 3 for earlier, later in zip([0, *passed], passed, strict=False))
    assert len(passed) <= 6


async def test_who_comes_alone_does_not_wait() -> None:
    turnstile = Turnstile(1)
    for _ in range(3):
        assert turnstile.try_pass()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_who_leaves_the_line_takes_no_place() -> None:
    turnstile = Turnstile(1)
    seen: list[int] = []
    tasks = [asyncio.create_task(_visit(turnstile, seen, number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    assert seen == [0, 2, 3]
