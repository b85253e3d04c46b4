"""Lets a crowd in a few at a time, so that others have their turn on the event loop in between."""

import asyncio
from collections import deque


class Turnstile:
    """At most `each` pass per round of the event loop; the others wait in line. Use from one event loop."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._left = each
        self._line: deque[asyncio.Future[None]] = deque()
        self._turning = False

    def try_pass(self) -> bool:
        """Passes at once where this round has a place left."""
        if self._left <= 0:
            return False
        self._left -= 1
        self._turn()
        return True

    async def wait(self) -> None:
        """Waits in line. May be cancelled."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        await place

    def _turn(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._next_round)

    def _next_round(self) -> None:
        self._turning = False
        self._left = self._each
        while self._line and self._left:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                self._left -= 1
        if self._left < self._each:
            self._turn()
