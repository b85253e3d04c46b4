"""An event loop on which time passes faster, so that an hour of timers takes minutes of a real process.

Everything that a gateway times runs on its loop's clock and on its wall clock; both are hurried by the same factor.
Peers outside of the process answer in real time, which to the gateway looks like a fast network.
"""

import asyncio
import selectors
import sys
import time
from typing import Any

from serai.app.system import SystemClock


class HurriedSelector(selectors.DefaultSelector):
    """Waits for less than it is asked to."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def select(self, timeout: float | None = None) -> Any:
        return super().select(None if timeout is None else timeout / self._factor)


class HurriedLoop(asyncio.SelectorEventLoop):
    """`factor` seconds pass on it in each real one."""

    def __init__(self, factor: float) -> None:
        super().__init__(HurriedSelector(factor))
        self._factor = factor
        self._clock_resolution *= factor

    def time(self) -> float:
        return time.monotonic() * self._factor


class HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes such loops."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return HurriedLoop(self._factor)


def hurry(factor: float, origin: float) -> None:
    """Makes this process's future loops pass faster, and the gateway's wall clock since `origin` (seconds since the
    epoch), so that one process goes on where the last one was killed."""
    sys.modules["uvloop"] = None  # type: ignore[assignment]  the gateway falls back to asyncio without it
    asyncio.set_event_loop_policy(HurriedPolicy(factor))
    SystemClock.now = lambda _: origin + (time.time() - origin) * factor  # type: ignore[method-assign]
