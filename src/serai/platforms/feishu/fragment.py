"""Events that came in several frames (headers `sum` and `seq`), joined again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from serai.platforms.feishu.frame import Frame

_KEPT_SECONDS: Final = 10.0
"""For which the rest of an event is waited for; then it is resent as a whole, for it was never acknowledged."""

_MOST_PIECES: Final = 1000
_MOST_WAITING: Final = 64


@dataclass(slots=True)
class _Waiting:
    since: float
    pieces: list[bytes | None] = field(default_factory=list)


class Fragments:
    """The events of one connection that are not complete yet. `time` is the loop's."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._waiting: dict[str, _Waiting] = {}

    def join(self, frame: Frame) -> bytes | None:
        """The whole payload once the last piece is there; None before, and for what can be no piece of anything."""
        total, place = _whole(frame.header("sum"), 1), _whole(frame.header("seq"), 0)
        if total <= 1:
            return frame.payload
        if not 0 <= place < total <= _MOST_PIECES:
            return None
        self._forget_old()
        message = frame.header("message_id")
        waiting = self._waiting.setdefault(message, _Waiting(self._time(), [None] * total))
        if len(waiting.pieces) != total:
            del self._waiting[message]
            return None
        waiting.pieces[place] = frame.payload
        pieces = [piece for piece in waiting.pieces if piece is not None]
        if len(pieces) < total:
            return None
        del self._waiting[message]
        return b"".join(pieces)

    def _forget_old(self) -> None:
        """Drops what waited too long, and the oldest where there are too many."""
        now = self._time()
        for message, waiting in list(self._waiting.items()):
            if now - waiting.since > _KEPT_SECONDS or len(self._waiting) > _MOST_WAITING:
                del self._waiting[message]


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
