"""The id under which a sent message is stored: all that is needed to change it after a restart. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

_CARD: Final = "|card:"
_POST: Final = "|post"


@dataclass(frozen=True, slots=True)
class Remote:
    """A message of ours. `grown` is a card entity (`card_id`), `post` a text that is edited, `sent` a card that was
    sent with its content, whose stored id is the message's own, as button presses name it."""

    message_id: str
    kind: Literal["sent", "grown", "post"] = "sent"
    card_id: str = ""

    def __str__(self) -> str:
        return self.message_id + {"sent": "", "grown": _CARD + self.card_id, "post": _POST}[self.kind]

    @classmethod
    def read(cls, text: str) -> "Remote":
        """What `str` wrote."""
        message, mark, card = text.rpartition(_CARD)
        if mark:
            return cls(message, "grown", card)
        if text.endswith(_POST):
            return cls(text.removesuffix(_POST), "post")
        return cls(text)
