"""The model that the pages talk to: the strict stub of the model tests, on a loop of its own."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final

from aiohttp import web

from tests.models.stub import DONE, USAGE, chunk, says, serving, streams
from tests.patience import PATIENCE_S

ANSWER: Final = "Paris is the capital of France."
_FORECAST: Final = "It is sunny in Rome."
_CALL: Final = {"index": 0, "id": "w1", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}


async def _answer(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    offered = [tool["function"]["name"] for tool in asked.get("tools", ())]
    if asked["messages"][-1]["role"] == "tool":
        return await says(_FORECAST)(request)
    if "weather" in offered:
        pieces = [chunk({"tool_calls": [_CALL]}), chunk({}, "tool_calls"), chunk(usage=USAGE), DONE]
        return await streams(pieces)(request)
    return await says(ANSWER)(request)


@contextmanager
def model() -> Iterator[int]:
    """Serves `ANSWER` to every question for the block; yields its port. What the stub objects to fails the block.

    A model that is offered `weather` calls it, and then tells the weather.
    """
    told: SimpleQueue[tuple[int, Callable[[], object]]] = SimpleQueue()

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with serving(_answer) as stub:
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
