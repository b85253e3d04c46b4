"""What runs leave: written into the owner's `cron/output` once they have ended, also after a crash (SPEC 9.5)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from serai.core.error import StorageFailed
from serai.core.job_output import failed_output
from serai.gateway.meter import Meter
from serai.gateway.state import State
from serai.gateway.turn.scripted import Scripted, scripted_of
from serai.ports.jobs import JobFiles
from serai.ports.slots import Left, Slots

_log = structlog.get_logger("cron")

_AGAIN_SECONDS: Final = 30.0
_AT_ONCE: Final = 100


class Keeping:
    """Writes output files, one after another. The same one twice is harmless. A directory that cannot be written to
    keeps nothing of the others from being kept."""

    def __init__(self, state: State, files: JobFiles, slots: Slots, meter: Meter) -> None:
        self._state = state
        self._files = files
        self._slots = slots
        self._meter = meter
        self._woken = asyncio.Event()
        self._full: set[str] = set()
        self._told: set[str] = set()
        self._again: asyncio.TimerHandle | None = None

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
            except Exception:  # noqa: BLE001  the supervisor of what is kept: it must outlive any fault
                _log.exception("what jobs have left could not be kept")
                self._later()

    def _later(self) -> None:
        """All is tried again after a while, be it often that runs end or seldom."""
        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._again = None
        self._full.clear()
        self._woken.set()

    async def _keep(self) -> bool:
        """Keeps some, but nothing in directories that take nothing just now. Returns whether there may be more.
        Raises StorageFailed."""
        left = await self._slots.left(_AT_ONCE, self._full)
        for one in left:
            if one.directory not in self._full:
                await self._write(one)
        return len(left) == _AT_ONCE

    async def _write(self, one: Left) -> None:
        name = output_name(one.at)
        try:
            await self._files.write_output(Path(one.directory), one.job, name, self._state.clean(kept_text(one)))
        except StorageFailed as error:
            self._tell(one, str(error))
            self._full.add(one.directory)
            self._later()
        else:
            self._told.discard(one.directory)
            await self._slots.kept(one.run, name)

    def _tell(self, one: Left, error: str) -> None:
        """Once for each directory, be it for ever that it takes nothing: its home may have been deleted."""
        if one.directory not in self._told:
            _log.error("what a job has left cannot be kept yet", agent=one.agent, job=one.job, error=error)
        self._told.add(one.directory)


def kept_text(one: Left) -> str:
    """What the file of a run says: its answer, or why there is none. Of one whose script let the model sleep, or that
    failed, it is what the script wrote that must not be lost."""
    script = scripted_of(one.script) if one.script is not None else Scripted("")
    answer = one.ended.answer if one.ended is not None else None
    if answer is None:
        fault = one.ended.fault if one.ended is not None else None
        return failed_output(fault.text if fault is not None else "nobody knows why", script.output)
    return f"{(answer.text if script.wakes else script.output).rstrip()}\n"


def output_name(at: float) -> str:
    """The file of the run at that moment, in seconds since the epoch.

    >>> output_name(1796018400.0)
    '2026-11-30T06-00-00Z.md'
    """
    moment = datetime.fromtimestamp(at, UTC)
    fraction = f".{moment.microsecond // 1000:03}" if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H-%M-%S}{fraction}Z.md"
