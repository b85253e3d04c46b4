"""Slots that are due are judged: they wait for a place, or are missed (SPEC 9.3)."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

import structlog

from serai.core.error import StorageFailed
from serai.core.schedule import Timetable
from serai.core.slot import Gap, Verdict, judge
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.due import DueQueue
from serai.gateway.schedule.entry import Entry
from serai.gateway.schedule.missed import Missed
from serai.gateway.schedule.places import Places
from serai.gateway.schedule.plan import Plans
from serai.gateway.state import State
from serai.ports.clock import Clock

_log = structlog.get_logger("cron")

_AGAIN_SECONDS: Final = 1.0
_AHEAD_SECONDS: Final = 60.0
"""A clock that was set back by so much: slots count again that were settled under the wrong time and did not run."""

LATE: Final = "its time had passed when the gateway came to it"
UNWRITTEN: Final = "the store could not be written"
STILL_RUNNING: Final = "the run before was still under way"
NO_PLACE: Final = "no place was free until the next one was due"


class Docket:
    """When which job is judged, and whose slots wait for a place."""

    def __init__(self, state: State, agenda: Agenda, places: Places, missed: Missed, clock: Clock) -> None:
        self._state = state
        self._agenda = agenda
        self._places = places
        self._missed = missed
        self._clock = clock
        self._plans = Plans(agenda.holds)
        self._due = DueQueue()
        self._settling = asyncio.Lock()

    @property
    def first(self) -> float | None:
        """When the next job is to be judged, in seconds since the epoch."""
        return self._plans.first

    async def take_over(self) -> None:
        """Takes over what the files say now. Raises StorageFailed."""
        async with self._settling:
            fresh = await self._agenda.refresh()
            for entry in fresh:
                self._places.meet(entry)
            try:
                for entry in [one for one in fresh if one.due is not None]:
                    entry.place = await self._agenda.place_of(entry)
            finally:  # the files are told of once: whoever asked for the look may have gone away meanwhile
                self.plan(fresh)

    def plan(self, entries: Iterable[Entry]) -> None:
        """These jobs are judged at once."""
        for entry in entries:
            self._plan(entry, self._clock.now())

    async def judge_next(self) -> bool:
        """Judges a job whose time has come. False where there is none. Raises StorageFailed; it is judged again
        then."""
        entry = self._plans.take(self._clock.now())
        if entry is None:
            return False
        async with self._settling:
            if self._agenda.holds(entry):  # it may have been taken away while this waited
                await self._judge(entry)
        return True

    def take(self) -> Entry | None:
        """The next job whose slot waits and that may begin."""
        return self._due.take(self._may_begin) if self._due else None

    async def turn_away(self, entry: Entry, slot: float, refusal: str) -> None:
        """A slot that waited for its place, of an agent that may not answer any more. Raises StorageFailed."""
        try:
            async with self._settling:
                if entry.due == slot:  # else it was settled while this waited
                    await self._missed.note(entry, Gap(slot, slot), refusal)
                    entry.due = None
        except StorageFailed:
            self._due.put(entry)
            raise

    async def put_back(self, entry: Entry, slot: float, timetable: Timetable, reason: str) -> None:
        """A slot that could not be claimed waits again, unless a later one of its job does. Raises StorageFailed."""
        async with self._settling:
            if entry.due is None and entry.timetable == timetable and self._agenda.holds(entry):
                entry.due, entry.obstacle = slot, reason
                self._due.put(entry)
            else:
                await self._missed.note(entry, Gap(slot, slot), reason)

    def _may_begin(self, entry: Entry) -> bool:
        return self._agenda.holds(entry) and self._places.objection(entry) is None

    def _plan(self, entry: Entry, at: float) -> None:
        if not entry.job.enabled:
            return
        self._plans.put(entry, at)
        if entry.due is not None:
            self._due.put(entry)

    async def _judge(self, entry: Entry) -> None:
        now = self._clock.now()
        try:
            await self._settle(entry, now)
        except StorageFailed:
            entry.absence = entry.absence or UNWRITTEN
            self._plan(entry, now + _AGAIN_SECONDS)
            raise
        except Exception:  # noqa: BLE001  this job's supervisor: its fault holds up no other
            _log.exception("a job could not be judged", agent=entry.agent, job=entry.job.id)
            self._plan(entry, now + _AGAIN_SECONDS)

    async def _settle(self, entry: Entry, now: float) -> None:
        if entry.decided > now + _AHEAD_SECONDS:  # it was settled under a clock that was set back since
            entry.decided = now
        if entry.exhausted:
            return
        verdict = judge(entry.timetable, entry.decided, now)
        refusal = self._state.snapshot.refusal(entry.agent)
        entry.absence = entry.absence or refusal or (LATE if verdict.missed is not None else None)
        for gap, reason in _given_up(entry, verdict, refusal):
            await self._missed.note(entry, gap, reason)
        entry.absence = None
        if verdict.run is not None and refusal is None:
            entry.place = await self._agenda.place_of(entry)
            entry.due, entry.decided, entry.obstacle = verdict.run, verdict.run, None
            self._due.put(entry)
        if verdict.next is not None:
            self._plan(entry, verdict.next)


def _given_up(entry: Entry, verdict: Verdict, refusal: str | None) -> Iterator[tuple[Gap, str]]:
    """What does not run, and why, the earliest first: a slot that waits gives way to the next one."""
    if entry.due is not None and (verdict.run is not None or verdict.missed is not None):
        yield Gap(entry.due, entry.due), STILL_RUNNING if entry.run is not None else entry.obstacle or NO_PLACE
        entry.due = None
    if verdict.missed is not None:
        yield verdict.missed, entry.absence or LATE  # whatever runs: it holds up no judgement
    if verdict.run is not None and refusal is not None:
        yield Gap(verdict.run, verdict.run), refusal
