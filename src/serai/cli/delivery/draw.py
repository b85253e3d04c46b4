"""Deliveries in a list: a table where one fits, else two lines each."""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from serai.cli.moment import ago
from serai.cli.printable import one_line
from serai.cli.table import ABSENT, print_table
from serai.core.delivery import Delivery
from serai.core.target import written

if TYPE_CHECKING:
    from serai.cli.draw import Card

_BAD: Final = frozenset({"dead", "unknown"})


def print_deliveries(deliveries: Sequence[Delivery]) -> None:
    columns = _columns(deliveries, time.time())
    if not sys.stdout.isatty():
        print_table([*columns], zip(*columns.values(), strict=True), right=("tries",))
        return
    from serai.cli.draw import draw_cards, draw_table

    bad = [n for n, one in enumerate(deliveries) if one.state in _BAD]
    if not draw_table(columns, red={"state": bad}, right="tries"):
        draw_cards([_card(one, time.time()) for one in deliveries])


def _columns(deliveries: Sequence[Delivery], now: float) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {
        "id": [one.id for one in deliveries],
        "state": [one.state for one in deliveries],
        "agent": [one.agent for one in deliveries],
        "to": [written(one.target) for one in deliveries],
        "tries": [str(one.attempt) for one in deliveries],
        "created": [ago(one.created_at, now) for one in deliveries],
        "error": [one.error or "" for one in deliveries],
    }
    return {head: [one_line(cell) or ABSENT for cell in cells] for head, cells in columns.items()}


def _card(one: Delivery, now: float) -> "Card":
    """What became of it on the left, where it goes on the right; in grey what is good to know."""
    from rich.text import Text

    from serai.cli.draw import Card

    bad = one.state in _BAD
    tries = [f"{one.attempt} tries"] if one.attempt > 1 else []
    more = Text(one_line(" · ".join([f"by {one.agent}" if one.agent else "by the gateway", *tries])), style="dim")
    if one.error:
        more.append(" · ").append(one_line(one.error), style="not dim red" if bad else "")
    left = Text(one.state, style="bold red" if bad else "bold"), Text(ago(one.created_at, now), style="dim")
    return Card(left, Text(one_line(written(one.target)), style="bold"), Text(one.id), more, whole=True)
