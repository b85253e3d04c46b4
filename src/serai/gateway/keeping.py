"""What runs leave: written into the owner's `cron/output` once they have ended, also after a crash (SPEC 9.5)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from serai.core.error import StorageFailed
from serai.gateway.meter import Meter
from serai.ports.jobs import JobFiles
from serai.ports.slots import Slots

_log = structlog.get_logger("cron")

_AGAIN_SECONDS: Final = 30.0
_AT_ONCE: Final = 100


class Keeping:
    """Writes output files, one after another. The same one twice is harmless."""

    def __init__(self, files: JobFiles, slots: Slots, meter: Meter) -> None:
        self._files = files
        self._slots = slots
        self._meter = meter
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A run may have ended."""
        self._woken.set()

    async def run(self) -> None:
        """Keeps what is left, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                while await self._keep():
                    pass
            except StorageFailed as error:
                _log.error("what a job has left could not be kept yet", error=str(error))
                await asyncio.sleep(_AGAIN_SECONDS)
                self._woken.set()

    async def _keep(self) -> bool:
        """Keeps some. Returns whether there may be more. Raises StorageFailed, after it has tried all of them."""
        left = await self._slots.left(_AT_ONCE)
        failed: StorageFailed | None = None
        for one in left:
            name = output_name(one.at)
            try:
                await self._files.write_output(Path(one.directory), one.job, name, one.text)
                await self._slots.kept(one.run, name)
            except StorageFailed as error:
                failed = error
        if failed is not None:
            raise failed
        return len(left) == _AT_ONCE


def output_name(at: float) -> str:
    """The file of the run at that moment, in seconds since the epoch.

    >>> output_name(1796018400.0)
    '2026-11-30T06-00-00Z.md'
    """
    moment = datetime.fromtimestamp(at, UTC)
    fraction = f".{moment.microsecond // 1000:03}" if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H-%M-%S}{fraction}Z.md"
