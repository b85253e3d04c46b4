"""`serai cron list`: what is going to run when, what is not, and what is wrong (SPEC 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.cron.options import agent_option
from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.cron.book import Job, Problem

_RUNS = ("scheduled", "waiting", "running")


@click.command("list")
@agent_option
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.option("--next", "count", metavar="N", type=click.IntRange(1, 100), default=1, help="The next N runs of each.")
@json_option
@click.pass_obj
def list_jobs(place: Place, agent: str | None, everything: bool, count: int, as_json: bool) -> None:
    """List jobs: what runs next first, then what does not run, then what is wrong with their files."""
    from serai.cli.cron.open_book import open_book

    if agent is not None:
        place.agent(place.snapshot(), agent)
    opened = open_book(place)
    known, problems = opened.jobs(agent), opened.problems(agent)
    jobs = [one for one in known if everything or not _is_over(one)]
    if as_json:
        print_json({**listing(_with_runs(jobs, count)), "problems": [*problems]})
        return
    _print(place, jobs, count, len(known) - len(jobs))
    told = {job["off"] for job in jobs}
    _print_problems(place, [one for one in problems if one["job"] is not None or one["message"] not in told])
    if jobs and not opened.runs_jobs:
        click.echo("No gateway runs: nothing is run until it starts (`serai up`).", err=True)


def _is_over(job: "Job") -> bool:
    """Whether it has done what it should, and nobody need look at it. One that is done and never ran was missed."""
    return job["state"] == "done" and job["last_status"] not in (None, "missed")


def _with_runs(jobs: "Sequence[Job]", count: int) -> "Sequence[Job]":
    """The API's objects, with as many of the next runs as were asked for."""
    from serai.cli.cron.told import upcoming

    return [{**job, "next_runs": upcoming(job, max(count, len(job["next_runs"])))} for job in jobs]


def _print(place: Place, jobs: "Sequence[Job]", count: int, hidden: int) -> None:
    import time

    from serai.cli.cron.agenda import print_agenda, print_idle

    now = time.time()
    going = [one for one in jobs if one["state"] in _RUNS]
    idle = [one for one in jobs if one["state"] not in _RUNS]
    if going:
        print_agenda(place, going, now, count)
    elif not idle:
        click.echo("No job is going to run" if hidden else "No jobs yet; `serai cron add` makes one")
    if idle:
        click.echo(("\n" if going else "") + "These are not going to run:")
        print_idle(idle, now)
    if hidden:
        click.echo(f"{hidden} more {'is' if hidden == 1 else 'are'} over: serai cron list --all", err=True)


def _print_problems(place: Place, problems: "Sequence[Problem]") -> None:
    """What is wrong, in red, with the file; warnings in yellow."""
    from serai.cli.printable import one_line
    from serai.core.ids import AgentId

    if not problems:
        return
    agents = place.snapshot().agents
    for one in problems:
        profile = agents.get(AgentId(one["agent"]))
        path = str(profile.cron / "jobs.json") if profile else ""
        file = place.shown(profile.cron / "jobs.json") if profile else one["agent"]
        about = f"{one['job']}: " if one["job"] else ""
        text = one["message"].removeprefix(path).lstrip() if path else one["message"]  # which may begin with it
        level, colour = ("Error", "red") if one["fatal"] else ("Warning", "yellow")
        click.secho(one_line(f"{level}: {file}: {about}{text}"), fg=colour, err=True)
