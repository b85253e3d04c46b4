"""Time and chance, so that tests can own both."""

from typing import Final, Protocol

CODE_SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""What a pairing code is made of: nothing that is easily mistaken for something else."""


class Clock(Protocol):
    """Wall time for records. Timers use the event loop's monotonic clock (SPEC 5.9)."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class Entropy(Protocol):
    """Random choices that are not secrets of a protocol."""

    def token(self) -> str:
        """24 hex digits that nobody has seen before. A name, no secret: it may be guessed."""
        ...

    def code(self) -> str:
        """8 letters and digits that cannot be guessed, none of them easily mistaken for another: a pairing code."""
        ...

    def between(self, low: float, high: float) -> float:
        """An even choice in [low, high]."""
        ...
