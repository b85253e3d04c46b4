"""Named points in the life of a message, and the fuse that kills the process at one of them (DESIGN 7)."""

import os
import signal
from typing import Final

_AROUND: Final = (
    "accept",
    "claim",
    "record_start",
    "record_end",
    "finish",
    "next_delivery",
    "settle",
    "release",
    "recover",
    "join",
    "order",
    "keep",
    "kept",
    "see",
    "miss",
)
"""Writes of the store. `record_start` is that of tool calls that begin, `record_end` that of one that ended, `join`
that of messages that come to a running turn, `order` that of a command; `keep` is that of a job's output file, `kept`
its note, `see` a job's first, `miss` that of slots that did not run."""

POINTS: Final = (
    *(f"{name}.{side}" for name in _AROUND for side in ("before", "after")),
    "model.before",
    "model.during",
    "model.after",
    "tool.before",
    "tool.inside",
    "tool.after",
    "script.before",
    "script.after",
    "send.before",
    "send.after",
)
"""`model.during`: the first piece of text is there. `tool.inside`: it has taken effect and has not returned.
`script.after`: the script
has ended, and nothing of that is noted. `send.after`: the receiver has it."""


class Fuse:
    """Ends the process by SIGKILL when it passes `point` for the `nth` time, counted from 1."""

    def __init__(self, point: str | None, nth: int = 1) -> None:
        if point is not None and point not in POINTS:
            raise ValueError(f"there is no point {point}")
        self._point = point
        self._left = nth

    def passing(self, point: str) -> None:
        """Says that a point is reached."""
        assert point in POINTS, point
        if point == self._point:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
