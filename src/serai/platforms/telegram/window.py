"""Which updates are confirmed: everything before the offset that the next poll names. Pure.

Telegram confirms by a number alone. So what was stored behind something that was not is remembered until then, and
what is offered again meanwhile is let by.
"""

from collections.abc import Iterable


class Window:
    """The updates that were told and are not confirmed yet."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._done: set[int] = set()
        self._top: int | None = None

    @property
    def offset(self) -> int | None:
        """From where to go on; None as long as nothing was told."""
        if self._open:
            return min(self._open)
        return None if self._top is None else self._top + 1

    @property
    def is_open(self) -> bool:
        """Whether something was told that is not stored: the next poll brings it at once."""
        return bool(self._open)

    def told(self, number: int) -> bool:
        """Notes an update, in the order of a poll; whether there is still something to be done about it.

        After a quiet week Telegram begins anew with any number, so the last one counts and not the highest."""
        self._top = number
        if number in self._done:
            return False
        self._open.add(number)
        return True

    def stored(self, numbers: Iterable[int]) -> None:
        """They may be confirmed."""
        for number in numbers:
            self._open.discard(number)
            self._done.add(number)
        offset = self.offset
        if offset is not None:
            self._done = {number for number in self._done if number >= offset}
