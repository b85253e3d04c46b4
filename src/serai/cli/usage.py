"""`serai usage`: turns and tokens by agent, model and day (SPEC 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from serai.ports.store.archive import Archive, UsageRow

COLUMNS = ("day", "agent", "model")
NUMBERS = ("turns", "input", "cached", "output", "reasoning")
DAY_S = 86400


@click.command("usage")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="How far back, in days.")
@click.option("--by", type=click.Choice(COLUMNS), multiple=True, help="Sum up by this  [day, agent and model]")
@click.option("--agent", metavar="ID", shell_complete=agents, help="Of this agent alone.")
@json_option
@click.pass_obj
def usage(place: Place, days: int, by: tuple[str, ...], agent: str | None, as_json: bool) -> None:
    """Tell how many turns ended, and how many tokens they took."""
    import time

    from serai.api.document import summed
    from serai.cli.archive import read
    from serai.cli.view import usage_document
    from serai.core.ids import AgentId

    async def taken(archive: "Archive") -> "Sequence[UsageRow]":
        since = time.time() - days * DAY_S
        return await archive.usage(since=since, agents=frozenset({AgentId(agent)}) if agent else None)

    columns = [name for name in COLUMNS if name in (by or COLUMNS)]
    rows = summed(read(place, taken, ()), columns)
    if as_json:
        print_json(listing(usage_document(row, columns) for row in rows))
    elif rows:
        _print_rows(rows, columns)
    else:
        click.echo(f"No turns in the last {days} days")


def _print_rows(rows: "Sequence[UsageRow]", columns: Sequence[str]) -> None:
    from serai.cli.table import print_table

    cells = [(*(getattr(row, name) for name in columns), *map(str, (row.turns, *_tokens(row)))) for row in rows]
    print_table((*columns, *NUMBERS), cells, right=NUMBERS)


def _tokens(row: "UsageRow") -> tuple[int, int, int, int]:
    used = row.usage
    return used.input_tokens, used.cached_tokens, used.output_tokens, used.reasoning_tokens
