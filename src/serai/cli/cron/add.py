"""`serai cron add` (SPEC 9.2, 16.5)."""

from typing import TYPE_CHECKING, Any

import click

from serai.cli.cron.options import agent_option, fields, given
from serai.cli.document import json_option, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from collections.abc import Collection

    from serai.cli.cron.book import Book, Job


@click.command("add")
@agent_option
@fields
@click.option("--paused", is_flag=True, help="It does not run before `serai cron resume`.")
@json_option
@click.pass_obj
def add(place: Place, /, agent: str | None, paused: bool, as_json: bool, **settings: Any) -> None:
    """Add a job: what an agent is to do, and when.

    A schedule is `30m` (once), `every 2h`, five fields of cron such as `0 9 * * 1-5`, or a time such as
    2026-12-24T18:00; `serai cron preview` tells what it means. A target is `PLATFORM:CHAT`, a PLATFORM (its home
    chat), `all`, or `local`: what a job says is always kept in the agent's cron/output.
    """
    from serai.cli.cron.check import checked
    from serai.cli.cron.open_book import open_book

    wanted = given(settings)
    if "schedule" not in wanted:
        raise click.UsageError("A job needs a --schedule, such as `--schedule 'every 2h'`.")
    if "prompt" not in wanted and not wanted.get("no_agent"):
        raise click.UsageError("A job needs a --prompt, or a --script with --no-agent.")
    if paused:
        wanted["enabled"] = False
    snapshot = place.snapshot()
    owner = place.agent(snapshot, agent or snapshot.default_agent).id
    opened = open_book(place, snapshot)
    fit = checked(place, opened, owner, wanted, snapshot=snapshot)
    made = opened.add(owner, fit.fields)
    if as_json:
        print_json(made)
        return
    print_made(place, opened, made, "Added", fit.nowhere)


def print_made(place: Place, opened: "Book", job: "Job", verb: str, nowhere: "Collection[str]" = ()) -> None:
    """What was done with a job, when it runs now, and where its answers go; not to targets that mean `nowhere`."""
    import time

    from serai.cli.cron.told import title
    from serai.cli.cron.upcoming import print_upcoming
    from serai.cli.printable import one_line

    click.echo(one_line(f"{verb} job {job['id']} {title(job)} of agent `{job['agent']}`."))
    print_upcoming(place, job, time.time(), 3)
    click.echo(one_line(f"  Its answers are {_where(job, nowhere)}."))
    if not opened.runs_jobs:
        click.echo(_when_idle(job), err=True)


def _where(job: "Job", nowhere: "Collection[str]") -> str:
    from serai.cli.cron.told import receivers

    chats = receivers(job, nowhere)
    if chats:
        return f"sent to {', '.join(chats)}"
    as_it_is = ", as it is," if nowhere else ""
    return f"kept in the agent's cron/output, and{as_it_is} sent to nobody"


def _when_idle(job: "Job") -> str:
    from serai.core.schedule import Every, Once, parse_schedule

    if isinstance(parse_schedule(job["schedule"]), Every | Once) and job["enabled"]:
        return f"No gateway runs: `{job['schedule']}` counts from when it starts (`serai up`)."
    return "No gateway runs: nothing is run until it starts (`serai up`)."
