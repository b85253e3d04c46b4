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
    draw_cards([_card(slot) for slot in slots])


def _card(slot: "Slot") -> Card:
    return Card(_left(slot), Text(one_line(title(slot.job)), style="bold"), _beside(slot), _below(slot))


def _left(slot: "Slot") -> tuple[Text, Text]:
    zone = f"{slot.job['zone']}{f' ({slot.here} here)' if slot.here else ''}"
    return Text(slot.when or slot.until, style="bold"), Text(zone, style="dim")


def _beside(slot: "Slot") -> Text:
    until = Text(f"{slot.until}  " if slot.when else "", style="cyan")
    return Text.assemble(until, slot.job["id"])


def _below(slot: "Slot") -> Text:
    job = slot.job
    text = Text(one_line(f"{job['agent']} · {job['schedule']} · to {deliver(job)}"), style="dim")
    if slot.last:
        text.append(" · ").append(slot.last, style="not dim red" if slot.bad else "")
    return text
