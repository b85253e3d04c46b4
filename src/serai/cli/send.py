"""`serai send`: a text for chats, and what became of it (SPEC 10, 12, 16.5)."""

from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option
from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serai.cli.dispatch import Outcome

TARGET_MOST = 1000
TEXT_MOST = 100_000
"""Characters that the API takes."""

SHOWN_MOST = 100
"""Characters of a target that are printed."""


@click.command("send")
@click.argument("target")
@click.argument("text")
@click.option(
    "--agent", metavar="ID", shell_complete=agents, help="Send as this agent; without it the gateway speaks."
)
@json_option
@click.pass_obj
def send(place: Place, target: str, text: str, agent: str | None, as_json: bool) -> None:
    """Send a text to chats, and wait up to 10 seconds for what becomes of it.

    TARGET is `PLATFORM:CHAT` or `PLATFORM@ACCOUNT:CHAT:THREAD`; a PLATFORM alone is its home chat, and `all` is every
    home chat. A colon inside an id is written `%3A`. TEXT may be `-` to read it from standard input.

    The exit code is 1 where a target means no chat, or a delivery was given up. What waits is sent later.
    """
    import sys

    from serai.cli import dispatch
    from serai.cli.document import listing, print_json
    from serai.cli.gateway import required

    words = sys.stdin.buffer.read().decode(errors="replace").rstrip("\n") if text == "-" else text
    _check(place, target, words, agent)
    outcomes = dispatch.dispatch(required(place.layout.lock), target, words, agent, dispatch.PATIENCE_S)
    if as_json:
        print_json(listing([one.document() for one in outcomes]))
    else:
        _print_outcomes(outcomes)
    if any(one.state == "failed" for one in outcomes):
        raise click.exceptions.Exit(1)


def _check(place: Place, target: str, text: str, agent: str | None) -> None:
    """Raises UsageError, or Failed, for what the gateway could only refuse, or would take for something else."""
    for name, value, most in (("target", target, TARGET_MOST), ("text", text, TEXT_MOST)):
        if not value.strip():
            raise click.UsageError(f"The {name} is empty.")
        if len(value) > most:
            raise click.UsageError(f"The {name} is too long: {most} characters are the most.")
    if agent is not None and not agent.strip():
        raise click.UsageError("--agent needs the ID of an agent; without it the gateway speaks.")
    if "," in target:
        from serai.app.offline_jobs import accounts
        from serai.cli.several import refuse_several

        refuse_several(target, {account.platform for account in accounts(place.snapshot())})


def _print_outcomes(outcomes: "Sequence[Outcome]") -> None:
    from serai.cli.printable import one_line

    for one in outcomes:
        target = one.target if len(one.target) <= SHOWN_MOST else f"{one.target[:SHOWN_MOST]}…"
        click.echo(one_line(f"{target}: {one.state}" + (f": {one.reason}" if one.reason else "")))
