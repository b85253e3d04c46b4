"""Which message an answer may still be given to: WeCom takes answers by the request id of what is answered."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_KEPT: Final = 4096
LIFETIME_S: Final = 350.0
"""For which a message can be answered, a little less than the six minutes that WeCom gives."""

PRESSED_S: Final = 4.5
"""For which a card can be changed after it was pressed, a little less than WeCom's five seconds."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What came, and when by the loop's clock."""

    chat: str
    req_id: str
    at: float


class Replies:
    """The latest messages, by id and by chat, and the latest presses, by the card that was pressed."""

    def __init__(self) -> None:
        self._by_message: OrderedDict[str, Callback] = OrderedDict()
        self._by_chat: OrderedDict[str, Callback] = OrderedDict()
        self._by_card: OrderedDict[str, Callback] = OrderedDict()
        self._ending: OrderedDict[str, None] = OrderedDict()

    def note(self, message: str, callback: Callback) -> None:
        _put(self._by_message, message, callback)
        _put(self._by_chat, callback.chat, callback)

    def ending(self, stream: str) -> None:
        """A stream was ended, and nobody knows whether WeCom has heard of it."""
        self._ending[stream] = None
        if len(self._ending) > _KEPT:
            self._ending.popitem(last=False)

    def has_ended(self, stream: str) -> bool:
        """Whether a stream that WeCom no longer takes has been ended by us."""
        return stream in self._ending

    def note_press(self, card: str, callback: Callback) -> None:
        _put(self._by_card, card, callback)

    def press_of(self, card: str, now: float) -> str | None:
        """The request id by which a card can be changed that was just pressed."""
        callback = self._by_card.get(card)
        return callback.req_id if callback is not None and now - callback.at < PRESSED_S else None

    def request_for(self, chat: str, answered: Sequence[str], now: float) -> str | None:
        """The request id by which something can be said in a chat: that of the message that is answered, else the
        chat's last; None where both are too old."""
        found = [self._by_message.get(message) for message in reversed(answered)]
        for callback in (*found, self._by_chat.get(chat)):
            if callback is not None and callback.chat == chat and now - callback.at < LIFETIME_S:
                return callback.req_id
        return None


def _put(kept: OrderedDict[str, Callback], key: str, callback: Callback) -> None:
    kept[key] = callback
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)
