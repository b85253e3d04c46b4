"""`serai config check`: every problem at once (SPEC 2.4)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.snapshot import Problem, Snapshot


@click.command("check")
@json_option
@click.pass_obj
def check(place: Place, as_json: bool) -> None:
    """Print every problem of the configuration; exit 1 where there is one."""
    from serai.app.platforms import Manifests, lacking
    from serai.cli.view import problem_document

    loaded = place.load()
    problems = list(loaded.problems)
    if loaded.snapshot is not None:
        problems += lacking(Manifests(place.layout.plugins, loaded.snapshot.plugins), loaded.snapshot)
    if as_json:
        print_json(listing(map(problem_document, problems)))
    elif problems:
        _print_problems(problems)
    elif loaded.snapshot is not None and place.layout.config.exists():
        click.echo(f"config.yaml is fine: {_counts(loaded.snapshot)}")
    elif loaded.snapshot is not None:
        click.echo(f"There is no {place.shown(place.layout.config)}; the defaults count: {_counts(loaded.snapshot)}")
    for notice in loaded.notices:
        click.echo(f"Note: {notice}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


def _print_problems(problems: "Sequence[Problem]") -> None:
    for problem in problems:
        click.echo(str(problem))
    click.echo(_counted(len(problems), "problem"), err=True)


def _counts(snapshot: "Snapshot") -> str:
    counts = {
        "agent": len(snapshot.agents),
        "route": len(snapshot.routes.routes),
        "platform account": len(snapshot.accounts),
        "API key": len(snapshot.api.keys),
    }
    return ", ".join(_counted(count, noun) for noun, count in counts.items())


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
