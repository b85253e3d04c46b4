"""`serai cron pause|resume|remove`."""

from typing import TYPE_CHECKING

import click

from serai.cli.cron.options import agent_option, job_argument
from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.cron.book import Book, Job


@click.command("pause")
@job_argument
@agent_option
@click.pass_obj
def pause(place: Place, job: str, agent: str | None) -> None:
    """Keep a job, but do not run it. A run that is under way goes on."""
    from serai.cli.cron.find import find
    from serai.cli.cron.open_book import open_book
    from serai.cli.cron.told import title
    from serai.cli.printable import one_line

    opened = open_book(place)
    found = opened.change(find(place, opened, job, agent), {"enabled": False})
    click.echo(one_line(f"Job {title(found)} is paused; `serai cron resume {found['id']}` lets it run again."))


@click.command("resume")
@job_argument
@agent_option
@click.pass_obj
def resume(place: Place, job: str, agent: str | None) -> None:
    """Let a paused job run again. What it would have done meanwhile is not made up for."""
    from serai.cli.cron.add import print_made
    from serai.cli.cron.find import find
    from serai.cli.cron.open_book import open_book

    opened = open_book(place)
    found = opened.change(find(place, opened, job, agent), {"enabled": True})
    print_made(place, opened, found, "Resumed")


@click.command("remove")
@job_argument
@agent_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(place: Place, job: str, agent: str | None, yes: bool) -> None:
    """Remove a job. What its runs have left stays in the agent's cron/output."""
    import sys

    from serai.cli.cron.open_book import open_book
    from serai.cli.cron.told import title
    from serai.cli.printable import one_line

    opened = open_book(place)
    found = _named(place, opened, job, agent)
    name = one_line(title(found))
    if not yes and sys.stdin.isatty():
        click.confirm(f"Remove job {name} ({found['schedule']}) of agent `{found['agent']}`?", abort=True)
    elif not yes:
        raise Failed(f"Job {name} was not removed. Use --yes to remove it without being asked.")
    opened.remove(found["agent"], found["id"])
    click.echo(f"Removed job {name} of agent `{found['agent']}`.")


def _named(place: Place, opened: "Book", word: str, agent: str | None) -> "Job":
    """The job that is meant; also one that is wrong in its file, by its whole id."""
    from serai.cli.cron.find import find

    try:
        return find(place, opened, word, agent)
    except Failed:
        for one in opened.problems(agent):
            if one["job"] == word and one["fatal"]:
                return {"id": word, "name": word, "agent": one["agent"], "schedule": "it is wrong in its file"}
        raise
