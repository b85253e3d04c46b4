"""Lists on a terminal, by rich: a table where one fits, else two lines for each entry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

_GAP = 2
_LEAST = 24
"""Columns that a cell of a table which may be cut keeps."""

_SHORTEST = 12
"""The same for a title."""


@dataclass(frozen=True, slots=True)
class Card:
    """An entry in two lines: `left` is a column of its own; on the right `title` and what is `beside` and `below` it.
    Unless it is `whole`, a title may lose its end, so that it stays in its line."""

    left: tuple[Text, Text]
    title: Text
    beside: Text
    below: Text
    whole: bool = False


def draw_table(
    columns: Mapping[str, Sequence[str]], *, red: Mapping[str, Collection[int]], cut: str = "", right: str = ""
) -> bool:
    """Draws it, unless a cell would have to be folded: then it returns False.

    `red` are rows whose cell is bad, by column. Cells of the column `cut` may lose their ends, numbers of `right`
    stand on that side.
    """
    console = Console()
    widths = {head: max(map(cell_len, (head, *cells))) for head, cells in columns.items()}
    excess = sum(widths.values()) + _GAP * (len(widths) - 1) - console.width
    if excess > 0 and widths.get(cut, 0) - excess < _LEAST:
        return False
    if excess > 0:
        widths[cut] -= excess
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for head, width in widths.items():
        side: Literal["left", "right"] = "right" if head == right else "left"
        table.add_column(head, justify=side, no_wrap=True, overflow="ellipsis", min_width=width, max_width=width)
    for n, row in enumerate(zip(*columns.values(), strict=True)):
        bad = [n in red.get(head, ()) for head in columns]
        table.add_row(*(Text(cell, style="red" if wrong else "") for cell, wrong in zip(row, bad, strict=True)))
    console.print(table)
    return True


def draw_cards(cards: Sequence[Card]) -> None:
    """Draws them below one another."""
    console = Console()
    left = max([text.cell_len for card in cards for text in card.left], default=0)
    grid = Table.grid(padding=(0, _GAP))
    grid.add_column(no_wrap=True, width=left)
    grid.add_column(overflow="fold")
    for card in cards:
        title = card.title.copy()
        if not card.whole:
            room = console.width - left - 2 * _GAP - card.beside.cell_len
            title.truncate(max(room, _SHORTEST), overflow="ellipsis")
        first = Text.assemble(title, " " * _GAP, card.beside)
        grid.add_row(Group(*card.left), Group(first, card.below))
    console.print(grid)
