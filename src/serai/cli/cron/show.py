"""`serai cron show`: everything about one job (SPEC 12)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.cron.options import agent_option, job_argument
from serai.cli.document import json_option, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.cron.book import Job, Run

_NEXT = 5
_LAST = 5


@click.command("show")
@job_argument
@agent_option
@json_option
@click.pass_obj
def show(place: Place, job: str, agent: str | None, as_json: bool) -> None:
    """Show one job: what it does, when it runs, and how its last runs went.

    ID may be the beginning of the id (4 characters), or the job's name.
    """
    import time

    from serai.cli.cron.find import find
    from serai.cli.cron.open_book import open_book
    from serai.cli.cron.told import upcoming
    from serai.cli.cron.upcoming import print_upcoming
    from serai.cli.printable import harmless
    from serai.cli.table import print_fields

    opened = open_book(place)
    found = find(place, opened, job, agent)
    runs = opened.history(found, _LAST).rows
    if as_json:
        print_json({**found, "next_runs": upcoming(found, _NEXT), "history": list(runs)})
        return
    print_fields([*_standing(found), *_doing(found)])
    click.echo("\nNext runs")
    print_upcoming(place, found, time.time(), _NEXT)
    _print_last(found, runs)
    if found["prompt"].strip():
        click.echo("\nPrompt")
        for line in harmless(found["prompt"]).splitlines():
            click.echo(f"  {line}".rstrip())


def _standing(job: "Job") -> "Iterator[tuple[str, str]]":
    from serai.cli.cron.told import deliver, place, times, why

    yield "id", job["id"]
    yield "name", job["name"]
    yield "agent", job["agent"]
    yield "state", why(job) or job["state"]
    yield "schedule", job["schedule"]
    yield "time zone", job["zone"] + ("" if job["timezone"] else " (the configuration's)")
    if job["repeat"] is not None:
        yield (
            "repeat",
            f"{times(job['repeat'])}; it ran {times(job['runs'])}" if job["runs"] else times(job["repeat"]),
        )
    yield "deliver", deliver(job)
    if job["origin"]:
        yield "made in", place(job["origin"])


def _doing(job: "Job") -> "Iterator[tuple[str, str]]":
    """What it does otherwise than its agent usually does."""
    for name, key in (("model", "model"), ("script", "script"), ("works in", "workdir"), ("made by key", "owner")):
        if job[key]:
            yield name, job[key]
    if job["no_agent"]:
        yield "model calls", "none: the script's output is the answer"
    for name, key in (("skills", "skills"), ("is given", "context_from")):
        if job[key]:
            yield name, ", ".join(job[key])
    if job["enabled_toolsets"] is not None:
        yield "toolsets", ", ".join(job["enabled_toolsets"]) or "none"
    if not job["silent_ok"]:
        yield "silence", "is told"


def _print_last(job: "Job", runs: "Sequence[Run]") -> None:
    from serai.cli.cron.runs import print_runs

    click.echo("\nLast runs")
    if runs:
        print_runs(job, runs, indent="  ")
    else:
        click.echo("  It never ran.")
