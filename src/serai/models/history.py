"""Encoded histories, so that a long session costs its new messages and not its old ones.

A session's history only grows at its end and is made of the same immutable objects in every call. So one buffer
per session holds the JSON text of all its messages, found by the identity of the message after the system prompt;
a call compares the history with the one of the call before (one comparison of tuples, which ends at once for
identical objects) and appends what is new. A cache of one entry per message would still ask one dictionary per
message and call; equality of values would hash every text. The objects are held by the entry, so that no other
object can get their identity. Bounded in bytes; what was not used for longest goes first.
"""

from array import array
from collections.abc import Iterable
from typing import Final

from serai.core.message import Message
from serai.models.wire import encode, encoder, wire_message

KEPT_FROM: Final = 16
"""Shorter histories are encoded anew each time: that is cheaper than keeping them."""

_COMMA: Final = 0x2C
_OVERHEAD: Final = 256
"""About what a message costs in memory beyond its text, in bytes."""


class History:
    """The encoded messages of one session, separated by commas."""

    __slots__ = ("_ends", "buffer", "messages")

    def __init__(self) -> None:
        self.messages: tuple[Message, ...] = ()
        self.buffer = bytearray()
        self._ends = array("Q")

    @property
    def size(self) -> int:
        """About how much memory this keeps, in bytes."""
        return len(self.buffer) + _OVERHEAD * len(self.messages)

    def become(self, messages: tuple[Message, ...]) -> int:
        """Makes this the text of `messages`, reusing the beginning that they share with the former ones.

        Returns how many messages had to be encoded.
        """
        shared = self._shared(messages)
        if shared < len(self.messages):
            del self._ends[shared:]
            del self.buffer[self._ends[-1] if shared else 0 :]
        self.messages = messages
        _append(self.buffer, messages[shared:], self._ends)
        return len(messages) - shared

    def _shared(self, messages: tuple[Message, ...]) -> int:
        """A length up to which both are surely alike, found from the end in steps that double."""
        length, step = min(len(self.messages), len(messages)), 1
        while length > 0 and self.messages[:length] != messages[:length]:
            length, step = length - step, step * 2
        return max(length, 0)


class HistoryCache:
    """Encoded histories of the sessions that were used last."""

    __slots__ = ("_histories", "_most", "size")

    def __init__(self, most: int) -> None:
        self._histories: dict[int, History] = {}
        self._most = most
        self.size = 0

    def encode(self, messages: tuple[Message, ...]) -> bytes | bytearray:
        """The JSON text of the messages, separated by commas. To be used before the next call, and not changed."""
        if len(messages) < KEPT_FROM:
            return encode([wire_message(message) for message in messages])[1:-1]
        key = id(messages[1])
        history = self._histories.pop(key, None) or History()
        self.size -= history.size
        history.become(messages)
        self._histories[key] = history
        self.size += history.size
        while self.size > self._most and self._histories:
            self.size -= self._histories.pop(next(iter(self._histories))).size
        return history.buffer


def _append(buffer: bytearray, messages: Iterable[Message], ends: "array[int]") -> None:
    """Adds messages to a buffer, a comma between each two, and the offset at which each ends to `ends`."""
    for message in messages:
        if buffer:
            buffer.append(_COMMA)
        start = len(buffer)
        try:
            encoder.encode_into(wire_message(message), buffer, -1)
        except UnicodeEncodeError:
            buffer[start:] = encode(wire_message(message))
        ends.append(len(buffer))
