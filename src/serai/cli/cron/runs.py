"""Runs of a job: how they went, and where their answers went."""

import sys
from collections.abc import Sequence
from datetime import tzinfo

import click

from serai.cli.cron.book import Job, Run
from serai.cli.cron.told import BAD, clock, took, went_to
from serai.cli.printable import harmless, one_line


def print_runs(job: Job, runs: Sequence[Run], indent: str = "") -> None:
    """A line for each run, the latest first; below it where its answer went, and what was wrong."""
    from serai.core.zone import zone_named

    zone = zone_named(job["zone"])
    lines = [_line(run, zone) for run in runs]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    for run, line in zip(runs, lines, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        if run["state"] in BAD and sys.stdout.isatty():
            cells[1] = click.style(cells[1], fg="red")
        click.echo(f"{indent}{'  '.join(cells)}".rstrip())
        print_below(run, f"{indent}  ")


def _line(run: Run, zone: tzinfo) -> tuple[str, ...]:
    at = clock(run["at"], zone)
    until = f" to {clock(run['until'], zone)}" if run["until"] not in (None, run["at"]) else ""
    return f"{at}{until}", run["state"], took(run), run["id"] or "", "asked for" if run["manual"] else ""


def print_below(run: Run, indent: str = "", *, err: bool = False) -> None:
    """Why a run went wrong, unless its output tells, and what became of each target; red where that is bad."""
    if run["reason"] and run["reason"] not in (run.get("text") or ""):
        click.secho(one_line(f"{indent}{run['state']}: {run['reason']}"), fg="red", err=err)
    for place in went_to(run):
        click.secho(one_line(f"{indent}{place.target}: {place.what}"), fg="red" if place.bad else None, err=err)


def print_output(run: Run) -> None:
    """What a run has left."""
    text = run["text"]
    if text is None:
        click.echo(f"Nothing is kept of this run; it is {run['state']}.", err=True)
        return
    click.echo(harmless(text).rstrip("\n"))


def print_whereabouts(run: Run) -> None:
    """Where its answer went, beside the answer itself."""
    print_below(run, err=True)
    if not run["deliveries"] and not run["problems"] and run["state"] == "ok":
        click.echo("Kept in cron/output, and sent to nobody.", err=True)
