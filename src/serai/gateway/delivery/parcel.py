"""What is sent to a place: a text in pieces that its platform takes, and files behind it (SPEC 5.5, 6.8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serai.core.delivery import Enclosure, NewDelivery, Target
from serai.core.ids import DeliveryId
from serai.ports.clock import Entropy

Split = Callable[[Target, str], Sequence[str]]
"""Cuts a text into pieces that the target's platform takes."""

Takes = Callable[[Target, Enclosure], bool]
"""Whether a file can be sent to the target's platform."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Files that can be sent, and a note about each of the others."""

    deliveries: Sequence[NewDelivery]
    notes: Sequence[str]


class Parcels:
    """Makes deliveries, each with an id of its own."""

    def __init__(self, split: Split, takes: Takes, entropy: Entropy) -> None:
        self._split = split
        self._takes = takes
        self._entropy = entropy

    def text(self, target: Target, text: str) -> list[NewDelivery]:
        """A text, which is not blank, in pieces."""
        return [self._new(target, piece) for piece in self._split(target, text)]

    def files(self, target: Target, files: Sequence[Enclosure]) -> Packed:
        """Those of the files that the target's platform takes."""
        taken = [file for file in files if self._takes(target, file)]
        notes = [f"(The file `{file.name}` cannot be sent here.)" for file in files if file not in taken]
        return Packed([self._new(target, "", file) for file in taken], notes)

    def _new(self, target: Target, text: str, file: Enclosure | None = None) -> NewDelivery:
        return NewDelivery(DeliveryId(f"dlv_{self._entropy.token()}"), target, text, enclosure=file)
