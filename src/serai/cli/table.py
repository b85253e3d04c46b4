"""Tables and field lists for people: drawn by rich on a terminal, plain aligned text everywhere else.

Into a pipe or a file goes one line per row, whatever its length, without colours, so that `grep` and `cut` work.
"""

import sys
from collections.abc import Iterable, Sequence

import click

from serai.cli.printable import one_line

ABSENT = "-"


def print_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
) -> None:
    """Prints rows of texts below `heads`. An empty text is shown as `-`.

    `right` names the columns of numbers, `whole` those that a narrow terminal should fold last.
    """
    cells = [[one_line(cell) or ABSENT for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw_table(heads, cells, right, whole)
    else:
        click.echo(_aligned([heads, *cells], {heads.index(head) for head in right}))


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Prints `name  value` lines."""
    shown = [(name, one_line(value) or ABSENT) for name, value in fields]
    if sys.stdout.isatty():
        _draw_fields(shown)
    else:
        click.echo(_aligned(shown, set()))


def _aligned(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.rjust if n in right else str.ljust for n in range(len(widths))]
    lines = ("  ".join(pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _draw_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], whole: Sequence[str]
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(head, justify="right" if head in right else "left", overflow="fold", no_wrap=head in whole)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(file=sys.stdout).print(table)


def _draw_fields(fields: Sequence[tuple[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        grid.add_row(Text(name), Text(value))
    Console(file=sys.stdout).print(grid)
