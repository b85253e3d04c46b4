"""Card entities, whose text grows in place (CardKit API v1)."""

from collections.abc import Callable
from typing import Final

import msgspec

from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.card import ANSWER, growing_card, settled_card, summary
from serai.platforms.feishu.fault import SEQUENCE_REFUSED, STREAM_CLOSED, Rejected
from serai.platforms.feishu.memory import Memory

_CARDS: Final = ("cardkit", "v1", "cards")
_SINCE: Final = 1_577_836_800
"""2020-01-01. Sequences are seconds since then, so that they rise across restarts and fit 31 bits until 2088."""

_LEAP: Final = 1_000_000
_KEPT: Final = 1000


class CardId(msgspec.Struct, frozen=True):
    card_id: str


class CardReply(msgspec.Struct, frozen=True):
    data: CardId


class Cards:
    """One app's cards. `now` is the time in seconds since the epoch."""

    def __init__(self, api: Api, now: Callable[[], float]) -> None:
        self._api = api
        self._now = now
        self._last = Memory[int](_KEPT)

    async def create(self, text: str) -> str:
        """A card whose text is going to grow; it can be sent once."""
        body = {"type": "card_json", "data": growing_card(text)}
        return (await self._api.post(path(*_CARDS), body, CardReply)).data.card_id

    async def of_message(self, message: str) -> str | None:
        """The card that a message shows; None where the platform does not say."""
        try:
            reply = await self._api.post(path(*_CARDS, "id_convert"), {"message_id": message}, CardReply)
        except Rejected:
            return None
        return reply.data.card_id

    async def write(self, card: str, text: str) -> bool:
        """Makes `text` the card's text, shown as if typed. False where the card does not stream any more: the
        platform ends that after 10 minutes."""
        try:
            await self._change(card, "PUT", ("elements", ANSWER, "content"), {"content": text})
        except Rejected as error:
            if error.code in STREAM_CLOSED:
                return False
            raise
        return True

    async def finish(self, card: str, text: str) -> None:
        """Ends the streaming; the chat list shows the beginning of the text from now on."""
        config = {"config": {"streaming_mode": False, "summary": {"content": summary(text)}}}
        await self._change(card, "PATCH", ("settings",), {"settings": msgspec.json.encode(config).decode()})

    async def replace(self, card: str, text: str) -> None:
        """Makes the card one that has this text and does not stream."""
        await self._change(card, "PUT", (), {"card": {"type": "card_json", "data": settled_card(text)}})

    async def _change(self, card: str, method: str, where: tuple[str, ...], body: dict[str, object]) -> None:
        """One change, under a number that is higher than the one before. A clock that was set back is leapt over."""
        try:
            await self._api.change(method, path(*_CARDS, card, *where), body | {"sequence": self._next(card)})
        except Rejected as error:
            if error.code != SEQUENCE_REFUSED:
                raise
            self._last[card] = self._next(card) + _LEAP
            await self._api.change(method, path(*_CARDS, card, *where), body | {"sequence": self._next(card)})

    def _next(self, card: str) -> int:
        number = max((self._last.get(card) or 0) + 1, int(self._now()) - _SINCE)
        self._last[card] = number
        return number
