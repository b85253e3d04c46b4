"""`serai session search`: where something was said (SPEC 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from serai.ports.store.archive import Archive, Found

HEADS = ("session", "agent", "when", "who", "text")
AROUND = 40
"""How many characters are shown before and after the first word that was looked for."""


@click.command("search")
@click.argument("text")
@click.option("--agent", metavar="ID", shell_complete=agents, help="Of this agent alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def search(place: Place, text: str, agent: str | None, limit: int, as_json: bool) -> None:
    """Find messages that hold every word of TEXT, in any case and order, the latest first."""
    from serai.cli.archive import read
    from serai.cli.view import found_document
    from serai.core.ids import AgentId

    words = text.split()
    if not words:
        raise click.UsageError("There is nothing to look for.")

    async def matching(archive: "Archive") -> "Sequence[Found]":
        return await archive.search(words, agent=AgentId(agent) if agent else None, limit=limit + 1)

    found = read(place, matching, ())
    if as_json:
        print_json(listing(map(found_document, found[:limit]), more=len(found) > limit))
    elif found:
        _print_found(found[:limit], words[0])
    else:
        click.echo("Nothing found")
    if len(found) > limit and not as_json:
        click.echo(f"There are more than these {limit}; raise --limit, or look for more words.", err=True)


def _print_found(found: "Sequence[Found]", word: str) -> None:
    from serai.cli.moment import local_time
    from serai.cli.table import print_table

    rows = [
        (one.session, one.agent, local_time(one.row.created_at), one.row.message.role, _around(one, word))
        for one in found
    ]
    print_table(HEADS, rows, whole=("session", "when"))


def _around(found: "Found", word: str) -> str:
    """The words around the place, on one line."""
    text = " ".join(found.row.message.text.split())
    at = max(text.casefold().find(word.casefold()), 0)
    start, end = max(0, at - AROUND), at + len(word) + AROUND
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
