"""What a check has found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["serious", "warning", "note"]
LEVELS: tuple[Level, ...] = ("serious", "warning", "note")
"""`serious`: something does not work, or is open to others; `warning`: it soon may; `note`: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. `mend` is the command that changes that."""

    level: Level
    about: str
    text: str
    mend: str
