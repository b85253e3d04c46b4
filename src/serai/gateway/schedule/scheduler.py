"""Time for jobs: the loop that looks at the files, judges what is due, and has it begun (SPEC 9.3)."""

import asyncio
import contextlib
from typing import Final

import structlog

from serai.core.error import SeraiError, StorageFailed
from serai.core.ids import InputId
from serai.gateway.lane.door import Door
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.docket import Docket
from serai.gateway.schedule.entry import Entry
from serai.gateway.schedule.keeping import Keeping
from serai.gateway.schedule.missed import Missed
from serai.gateway.schedule.places import Places
from serai.gateway.schedule.runs import JobRuns
from serai.ports.slots import Slots

_log = structlog.get_logger("cron")

LOOK_SECONDS: Final = 3.0
"""Between two looks at the jobs files: hand edits are seen within 5 s (SPEC 16.4)."""

_AGAIN_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.001
_SET_BACK_SECONDS: Final = 1.0
"""By so much a clock was set back when jobs are planned anew."""

_AT_ONCE: Final = 50
"""Jobs that are judged before others of the process may go on: each costs some 0.2 ms."""


class Scheduler:
    """Runs the jobs of all agents of this gateway."""

    def __init__(self, door: Door, agenda: Agenda, slots: Slots, keeping: Keeping, missed: Missed) -> None:
        places = Places()
        self._clock = door.clock
        self._agenda = agenda
        self._woken = asyncio.Event()
        self._docket = Docket(door.state, agenda, places, missed, door.clock)
        self._runs = JobRuns(door, agenda, self._docket, places, slots, keeping, self._woken.set)
        self._looked = self._offset = float("-inf")
        self._closing = False

    async def look(self) -> None:
        """Takes over what the files say now. Raises StorageFailed."""
        await self._docket.take_over()
        self._woken.set()

    async def begin_now(self, entry: Entry, once: str | None = None) -> InputId:
        """As `JobRuns.begin_now`."""
        return await self._runs.begin_now(entry, once)

    async def run(self) -> None:
        """Runs jobs at their time until it is closed, and follows what runs until it is cancelled."""
        try:
            resumed = False
            while not self._closing:
                self._woken.clear()
                try:
                    resumed = resumed or await self._resume()
                    await self._round()
                    wait = self._wait()
                except SeraiError as error:
                    _log.error("the schedules could not be looked at", error=str(error))
                    wait = _AGAIN_SECONDS
                except Exception:  # noqa: BLE001  the schedules' supervisor: it must outlive any fault
                    _log.exception("the schedules failed")
                    wait = _AGAIN_SECONDS
                await self._sleep(wait)
            await asyncio.Event().wait()
        finally:
            await self._runs.close()

    def close(self) -> None:
        """Nothing begins any more: what is due is the next process's."""
        self._closing = True
        self._woken.set()

    async def _resume(self) -> bool:
        """Takes up what an earlier process began. True once that is done."""
        await self._docket.take_over()
        await self._runs.resume()
        return True

    async def _round(self) -> None:
        loop = asyncio.get_running_loop()
        if self._was_set_back():
            _log.warning("the clock was set back; all jobs are planned anew")
            self._docket.plan(self._agenda.entries())
        if loop.time() >= self._looked + LOOK_SECONDS:
            self._looked = loop.time()
            await self._look_again()
        try:
            await self._judge(begin=True)
        except StorageFailed:
            await self._begin_due()  # one job's slot that cannot be noted holds up no other
            raise
        await self._begin_due()

    async def _look_again(self) -> None:
        """What is due already was so by what the files said: it is judged before the look, so that it is not passed
        over without a word, and begins behind it, if it is still there."""
        with contextlib.suppress(StorageFailed):  # a full disk is no reason not to look; it is judged again
            await self._judge(begin=False)
        await self._docket.take_over()

    async def _judge(self, *, begin: bool) -> None:
        judged = 0
        while await self._docket.judge_next():
            judged += 1
            if judged % _AT_ONCE == 0:
                if begin:
                    await self._begin_due()
                await asyncio.sleep(0)

    async def _begin_due(self) -> None:
        if not self._closing:
            await self._runs.begin_due()

    def _was_set_back(self) -> bool:
        """Whether the clock shows less than it should, since this was asked last."""
        before, self._offset = self._offset, self._clock.now() - asyncio.get_running_loop().time()
        return self._offset < before - _SET_BACK_SECONDS

    def _wait(self) -> float:
        """Seconds until something is due, or the files are to be looked at."""
        look = self._looked + LOOK_SECONDS - asyncio.get_running_loop().time()
        first = self._docket.first
        due = first - self._clock.now() if first is not None else look
        return max(_LEAST_SECONDS, min(look, due))

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may lose a cancellation that comes with the event
                await self._woken.wait()
