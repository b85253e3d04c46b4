"""How fast the bot may talk: servers throw out whoever floods them."""

import asyncio
from typing import Final

_BURST: Final = 4


class Pace:
    """Lets some lines pass at once, then one per `interval_s` seconds (RFC 1459, 8.10, has two)."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._free_at = 0.0

    async def turn(self) -> None:
        """Waits until another line may be sent, and counts it."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now - (_BURST - 1) * self._interval_s) + self._interval_s
        await asyncio.sleep(max(0.0, self._free_at - self._interval_s - now))

    def spare(self) -> bool:
        """Whether another line may be sent at once; then it is counted."""
        now = asyncio.get_running_loop().time()
        if self._free_at > now:
            return False
        self._free_at = max(self._free_at, now - (_BURST - 1) * self._interval_s) + self._interval_s
        return True
