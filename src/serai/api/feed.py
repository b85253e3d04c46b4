"""A run's events as they pile up, so that what came together leaves together."""

import asyncio
from collections.abc import AsyncIterator

from serai.core.event import RunEvent


class Feed:
    """Collects events in the background; `batch` hands over what is there."""

    def __init__(self, events: AsyncIterator[RunEvent]) -> None:
        self._queued: list[RunEvent] = []
        self._news = asyncio.Event()
        self._collector = asyncio.create_task(self._collect(events))

    async def batch(self, patience: float) -> list[RunEvent]:
        """All events since the last call, waiting for at least one; empty after `patience` seconds of silence.

        Raises what the run's events raised; EOFError where they ended and all have been handed over.
        """
        if not self._queued and not self._collector.done():
            try:
                async with asyncio.timeout(patience):
                    await self._news.wait()
            except TimeoutError:
                return []
        self._news.clear()
        batch, self._queued = self._queued, []
        if not batch:
            self._collector.result()
            raise EOFError("the run's events ended without an end of the turn")
        return batch

    def close(self) -> None:
        """Stops collecting."""
        if not self._collector.cancel() and not self._collector.cancelled():
            self._collector.exception()

    async def _collect(self, events: AsyncIterator[RunEvent]) -> None:
        try:
            async for event in events:
                self._queued.append(event)
                self._news.set()
        finally:
            self._news.set()
