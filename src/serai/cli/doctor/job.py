"""Jobs: files that are damaged or somebody else's, jobs that cannot run, and what they lack (SPEC 9)."""

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, Any

from serai.cli.doctor.finding import Finding, Level
from serai.cli.doctor.patient import Patient, edit
from serai.core.error import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serai.cli.cron.local import LocalBook
    from serai.core.profile import AgentProfile


def sound(patient: Patient) -> Iterator[Finding]:
    """What is wrong with the files. Schedules that the configuration turns off are told by `configuration`."""
    from serai.core.ids import AgentId

    book, snapshot = _book(patient), patient.snapshot
    if book is None or snapshot is None:
        return
    for one in book.problems():
        profile = snapshot.agents[AgentId(one["agent"])]
        if one["job"] is None and one["message"] == profile.schedules:
            continue
        about = f"job {one['job']} of `{profile.id}`: " if one["job"] else f"jobs of `{profile.id}`: "
        level: Level = "serious" if one["fatal"] else "warning"
        yield Finding(level, "cron", f"{about}{one['message']}", _mend(profile, one))


def _mend(profile: "AgentProfile", problem: "Mapping[str, Any]") -> str:
    from serai.gateway.schedule.agenda import ADOPT
    from serai.jobs.owner import read_owner

    foreign = problem["message"] == ADOPT.format(agent=profile.id)
    if problem["job"] is None and (foreign or read_owner(profile.cron)[1] is not None):
        return f"serai cron adopt {quote(profile.id)}"
    return edit(profile.cron / "jobs.json")


def complete(patient: Patient) -> Iterator[Finding]:
    """Scripts, skills and chats that jobs name, and that are not there."""
    from serai.cli.cron.check import absent
    from serai.cli.cron.reach import chats_of
    from serai.cli.cron.told import origin_chat
    from serai.core.ids import AgentId

    book, snapshot = _book(patient), patient.snapshot
    jobs = [job for job in book.jobs() if job["enabled"]] if book is not None else []
    if not jobs or snapshot is None:
        return
    chats = chats_of(patient.place, snapshot)
    for job in jobs:
        profile = snapshot.agents[AgentId(job["agent"])]
        about, mend = f"job {job['id']} of `{profile.id}`", f"serai cron edit {job['id']} --agent {profile.id}"
        for text in absent(profile, job):
            yield Finding("serious", "cron", f"{about}: {text}", mend)
        for value, fault in chats.faults(job["deliver"], origin_chat(job["origin"])):
            yield Finding("warning", "cron", f"{about}: nothing is delivered to `{value}`: {fault}", mend)


def failed(patient: Patient) -> Iterator[Finding]:
    """Jobs whose last run went wrong, or whose answer did not arrive."""
    from serai.cli.cron.summary import summary

    book = _book(patient)
    for job in summary(book.jobs(), ())["bad"] if book is not None else ():
        text = f"the last run of job {job['id']} of `{job['agent']}` {_ended(job)}"
        yield Finding("warning", "cron", text, f"serai cron history {job['id']} --agent {job['agent']}")


def _ended(job: "Mapping[str, Any]") -> str:
    if job["last_status"] == "ok":
        return f"was {job['last_error']}"  # which begins with `not delivered`
    how = "was missed" if job["last_status"] == "missed" else "failed"
    return f"{how}: {job['last_error']}" if job["last_error"] else how


def _book(patient: Patient) -> "LocalBook | None":
    """The jobs, where the database is this Serai's: to look at another one's would change it."""
    from serai.cli.cron.local import LocalBook
    from serai.stores.sqlite.checkup import check_up

    if patient.snapshot is None:
        return None
    path = patient.layout.database
    try:
        health = check_up(path) if path.exists() else None
    except StorageFailed:  # `storage.whole` tells
        return None
    if health is not None and (health.damage or health.version != health.newest):
        return None
    return LocalBook(patient.place, patient.snapshot)
