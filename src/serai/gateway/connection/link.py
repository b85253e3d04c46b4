"""One run of a driver: what it tells the gateway, and that it tells anything at all (SPEC 13.2)."""

import asyncio
from typing import Final

import structlog

from serai.core.error import Busy
from serai.core.message import Inbound, Press, Revision
from serai.ports.platform import Link, Platform, Receipt

_log = structlog.get_logger("link")

CLOSE_SECONDS: Final = 5.0
"""A driver that needs longer to disconnect is no longer waited for."""


async def run_watched(platform: Platform, told: Link) -> None:
    """Runs a driver once, for as long as there is a sign of life of its other side; then it is stopped.

    Raises what the driver raises, and ConnectionError where nothing was heard for `silence_s`.
    """
    silence_s = platform.capabilities.silence_s
    link = _Watched(told)
    run = asyncio.create_task(platform.run(link))
    try:
        await link.until_silent(run, silence_s)
    finally:
        link.over = True
        in_time = run.done()
        await _stop(platform, run)
    if not in_time:
        raise ConnectionError(f"nothing was heard for {silence_s:g} s")
    if run.cancelled():
        raise ConnectionError("the driver stopped by itself")
    run.result()


class _Watched:
    """A link that notes when something was last heard. Once the run is `over`, nothing is received any more."""

    def __init__(self, told: Link) -> None:
        self._told = told
        self._time = asyncio.get_running_loop().time
        self._heard_at = self._time()
        self.over = False

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        if self.over:
            raise Busy("this connection was given up")
        self._heard_at = self._time()
        return await self._told.receive(event)

    def up(self, identity: str = "") -> None:
        if not self.over:
            self._heard_at = self._time()
            self._told.up(identity)

    def alive(self) -> None:
        self._heard_at = self._time()
        self._told.alive()

    async def until_silent(self, run: asyncio.Task[None], silence_s: float | None) -> None:
        """Waits until the run ends, or nothing was heard for `silence_s`."""
        left = silence_s
        while left is None or left > 0:
            await asyncio.wait({run}, timeout=left)
            if run.done() or silence_s is None:
                return
            left = self._heard_at + silence_s - self._time()


async def _stop(platform: Platform, run: asyncio.Task[None]) -> None:
    """Stops a run. One that does not stop is left behind: it can receive nothing, and delays nobody."""
    run.cancel()
    await asyncio.wait({run}, timeout=CLOSE_SECONDS)
    if not run.done():
        _log.error("a driver does not stop", account=str(platform.account))
    run.add_done_callback(_look_away)


def _look_away(run: asyncio.Task[None]) -> None:
    if not run.cancelled():
        run.exception()
