"""What is wrong with a job's fields that only the whole configuration can tell (SPEC 9.5)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from serai.cli.cron.book import Book, Job
from serai.cli.cron.find import chosen
from serai.cli.cron.told import origin_chat
from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Checked:
    """Fields as they may be written. `nowhere` are the job's targets that mean no chat as it is."""

    fields: dict[str, Any]
    nowhere: Collection[str] = ()


def checked(
    place: Place,
    book: Book,
    agent: str,
    fields: Mapping[str, Any],
    *,
    job: Job | None = None,
    snapshot: "Snapshot | None" = None,
) -> Checked:
    """The fields, with whole ids for those that were shortened; `job` is the one that they change.

    The configuration is read, which takes its time, only where it matters, and `snapshot` is not given. Warns of what
    may become right. Raises Failed for what cannot.
    """
    _toolsets(fields.get("enabled_toolsets") or ())
    aims, assets = "deliver" in fields or "origin" in fields, fields.get("script") or fields.get("skills")
    snapshot = snapshot or (place.snapshot() if aims or assets else None)
    nowhere = _targets(place, snapshot, {**(job or {}), **fields}) if aims and snapshot else ()
    for text in absent(place.agent(snapshot, agent), fields) if assets and snapshot else ():
        click.echo(f"Warning: {text}", err=True)
    names = fields.get("context_from")
    if not names:
        return Checked({**fields}, nowhere)
    jobs = book.jobs(agent)
    return Checked({**fields, "context_from": [chosen(jobs, name)["id"] for name in names]}, nowhere)


def _toolsets(names: Collection[str]) -> None:
    if not names:
        return
    from serai.app import toolsets
    from serai.cli.nearest import hint

    known = toolsets.names()
    for name in names:
        if name not in known:
            raise Failed(f"There is no toolset `{name}`{hint(name, known)}.")


def _targets(place: Place, snapshot: "Snapshot", job: Mapping[str, Any]) -> Collection[str]:
    """The targets of a job as it will be that mean no chat as it is; they are warned of. Raises Failed for those that
    never will."""
    from serai.cli.cron.reach import chats_of
    from serai.cli.several import refuse_several

    chats, origin = chats_of(place, snapshot), origin_chat(job.get("origin"))
    found = list[str]()
    for value in job.get("deliver") or ():
        refuse_several(value, {account.platform for account in chats.accounts})
    for value, wrong in chats.faults(job.get("deliver"), origin):
        if not chats.may_become_right(value, origin):
            raise Failed(f"Nothing can be delivered to `{value}`: {wrong}.")
        click.echo(f"Warning: as it is, nothing is delivered to `{value}`: {wrong}", err=True)
        found.append(value)
    return found


def absent(profile: "AgentProfile", fields: Mapping[str, Any]) -> Iterator[str]:
    """What of scripts and skills is not there, in sentences."""
    from serai.jobs.script import script_fault
    from serai.jobs.skill import read_skill

    script = fields.get("script")
    if script is not None and (fault := script_fault(profile.cron, script)):
        yield f"the script `{script}` {fault}"
    for name in fields.get("skills") or ():
        if read_skill(profile.skills, name) is None:
            yield f"the agent `{profile.id}` has no skill `{name}`"
