"""The agenda in two lines for each run: when on the left, what on the right; in grey what is good to know."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from serai.cli.cron.told import deliver, title
from serai.cli.draw import Card, draw_cards
from serai.cli.printable import one_line

if TYPE_CHECKING:
    from serai.cli.cron.slot import Slot


def draw_slots(slots: Sequence["Slot"]) -> None:
    draw_cards([Card(_left(slot), (_what(slot), _more(slot))) for slot in slots])


def _left(slot: "Slot") -> tuple[Text, Text]:
    zone = f"{slot.job['zone']}{f' ({slot.here} here)' if slot.here else ''}"
    return Text(slot.when or slot.until, style="bold"), Text(zone, style="dim")


def _what(slot: "Slot") -> Text:
    called, id = one_line(title(slot.job)), slot.job["id"]
    text = Text(called, style="bold")
    if slot.when:
        text.append(f"  {slot.until}", style="cyan")
    if called != id:
        text.append(f"  {id}", style="not bold")
    return text


def _more(slot: "Slot") -> Text:
    job = slot.job
    text = Text(one_line(f"{job['agent']} · {job['schedule']} · to {deliver(job)}"), style="dim")
    if slot.last:
        text.append(" · ").append(slot.last, style="not dim red" if slot.bad else "")
    return text
