"""`serai cron run`: now, beside the schedule (SPEC 9.3)."""

import time
from typing import TYPE_CHECKING, Final

import click

from serai.cli.cron.options import agent_option, job_argument
from serai.cli.document import json_option, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.cron.book import Book, Job, Run

_ENDED: Final = frozenset({"ok", "failed", "cancelled"})
_PAUSE_S: Final = 0.2
_KEPT_S: Final = 5.0
"""For how long an ended run's output, and the end of its deliveries, are awaited."""


@click.command("run")
@job_argument
@agent_option
@click.option("--wait", is_flag=True, help="Wait for its end; print what it says, and where that went.")
@json_option
@click.pass_obj
def run(place: Place, job: str, agent: str | None, wait: bool, as_json: bool) -> None:
    """Run a job now, also a paused one.

    With --wait the exit code is 1 where the run fails, or its answer does not reach somebody.
    """
    from serai.cli.cron.find import find
    from serai.cli.cron.open_book import open_book
    from serai.cli.cron.runs import print_output, print_whereabouts
    from serai.cli.cron.told import title
    from serai.cli.printable import one_line

    opened = open_book(place)
    found = find(place, opened, job, agent)
    begun = opened.run(found)
    if wait:
        begun = _ended(opened, found, begun)
    if as_json:
        print_json(begun)
    elif wait:
        print_output(begun)
        print_whereabouts(begun)
    else:
        how = f"serai cron history {found['id']} --output {begun['id']}"
        click.echo(one_line(f"Job {title(found)} runs now; `{how}` shows what it says."))
    if wait and not _well(begun):
        raise click.exceptions.Exit(1)


def _ended(opened: "Book", job: "Job", begun: "Run") -> "Run":
    """The run once it has ended, and what it left is kept and sent, or has had its time to be."""
    deadline: float | None = None
    while True:
        found = opened.output(job, begun["id"])
        if found["state"] in _ENDED:
            deadline = deadline or time.monotonic() + _KEPT_S
            if _settled(found) or time.monotonic() >= deadline:
                return found
        time.sleep(_PAUSE_S)


def _settled(run: "Run") -> bool:
    return run["text"] is not None and all(
        one["state"] not in ("open", "new", "sending") for one in run["deliveries"]
    )


def _well(run: "Run") -> bool:
    reached = not run["problems"] and all(one["state"] != "dead" for one in run["deliveries"])
    return run["state"] == "ok" and reached
