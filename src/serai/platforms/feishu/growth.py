"""Answers that grow: as a card that is typed, or as a post that is edited where the app may not make cards."""

import asyncio
from typing import Final

import msgspec

from serai.core.delivery import Delivery
from serai.platforms.feishu.card import button_card
from serai.platforms.feishu.cards import Cards
from serai.platforms.feishu.fault import NO_SCOPE, Rejected
from serai.platforms.feishu.memory import Memory
from serai.platforms.feishu.messages import Messages
from serai.platforms.feishu.remote import Remote
from serai.platforms.feishu.render import post, render
from serai.platforms.feishu.speaker import Speaker, key_of

_EDITS_MOST: Final = 20
"""A post can be edited so many times [documentation]; one of them is kept for the final text."""

_NO_CARDS_SECONDS: Final = 3600.0
_KEPT: Final = 1000


class Growth:
    """Opens and edits one app's growing answers."""

    def __init__(self, messages: Messages, cards: Cards, speaker: Speaker) -> None:
        self._messages = messages
        self._cards = cards
        self._speaker = speaker
        self._no_cards_until = 0.0
        self._edits = Memory[int](_KEPT)

    async def open(self, delivery: Delivery) -> Remote:
        """Sends the beginning."""
        card = await self._card(delivery)
        if card is None:
            return Remote(await self._speaker.say(delivery.target, delivery.text, key_of(delivery)), "post")
        content = msgspec.json.encode({"type": "card", "data": {"card_id": card}}).decode()
        message = await self._messages.send(delivery.target, "interactive", content, key_of(delivery))
        if delivery.attempt > 1:  # an earlier try may have sent another card under this key
            card = await self._cards.of_message(message) or card
        return Remote(message, "grown", card)

    async def edit(self, delivery: Delivery) -> None:
        """Makes the delivery's text the message's; for good, where it grows no more."""
        remote = Remote.read(delivery.remote_id or "")
        if remote.kind == "grown":
            await self._edit_card(remote.card_id, delivery)
        elif remote.kind == "post":
            await self._edit_post(remote.message_id, delivery)
        else:
            card = button_card(render(delivery.text), delivery.buttons, delivery.target)
            await self._messages.redraw(remote.message_id, card)

    async def _card(self, delivery: Delivery) -> str | None:
        """A new card; None where the app has not the permission, which is asked about again later."""
        now = asyncio.get_running_loop().time()
        if now < self._no_cards_until:
            return None
        try:
            return await self._cards.create(render(delivery.text))
        except Rejected as error:
            if error.code not in NO_SCOPE:
                raise
        self._no_cards_until = now + _NO_CARDS_SECONDS
        return None

    async def _edit_card(self, card: str, delivery: Delivery) -> None:
        text = render(delivery.text)
        if not await self._cards.write(card, text):
            await self._cards.replace(card, text)
        elif not delivery.grows:
            await self._cards.finish(card, text)

    async def _edit_post(self, message: str, delivery: Delivery) -> None:
        """An edit of the few that there are: those in between stop before the last one."""
        made = self._edits.get(message) or 0
        if delivery.grows and made >= _EDITS_MOST - 1:
            return
        if not delivery.grows:
            self._edits.pop(message)
        else:
            self._edits[message] = made + 1
        await self._messages.rewrite(message, "post", post(render(delivery.text)))
