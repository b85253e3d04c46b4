"""Garbage in cycles is looked for between turns."""

import asyncio
import gc
from dataclasses import dataclass

import pytest

from serai.app.garbage import collect_between_turns
from serai.testing.clock import virtual_time


@dataclass
class Heap:
    """A process with `objects` new objects and `turns` in flight."""

    objects: int = 0
    turns: int = 0
    looks: int = 0

    def collect(self) -> None:
        self.looks += 1
        self.objects = 0


@pytest.mark.parametrize(
    ("objects", "turns", "looks"), [(0, 0, 0), (50_000, 0, 1), (50_000, 1000, 0), (5_000_000, 1000, 1)]
)
@virtual_time
async def test_a_look_is_taken_when_it_is_worth_it(objects: int, turns: int, looks: int) -> None:
    heap = Heap(objects, turns)
    task = asyncio.create_task(collect_between_turns(lambda: heap.turns, lambda: heap.objects, heap.collect))
    await asyncio.sleep(10)
    assert heap.looks == looks
    assert not gc.isenabled()
    task.cancel()
    await asyncio.wait([task])
    assert gc.isenabled()


@virtual_time
async def test_cycles_are_really_found() -> None:
    task = asyncio.create_task(collect_between_turns(lambda: 0))
    await asyncio.sleep(0)
    for _ in range(30_000):
        cycle: list[object] = []
        cycle.append(cycle)
    assert gc.get_count()[0] > 20_000
    await asyncio.sleep(2)
    assert gc.get_count()[0] < 20_000
    task.cancel()
    await asyncio.wait([task])
