"""The agenda on a terminal, by rich: a table where one fits, else two lines for each run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from serai.cli.cron.told import deliver, title
from serai.cli.printable import one_line

if TYPE_CHECKING:
    from serai.cli.cron.slot import Slot

_GAP = 2


def draw_table(columns: Mapping[str, Sequence[str]], bad: Sequence[bool]) -> bool:
    """Draws it, unless a cell would have to be folded: then it returns False. `bad` rows say how they went in red."""
    console = Console()
    widths = [max(map(len, (head, *cells))) for head, cells in columns.items()]
    if sum(widths) + _GAP * (len(widths) - 1) > console.width:
        return False
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for head, width in zip(columns, widths, strict=True):
        table.add_column(head, no_wrap=True, min_width=width)
    for n, wrong in enumerate(bad):
        cells = [(head, cells[n]) for head, cells in columns.items()]
        table.add_row(*(Text(cell, style="red" if wrong and head == "last" else "") for head, cell in cells))
    console.print(table)
    return True


def draw_cards(slots: Sequence["Slot"]) -> None:
    """When on the left, what on the right; below it, in grey, what is good to know."""
    console = Console()
    left = max([len(text) for slot in slots for text in _left(slot)], default=0)
    grid = Table.grid(padding=(0, _GAP))
    grid.add_column(no_wrap=True, width=left)
    grid.add_column(overflow="fold")
    for slot in slots:
        first, second = _left(slot)
        when = Group(Text(first, style="bold"), Text(second, style="dim"))
        grid.add_row(when, Group(_what(slot), _more(slot)))
    console.print(grid)


def _left(slot: "Slot") -> tuple[str, str]:
    return slot.when or slot.until, f"{slot.job['zone']}{f' ({slot.here} here)' if slot.here else ''}"


def _what(slot: "Slot") -> Text:
    job = slot.job
    text = Text(one_line(title(job)), style="bold")
    if slot.when:
        text.append(f"  {slot.until}", style="cyan")
    if job["name"]:
        text.append(f"  {job['id']}", style="not bold")
    return text


def _more(slot: "Slot") -> Text:
    job = slot.job
    text = Text(one_line(f"{job['agent']} · {job['schedule']} · to {deliver(job)}"), style="dim")
    if slot.last:
        text.append(" · ").append(slot.last, style="not dim red" if slot.bad else "")
    return text
