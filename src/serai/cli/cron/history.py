"""`serai cron history`: when a job ran, and when it should have (SPEC 9.3)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.cron.options import agent_option, job_argument
from serai.cli.document import json_option, listing, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.cron.book import Run


@click.command("history")
@job_argument
@agent_option
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many at most.")
@click.option("--before", metavar="NEXT", type=float, help="Go on after a list whose `next` was this.")
@click.option("--output", metavar="RUN", help="Print what this run has left; `last` is the latest one.")
@json_option
@click.pass_obj
def history(
    place: Place, job: str, agent: str | None, limit: int, before: float | None, output: str | None, as_json: bool
) -> None:
    """List a job's runs, the latest first, with what was sent where. Missed ones are listed too."""
    from serai.cli.cron.find import find
    from serai.cli.cron.open_book import open_book
    from serai.cli.cron.runs import print_output, print_runs, print_whereabouts

    opened = open_book(place)
    found = find(place, opened, job, agent)
    if output is not None:
        run = opened.output(found, _run(opened.history(found, 200).rows, output))
        if as_json:
            print_json(run)
        else:
            print_output(run)
            print_whereabouts(run)
        return
    runs = opened.history(found, limit, None if before is None else repr(before))
    if as_json:
        print_json(listing(runs.rows, after=runs.after))
    elif runs.rows:
        print_runs(found, runs.rows)
    else:
        click.echo("It never ran")
    if runs.after and not as_json:
        click.echo(f"There are more: serai cron history {found['id']} --before {runs.after}", err=True)


def _run(runs: "Sequence[Run]", word: str) -> str:
    """The id of the run that is meant: whole, the end or the beginning of one, or `last`."""
    ids: list[str] = [run["id"] for run in runs if run["id"] is not None]
    if word == "last":
        if not ids:
            raise Failed("This job never ran.")
        return ids[0]
    found = [id for id in ids if id == word] or [id for id in ids if id.startswith(word) or id.endswith(word)]
    if len(found) == 1:
        return found[0]
    raise Failed(f"`{word}` is {'no run' if not found else 'not one run alone'} of this job.")
