"""`serai reload`: the running gateway reads its configuration anew (SPEC 2.6)."""

from typing import Any

import click

from serai.cli.document import json_option, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place


@click.command("reload")
@json_option
@click.pass_obj
def reload(place: Place, as_json: bool) -> None:
    """Make the running gateway take over the changed configuration, and tell what has changed.

    Any problem keeps the earlier configuration in force as a whole; exit 1.
    """
    from serai.cli.gateway import fault, required

    status, document = required(place.layout.lock).ask("POST", "/api/reload")
    problems = _problems(document)
    if as_json and (status == 200 or problems):
        print_json(document)
    elif status == 200:
        _print_change(document)
    if problems and not as_json:
        sentence = "Nothing was changed; the earlier configuration stays in force. The new one has problems:"
        raise Failed("\n".join([sentence, *problems]))
    if problems:
        raise click.exceptions.Exit(1)
    if status != 200:
        raise Failed(fault(status, document))


def _problems(document: Any) -> list[str]:
    """The problems of a 422, as `serai config check` prints them."""
    from serai.core.snapshot import Problem

    match document:
        case {"error": {"problems": [*problems]}}:
            return [str(Problem(**problem)) for problem in problems]
        case _:
            return []


def _print_change(document: dict[str, Any]) -> None:
    for sentence in document["changed"] or ["nothing has changed"]:
        click.echo(sentence)
    for key in document["needs_restart"]:
        click.echo(f"{key} counts from the next start of the gateway on", err=True)
    for notice in document["notices"]:
        click.echo(f"Note: {notice}", err=True)
