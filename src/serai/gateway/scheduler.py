"""Time for jobs: a slot that is due is claimed with its input, and runs like any turn (SPEC 9.3, 9.4)."""

import asyncio
import heapq
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog

from serai.core.error import SeraiError, StorageFailed
from serai.core.event import TurnEnded, run_topic
from serai.core.ids import InputId
from serai.core.slot import judge
from serai.gateway.agenda import Agenda, Entry
from serai.gateway.door import Door
from serai.gateway.due import DueQueue
from serai.gateway.job_arrival import job_arrival
from serai.gateway.keeping import Keeping
from serai.ports.engine import Subscription
from serai.ports.slots import JobRunning, Slots, SlotTaken

_log = structlog.get_logger("cron")

LOOK_SECONDS: Final = 2.0
"""Between two looks at the jobs files: hand edits are seen within 5 s (SPEC 16.4)."""

_AGAIN_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 5.0
"""After which a run that tells nothing is asked for."""

_AT_ONCE: Final = 20
"""Jobs that are judged before others of the process may go on: each costs some 0.2 ms."""

AWAY: Final = "the gateway was not running"
LATE: Final = "it came too late"
STILL_RUNNING: Final = "the run before was still under way"
NO_PLACE: Final = "no place was free until the next one was due"


class Scheduler:
    """Runs the jobs of all agents of this gateway."""

    def __init__(self, door: Door, agenda: Agenda, slots: Slots, keeping: Keeping) -> None:
        self._door = door
        self._agenda = agenda
        self._slots = slots
        self._keeping = keeping
        self._order: list[tuple[float, int, Entry]] = []
        self._count = 0
        self._due = DueQueue()
        self._busy = 0
        self._workdirs: set[tuple[str, str]] = set()
        self._woken = asyncio.Event()
        self._looked = float("-inf")
        self._missed_because = AWAY
        self._tasks: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        """Takes over what the files say now. Raises StorageFailed."""
        await self._look()
        self._woken.set()

    async def _look(self) -> None:
        now = self._door.clock.now()
        for entry in await self._agenda.refresh():
            self._plan(entry, now)

    async def run(self) -> None:
        """Runs jobs at their time, until cancelled; then their turns are left to whoever runs turns."""
        try:
            resumed = False
            while True:
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
        finally:
            for task in self._tasks:
                task.cancel()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` would lose a cancellation that comes with a wake-up
                await self._woken.wait()

    def _wait(self) -> float:
        """Seconds until something is due, or the files are to be looked at."""
        look = self._looked + LOOK_SECONDS - asyncio.get_running_loop().time()
        due = self._order[0][0] - self._door.clock.now() if self._order else look
        return max(0.0, min(look, due))

    async def _resume(self) -> bool:
        """Takes up what an earlier process began: such runs hold their places, too. True once that is done."""
        await self._agenda.refresh()
        for directory, job, run in await self._slots.active():
            entry = self._agenda.running(directory, job)
            if entry is not None:
                entry.run = run
            self._busy += 1
            self._spawn(self._follow(entry, run, self._door.subscribe(run_topic(run))))
        self._keeping.wake()
        for entry in self._agenda.entries():
            self._plan(entry, self._door.clock.now())
        return True

    async def _round(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._looked + LOOK_SECONDS:
            self._looked = loop.time()
            await self._look()
        await self._judge_due()
        self._missed_because = LATE
        self._begin_due()

    def _plan(self, entry: Entry, at: float) -> None:
        """The job is judged at that moment."""
        if not entry.job.enabled:
            return
        entry.next = at
        self._count += 1
        heapq.heappush(self._order, (at, self._count, entry))
        if entry.due is not None:
            self._due.put(entry)

    async def _judge_due(self) -> None:
        judged = 0
        while self._order and self._order[0][0] <= self._door.clock.now():
            at, _, entry = heapq.heappop(self._order)
            if at != entry.next or self._agenda.entry(entry.agent, entry.job.id) is not entry:
                continue  # planned anew, or gone
            await self._judge(entry)
            judged += 1
            if judged % _AT_ONCE == 0:
                self._begin_due()
                await asyncio.sleep(0)

    async def _judge(self, entry: Entry) -> None:
        """Decides about the slots of a job that are due. Raises StorageFailed, and then it is judged again."""
        now = self._door.clock.now()
        if entry.exhausted:
            entry.next = None
            return
        verdict = judge(entry.timetable, entry.decided, now)
        refusal = self._door.state.snapshot.refusal(entry.agent)
        try:
            if verdict.missed is not None:
                reason = refusal or (STILL_RUNNING if entry.run is not None else self._missed_because)
                await self._miss(entry, verdict.missed.first, verdict.missed.last, reason)
            if verdict.run is not None:
                await self._note(entry, verdict.run, refusal)
        except StorageFailed:
            self._plan(entry, now + _AGAIN_SECONDS)
            raise
        entry.next = None
        if verdict.next is not None:
            self._plan(entry, verdict.next)

    async def _note(self, entry: Entry, slot: float, refusal: str | None) -> None:
        """A slot is due: it waits for its place, and takes that of an earlier one that has found none."""
        if refusal is not None:
            await self._miss(entry, slot, slot, refusal)
            return
        if entry.due is not None:
            await self._miss(entry, entry.due, entry.due, STILL_RUNNING if entry.run is not None else NO_PLACE)
        entry.due = entry.decided = slot
        self._due.put(entry)

    async def _miss(self, entry: Entry, first: float, last: float, reason: str) -> None:
        await self._slots.miss(entry.directory, entry.job.id, first, last, reason, self._door.clock.now())
        entry.decided = max(entry.decided, last)
        self._door.meter.jobs[entry.agent, "missed"] += 1
        _log.warning("a job did not run", agent=entry.agent, job=entry.job.id, name=entry.job.name, reason=reason)

    def _begin_due(self) -> None:
        """Begins as many as have a place."""
        while self._due and self._busy < self._door.state.snapshot.cron.max_parallel_jobs:
            entry = self._due.take(self._may_begin)
            if entry is None or entry.due is None:
                return
            slot, entry.due = entry.due, None
            self._spawn(self._begin(entry, self._occupy(entry), slot))

    def _may_begin(self, entry: Entry) -> bool:
        return entry.run is None and entry.workdir not in self._workdirs

    def _occupy(self, entry: Entry) -> InputId:
        """A place for a run, and the run's id."""
        self._busy += 1
        entry.run = run = InputId(f"run_{self._door.entropy.token()}")
        entry.place = entry.workdir
        if entry.place is not None:
            self._workdirs.add(entry.place)
        return run

    def _vacate(self, entry: Entry | None) -> None:
        self._busy -= 1
        if entry is not None:
            entry.run = None
            self._workdirs.discard(entry.place or ("", ""))
        self._woken.set()

    async def _begin(self, entry: Entry, run: InputId, slot: float) -> None:
        """Claims a slot and follows its run."""
        subscription = self._door.subscribe(run_topic(run))
        claimed = False
        try:
            claimed = await self._claim(entry, run, slot)
        finally:
            if not claimed:
                subscription.close()
                self._vacate(entry)
        if claimed:
            await self._follow(entry, run, subscription)

    async def _claim(self, entry: Entry, run: InputId, slot: float) -> bool:
        """Whether the slot is this run's. One that cannot be had just now is due again."""
        try:
            await self._door.accept(job_arrival(entry, run, slot, self._door.clock.now()))
        except SlotTaken:
            return False
        except (JobRunning, StorageFailed) as error:
            _log.warning("a job has to wait", agent=entry.agent, job=entry.job.id, reason=str(error))
            await asyncio.sleep(_AGAIN_SECONDS)
            entry.due = entry.due or slot
            self._due.put(entry)
            return False
        entry.runs += 1
        return True

    async def begin_now(self, entry: Entry) -> InputId:
        """A run that somebody asks for: at once, beside the schedule. Raises JobRunning, StorageFailed."""
        if entry.run is not None:
            raise JobRunning("this job runs just now")
        run = self._occupy(entry)
        subscription = self._door.subscribe(run_topic(run))
        now = self._door.clock.now()
        try:
            await self._door.accept(job_arrival(entry, run, now, now, manual=True))
        except BaseException:
            subscription.close()
            self._vacate(entry)
            raise
        self._spawn(self._follow(entry, run, subscription))
        return run

    async def _follow(self, entry: Entry | None, run: InputId, subscription: Subscription) -> None:
        """Waits for the end of a run; then its place is free, and what it has left is kept."""
        state: str | None = None
        try:
            while state is None:
                state = await self._end_of(run, subscription)
        finally:
            subscription.close()
            self._vacate(entry)
        if entry is not None:
            self._door.meter.jobs[entry.agent, state] += 1
        self._keeping.wake()

    async def _end_of(self, run: InputId, subscription: Subscription) -> str | None:
        """How a run has ended: told, or found out where nobody has told it. None where it goes on."""
        events = await subscription.batch(_ASK_SECONDS)
        ended = next((event for event in events if isinstance(event, TurnEnded)), None)
        try:
            ended = ended or (None if events else await self._door.outcome(run))
        except KeyError:
            return "erased"
        except StorageFailed as error:
            _log.error("a run could not be asked for", run=run, error=str(error))
        return None if ended is None else ended.state

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
