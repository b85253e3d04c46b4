"""Slots that do not run: recorded, counted and told (SPEC 9.3)."""

import structlog

from serai.core.activity import JobMissed
from serai.core.slot import Gap
from serai.gateway.activity import Activity
from serai.gateway.meter import Meter
from serai.gateway.schedule.entry import Entry
from serai.ports.clock import Clock
from serai.ports.slots import Slots

_log = structlog.get_logger("cron")


class Missed:
    """The one way in which a slot is missed."""

    def __init__(self, slots: Slots, meter: Meter, activity: Activity, clock: Clock) -> None:
        self._slots = slots
        self._meter = meter
        self._activity = activity
        self._clock = clock

    async def note(self, entry: Entry, gap: Gap, reason: str) -> None:
        """The slots of the gap are settled. Raises StorageFailed, and then nothing of it was done."""
        job = entry.job
        await self._slots.miss(*entry.identity, gap.first, gap.last, reason, self._clock.now())
        entry.decided = max(entry.decided, gap.last)
        self._meter.jobs[entry.agent, "missed"] += 1
        self._activity.tell(JobMissed(entry.agent, entry.owner, job.id, job.name, gap.first, gap.last, reason))
        _log.warning("a job did not run", agent=entry.agent, job=job.id, name=job.name, reason=reason)
