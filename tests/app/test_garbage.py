"""Garbage in cycles is looked for between turns."""

import asyncio
import gc
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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


UP = """
import gc, sys
from pathlib import Path
from serai.app.up import main
main(Path(sys.argv[1]), {}, lambda _: print(gc.get_freeze_count() > 0, flush=True), port=0)
"""
CONFIG = "model: {name: m, base_url: 'http://127.0.0.1:9/v1'}\n"


@pytest.mark.slow
def test_what_was_imported_is_never_looked_through(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(0o700)
    (home / "config.yaml").write_text(CONFIG)
    with subprocess.Popen([sys.executable, "-c", UP, home], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    assert said == "True\n"
