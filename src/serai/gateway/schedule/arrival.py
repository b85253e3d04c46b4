"""What is stored when a job's time has come: an input that nobody has said (SPEC 9.3, 9.4)."""

from serai.core.decision import Decision
from serai.core.ids import DEFAULT_ACCOUNT, Account, InputId
from serai.core.job import JobRun
from serai.core.lane import LaneAddress
from serai.core.message import InputBody, Message
from serai.gateway.schedule.entry import Entry
from serai.gateway.turn.errand import opening_system
from serai.ports.slots import NewSlot
from serai.ports.store.arrival import Arrival

PLATFORM = "cron"
"""What stands in the place of a platform in a run's session key: `agent:ops:cron:dm:<job>`."""


def job_arrival(
    entry: Entry, run: InputId, at: float, now: float, *, manual: bool = False, once: str | None = None
) -> Arrival:
    """The input of one run, in the name of the job's owner; `at` is its slot. There is one for a key `once`."""
    job = entry.job
    return Arrival(
        input_id=run,
        address=LaneAddress(entry.agent, PLATFORM, DEFAULT_ACCOUNT, "dm", chat=job.id),
        connection=Account(PLATFORM),
        dedupe_key=once,
        sender="",
        body=InputBody(
            Message("user", job.prompt),
            system=opening_system(job),
            job=JobRun(job, entry.directory, at, manual, entry.owner),
        ),
        decision=Decision(entry.agent, "stamped"),
        now=now,
        due_at=now,
        slot=NewSlot(entry.directory, job.id, at, manual),
    )
