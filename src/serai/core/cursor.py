"""Where a page of a list ends, so that the next one begins behind it."""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list that is sorted by time, newest first, and by id where times are equal.

    >>> Cursor.parse(str(Cursor(1795349581.25, "ses:1")))
    Cursor(at=1795349581.25, id='ses:1')
    """

    at: float
    id: str

    def __str__(self) -> str:
        return f"{self.at!r}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor that was written so. Raises ValueError."""
        at, colon, identity = text.partition(":")
        moment = float(at)
        if not colon or not isfinite(moment):
            raise ValueError("this is no cursor")
        return cls(moment, identity)
