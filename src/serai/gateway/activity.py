"""The latest that happened, kept for whoever watches (SPEC 11.6).

A watcher is a number, not a queue: one that is slow costs no memory, and is told that it missed something.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from serai.core.activity import Happening

KEPT: Final = 1000
"""How many happenings are remembered."""

_PER_SECOND: Final = 1_000_000


class Activity:
    """Numbered happenings. Numbers go on over a restart, because they begin with the time, in microseconds."""

    def __init__(self, now: float = 0.0, kept: int = KEPT) -> None:
        """`now` is in seconds since the epoch."""
        self._kept: deque[Happening] = deque(maxlen=kept)
        self._last = int(now * _PER_SECOND)
        self._news = asyncio.Event()
        self._awaited = False
        self.closed = False

    @property
    def last(self) -> int:
        """The number of the latest."""
        return self._last

    def tell(self, happening: Happening) -> None:
        """Something happened."""
        self._last += 1
        self._kept.append(happening)
        if self._awaited:
            self._wake()

    def close(self) -> None:
        """Nothing will happen any more; nobody needs to wait."""
        self.closed = True
        self._wake()

    def since(self, number: int) -> tuple[Sequence[tuple[int, Happening]], bool]:
        """What came behind `number`, each with its own, and whether something of that is forgotten."""
        first = self._last - len(self._kept) + 1
        begin = max(number + 1, first)
        kept = list(self._kept)[begin - first :] if begin <= self._last else []
        return list(zip(range(begin, self._last + 1), kept, strict=True)), number + 1 < first

    async def news(self, number: int, patience: float) -> bool:
        """Waits for something behind `number`, or the end; False after `patience` seconds without."""
        if self._last > number or self.closed:
            return True
        self._awaited = True
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._awaited = False
        self._news.set()
        self._news = asyncio.Event()
