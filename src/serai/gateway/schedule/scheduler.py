"""Time for jobs: a slot that is due is claimed with its input, and runs like any turn (SPEC 9.3, 9.4)."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, Final

import structlog

from serai.core.activity import JobMissed
from serai.core.error import SeraiError, StorageFailed
from serai.core.event import run_topic
from serai.core.ids import Account, InputId
from serai.core.schedule import Timetable
from serai.core.slot import Gap, Verdict, judge
from serai.gateway.activity import Activity
from serai.gateway.lane.door import Door
from serai.gateway.persist import until_stored
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.arrival import PLATFORM, job_arrival
from serai.gateway.schedule.due import DueQueue
from serai.gateway.schedule.entry import Entry
from serai.gateway.schedule.keeping import Keeping
from serai.gateway.schedule.places import Place, Places
from serai.gateway.schedule.plan import Plans
from serai.gateway.schedule.run_end import run_end
from serai.ports.engine import Subscription
from serai.ports.slots import JobRunning, Slots, SlotTaken

_log = structlog.get_logger("cron")

LOOK_SECONDS: Final = 3.0
"""Between two looks at the jobs files: hand edits are seen within 5 s (SPEC 16.4)."""

_AGAIN_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.001
_AT_ONCE: Final = 50
"""Jobs that are judged before others of the process may go on: each costs some 0.2 ms."""

_CLAIMS_AT_ONCE: Final = 200
"""Runs that are claimed at once. More of them begin sooner, and hold up what else the process does for longer."""

_SET_BACK_SECONDS: Final = 1.0
_AHEAD_SECONDS: Final = 60.0
"""A clock that was set back: by so much, jobs are planned anew; by so much, slots count again that were settled under
the wrong time and did not run."""

LATE: Final = "it came too late"
STILL_RUNNING: Final = "the run before was still under way"
NO_PLACE: Final = "no place was free until the next one was due"


class Scheduler:
    """Runs the jobs of all agents of this gateway."""

    def __init__(self, door: Door, agenda: Agenda, slots: Slots, keeping: Keeping, activity: Activity) -> None:
        self._door = door
        self._agenda = agenda
        self._slots = slots
        self._keeping = keeping
        self._activity = activity
        self._plans = Plans(agenda.holds)
        self._due = DueQueue()
        self._places = Places()
        self._settling = asyncio.Lock()
        self._claiming = asyncio.Semaphore(_CLAIMS_AT_ONCE)
        self._woken = asyncio.Event()
        self._looked = self._offset = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def look(self) -> None:
        """Takes over what the files say now. Raises StorageFailed."""
        await self._look()
        self._woken.set()

    async def _look(self) -> None:
        async with self._settling:
            for entry in await self._agenda.refresh():
                self._places.meet(entry)
                if entry.due is not None:
                    entry.place = await self._place(entry)
                self._plan(entry, self._door.clock.now())

    async def _place(self, entry: Entry) -> str | None:
        return await self._agenda.place(entry.agent, entry.directory, entry.job.workdir)

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
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def close(self) -> None:
        """Nothing begins any more: what is due is the next process's."""
        self._closing = True
        self._woken.set()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` may lose a cancellation that comes with the event
                await self._woken.wait()

    def _wait(self) -> float:
        """Seconds until something is due, or the files are to be looked at."""
        look = self._looked + LOOK_SECONDS - asyncio.get_running_loop().time()
        first = self._plans.first
        due = first - self._door.clock.now() if first is not None else look
        return max(_LEAST_SECONDS, min(look, due))

    async def _resume(self) -> bool:
        """Takes up what an earlier process began: such runs hold their places, too. True once that is done."""
        await self._look()
        for one in await self._slots.active():
            if self._places.holds(one.run):  # somebody asked for it before the schedules began
                continue
            workdir = await self._agenda.place(one.agent, one.directory, one.workdir)
            place = self._places.hold(Place(one.run, one.agent, (one.directory, one.job), workdir, one.manual))
            self._spawn(self._follow(place, self._door.subscribe(run_topic(one.run))))
        for entry in self._agenda.entries():
            self._places.meet(entry)
        self._keeping.wake()
        return True

    async def _round(self) -> None:
        loop = asyncio.get_running_loop()
        if self._was_set_back():
            _log.warning("the clock was set back; all jobs are planned anew")
            for entry in self._agenda.entries():
                self._plan(entry, self._door.clock.now())
        if loop.time() >= self._looked + LOOK_SECONDS:
            self._looked = loop.time()
            await self._look()
        await self._judge_due()
        await self._begin_due()

    def _was_set_back(self) -> bool:
        """Whether the clock shows less than it should, since this was asked last."""
        before, self._offset = self._offset, self._door.clock.now() - asyncio.get_running_loop().time()
        return self._offset < before - _SET_BACK_SECONDS

    def _plan(self, entry: Entry, at: float) -> None:
        """The job is judged at that moment."""
        if not entry.job.enabled:
            return
        self._plans.put(entry, at)
        if entry.due is not None:
            self._due.put(entry)

    async def _judge_due(self) -> None:
        judged = 0
        while (entry := self._plans.take(self._door.clock.now())) is not None:
            async with self._settling:
                await self._judge(entry)
            judged += 1
            if judged % _AT_ONCE == 0:
                await self._begin_due()
                await asyncio.sleep(0)

    async def _judge(self, entry: Entry) -> None:
        """Decides about the slots of a job that are due. Raises StorageFailed, and then it is judged again."""
        now = self._door.clock.now()
        try:
            await self._settle(entry, now)
        except StorageFailed:
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
        refusal = self._door.state.snapshot.refusal(entry.agent)
        for gap, reason in self._given_up(entry, verdict, refusal):
            await self._miss(entry, gap, reason)
        entry.absence = None
        if verdict.run is not None and refusal is None:
            entry.place = await self._place(entry)
            entry.due, entry.decided, entry.obstacle = verdict.run, verdict.run, None
            self._due.put(entry)
        if verdict.next is not None:
            self._plan(entry, verdict.next)

    def _given_up(self, entry: Entry, verdict: Verdict, refusal: str | None) -> Iterator[tuple[Gap, str]]:
        """What does not run, and why, the earliest first: a slot that waits gives way to the next one."""
        if entry.due is not None and (verdict.run is not None or verdict.missed is not None):
            yield Gap(entry.due, entry.due), STILL_RUNNING if entry.run is not None else entry.obstacle or NO_PLACE
            entry.due = None
        if verdict.missed is not None:
            yield verdict.missed, entry.absence or refusal or (STILL_RUNNING if entry.run is not None else LATE)
        if verdict.run is not None and refusal is not None:
            yield Gap(verdict.run, verdict.run), refusal

    async def _miss(self, entry: Entry, gap: Gap, reason: str) -> None:
        await self._slots.miss(*entry.identity, gap.first, gap.last, reason, self._door.clock.now())
        entry.decided = max(entry.decided, gap.last)
        self._door.meter.jobs[entry.agent, "missed"] += 1
        job = entry.job
        self._activity.tell(JobMissed(entry.agent, entry.owner, job.id, job.name, gap.first, gap.last, reason))
        _log.warning("a job did not run", agent=entry.agent, job=entry.job.id, name=entry.job.name, reason=reason)

    async def _begin_due(self) -> None:
        """Begins as many as have a place."""
        begun = 0
        while self._due and not self._closing and self._places.count(manual=False) < self._most:
            entry = self._due.take(self._may_begin)
            if entry is None or entry.due is None:
                return
            if (refusal := self._door.state.snapshot.refusal(entry.agent)) is not None:
                await self._turn_away(entry, entry.due, refusal)
                continue
            slot, entry.due = entry.due, None
            self._spawn(self._begin(entry, self._places.take(self._new_run(), entry), slot))
            begun += 1
            if begun % _CLAIMS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _turn_away(self, entry: Entry, slot: float, refusal: str) -> None:
        """A slot that waited for its place, of an agent that may not answer any more. Raises StorageFailed."""
        try:
            async with self._settling:
                await self._miss(entry, Gap(slot, slot), refusal)
                entry.due = None
        except StorageFailed:
            self._due.put(entry)
            raise

    def _may_begin(self, entry: Entry) -> bool:
        return self._agenda.holds(entry) and self._places.objection(entry) is None

    def _new_run(self) -> InputId:
        return InputId(f"run_{self._door.entropy.token()}")

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
                reason = str(error)
                _log.warning("a job has to wait", agent=entry.agent, job=entry.job.id, reason=reason)
                await asyncio.sleep(_AGAIN_SECONDS)
                await until_stored(lambda: self._due_again(entry, slot, timetable, reason), "a missed slot")
            return
        await until_stored(lambda: self._count(entry, timetable), "the count of a job's runs")
        if entry.exhausted:
            entry.due = None
        await self._follow(place, subscription)

    async def _count(self, entry: Entry, timetable: Timetable) -> None:
        """One more run. Where the job's time began anew meanwhile, the store knows whether the count did, too. Raises
        StorageFailed."""
        if entry.timetable == timetable:
            entry.runs += 1
        elif mark := (await self._slots.marks(entry.directory)).get(entry.job.id):
            entry.runs = mark.runs

    async def _due_again(self, entry: Entry, slot: float, timetable: Timetable, reason: str) -> None:
        """A slot that could not be claimed waits again, unless a later one of its job does. Raises StorageFailed."""
        async with self._settling:
            if entry.due is None and entry.timetable == timetable and self._agenda.holds(entry):
                entry.due, entry.obstacle = slot, reason
                self._due.put(entry)
            else:
                await self._miss(entry, Gap(slot, slot), reason)
        self._woken.set()

    async def begin_now(self, entry: Entry, once: str | None = None) -> InputId:
        """A run that somebody asks for: at once, beside the schedule. For the same key `once` there is one run, be it
        asked for twice. As many as of schedules may be under way. Raises JobRunning, ForeignJobs, StorageFailed."""
        if once is not None:
            known = await self._door.store.look(Account(PLATFORM), once, "", "")
            if known.input_id is not None:
                return known.input_id
        if entry.due is None:
            entry.place = await self._place(entry)
        if (objection := self._places.objection(entry) or self._crowd()) is not None:
            raise JobRunning(objection)
        place = self._places.take(self._new_run(), entry, manual=True)
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

    @property
    def _most(self) -> int:
        return self._door.state.snapshot.cron.max_parallel_jobs

    def _crowd(self) -> str | None:
        """Why no run may be asked for just now."""
        count = self._places.count(manual=True)
        if count < self._most:
            return None
        return f"{count} runs that somebody asked for are under way, and no more may be (`cron.max_parallel_jobs`)"

    def _vacate(self, place: Place) -> None:
        self._places.give_back(place)
        self._woken.set()

    async def _follow(self, place: Place, subscription: Subscription) -> None:
        """Waits for the end of a run; then its place is free, and what it has left is kept."""
        try:
            state = await run_end(self._door, place.run, subscription)
        finally:
            subscription.close()
            self._vacate(place)
        self._door.meter.jobs[place.agent, state] += 1
        self._keeping.wake()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
