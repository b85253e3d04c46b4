"""Runs of jobs: a slot is claimed with its input, which then runs like any turn (SPEC 9.3, 9.4)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from serai.core.event import run_topic
from serai.core.ids import Account, InputId
from serai.core.schedule import Timetable
from serai.gateway.lane.door import Door
from serai.gateway.persist import until_stored
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.arrival import PLATFORM, job_arrival
from serai.gateway.schedule.docket import Docket
from serai.gateway.schedule.entry import Entry
from serai.gateway.schedule.keeping import Keeping
from serai.gateway.schedule.places import Place, Places
from serai.gateway.schedule.run_end import run_end
from serai.ports.engine import Subscription
from serai.ports.slots import JobRunning, Slots, SlotTaken

_log = structlog.get_logger("cron")

_AGAIN_SECONDS: Final = 1.0

_CLAIMS_AT_ONCE: Final = 200
"""Runs that are claimed at once. More of them begin sooner, and hold up what else the process does for longer."""


class JobRuns:
    """Begins runs, and follows them to their end. `woken` is told that a place is free, or a slot waits again."""

    def __init__(
        self,
        door: Door,
        agenda: Agenda,
        docket: Docket,
        places: Places,
        slots: Slots,
        keeping: Keeping,
        woken: Callable[[], None],
    ) -> None:
        self._door = door
        self._agenda = agenda
        self._docket = docket
        self._places = places
        self._slots = slots
        self._keeping = keeping
        self._woken = woken
        self._claiming = asyncio.Semaphore(_CLAIMS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Takes up what an earlier process began: such runs hold their places, too. Raises StorageFailed."""
        for one in await self._slots.active():
            if self._places.holds(one.run):  # somebody asked for it before the schedules began
                continue
            workdir = await self._agenda.place(one.agent, one.directory, one.workdir)
            place = self._places.hold(Place(one.run, one.agent, (one.directory, one.job), workdir, one.manual))
            self._spawn(self._follow(place, self._door.subscribe(run_topic(one.run))))
        for entry in self._agenda.entries():
            self._places.meet(entry)
        self._keeping.wake()

    async def begin_due(self) -> None:
        """Begins as many of the slots that wait as have a place. Raises StorageFailed."""
        begun = 0
        while self._places.count(manual=False) < self._most:
            entry = self._docket.take()
            if entry is None or entry.due is None:
                return
            if (refusal := self._door.state.snapshot.refusal(entry.agent)) is not None:
                await self._docket.turn_away(entry, entry.due, refusal)
                continue
            slot, entry.due = entry.due, None
            self._spawn(self._begin(entry, self._places.take(self._new_run(), entry), slot))
            begun += 1
            if begun % _CLAIMS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def begin_now(self, entry: Entry, once: str | None = None) -> InputId:
        """A run that somebody asks for: at once, beside the schedule. For the same key `once` there is one run, be it
        asked for twice. As many as of schedules may be under way. Raises JobRunning, ForeignJobs, StorageFailed."""
        if once is not None:
            known = await self._door.store.look(Account(PLATFORM), once, "", "")
            if known.input_id is not None:
                return known.input_id
        if entry.due is None:
            entry.place = await self._agenda.place_of(entry)
        if (objection := self._places.objection(entry) or self._crowd()) is not None:
            raise JobRunning(objection)
        place = self._places.take(self._new_run(), entry, manual=True)
        return await self._door.surely(self._begin_asked(entry, place, once))

    async def _begin_asked(self, entry: Entry, place: Place, once: str | None) -> InputId:
        """Begins what somebody has asked for, and follows it, be that one still there or not."""
        subscription = self._door.subscribe(run_topic(place.run))
        now = self._door.clock.now()
        try:
            await self._agenda.check(entry)
            accepted = await self._door.accept(job_arrival(entry, place.run, now, now, manual=True, once=once))
        except BaseException:
            subscription.close()
            self._vacate(place)
            raise
        if accepted.duplicate:  # another gateway has begun it meanwhile
            subscription.close()
            self._vacate(place)
            return accepted.input_id
        self._spawn(self._follow(place, subscription))
        return place.run

    async def close(self) -> None:
        """Follows none any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, entry: Entry, place: Place, slot: float) -> None:
        """Claims a slot and follows its run. One that cannot be had just now is due again."""
        subscription, timetable = self._door.subscribe(run_topic(place.run)), entry.timetable
        try:
            async with self._claiming:
                await self._agenda.check(entry)
                await self._door.accept(job_arrival(entry, place.run, slot, self._door.clock.now()))
        except Exception as error:  # noqa: BLE001  the run's supervisor: its place is given back, its slot is not lost
            subscription.close()
            self._vacate(place)
            if not isinstance(error, SlotTaken):
                await self._wait_again(entry, slot, timetable, str(error))
            return
        await until_stored(lambda: self._count(entry, timetable), "the count of a job's runs")
        if entry.exhausted:
            entry.due = None
        await self._follow(place, subscription)

    async def _wait_again(self, entry: Entry, slot: float, timetable: Timetable, reason: str) -> None:
        _log.warning("a job has to wait", agent=entry.agent, job=entry.job.id, reason=reason)
        await asyncio.sleep(_AGAIN_SECONDS)
        await until_stored(lambda: self._docket.put_back(entry, slot, timetable, reason), "a missed slot")
        self._woken()

    async def _count(self, entry: Entry, timetable: Timetable) -> None:
        """One more run. Where the job's time began anew meanwhile, the store knows whether the count did, too. Raises
        StorageFailed."""
        if entry.timetable == timetable:
            entry.runs += 1
        elif mark := (await self._slots.marks(entry.directory)).get(entry.job.id):
            entry.runs = mark.runs

    async def _follow(self, place: Place, subscription: Subscription) -> None:
        """Waits for the end of a run; then its place is free, and what it has left is kept."""
        try:
            state = await run_end(self._door, place.run, subscription)
        finally:
            subscription.close()
            self._vacate(place)
        self._door.meter.jobs[place.agent, state] += 1
        self._keeping.wake()

    @property
    def _most(self) -> int:
        return self._door.state.snapshot.cron.max_parallel_jobs

    def _crowd(self) -> str | None:
        """Why no run may be asked for just now."""
        count = self._places.count(manual=True)
        if count < self._most:
            return None
        return f"{count} runs that somebody asked for are under way, and no more may be (`cron.max_parallel_jobs`)"

    def _new_run(self) -> InputId:
        return InputId(f"run_{self._door.entropy.token()}")

    def _vacate(self, place: Place) -> None:
        self._places.give_back(place)
        self._woken()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
