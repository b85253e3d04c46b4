"""The model that the pages talk to: the strict stub of the model tests, on a loop of its own."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final

from tests.models.stub import says, serving
from tests.patience import PATIENCE_S

ANSWER: Final = "Paris is the capital of France."


@contextmanager
def model() -> Iterator[int]:
    """Serves `ANSWER` to every question for the block; yields its port. What the stub objects to fails the block."""
    told: SimpleQueue[tuple[int, Callable[[], object]]] = SimpleQueue()

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with serving(says(ANSWER)) as stub:
            told.put((stub.port, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(asyncio.run, serve())
        port, stop = told.get(timeout=PATIENCE_S)
        try:
            yield port
        finally:
            stop()
            served.result(PATIENCE_S)
