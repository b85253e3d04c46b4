"""Deliveries as messages of the platform: posts, texts, cards with buttons, files."""

import hashlib
from typing import Final

import msgspec

from serai.core.delivery import Delivery, Target
from serai.core.error import SendPermanent
from serai.core.split import measure
from serai.platforms.feishu.card import button_card
from serai.platforms.feishu.fault import MARKUP_REFUSED, Rejected
from serai.platforms.feishu.messages import Messages
from serai.platforms.feishu.render import picture_post, plain, post, render
from serai.platforms.feishu.upload import Uploads, content_of

TEXT_LIMIT: Final = 14_000
"""Bytes. Posts and cards may have 30 KB; as JSON inside of JSON a text takes more than it is long."""

_LARGEST_POST: Final = 29 * 1024
"""Bytes of a post's content inside of its request, which may have 30 KB."""
_LONGEST_KEY: Final = 40


class Speaker:
    """Sends what does not grow."""

    def __init__(self, messages: Messages, uploads: Uploads) -> None:
        self._messages = messages
        self._uploads = uploads

    async def send(self, delivery: Delivery) -> str:
        """The id of the message that was sent, of the last where a file needs one of its own."""
        key = key_of(delivery)
        if delivery.enclosure is not None:
            return await self._send_file(delivery, key)
        if delivery.buttons:
            card = button_card(render(delivery.text), delivery.buttons, delivery.target)
            return await self._messages.send(delivery.target, "interactive", card, key)
        return await self.say(delivery.target, delivery.text, key)

    async def say(self, target: Target, text: str, key: str) -> str:
        """A text as a post, or as it is written where that is too large or not taken."""
        content = post(render(text))
        if len(msgspec.json.encode(content)) < _LARGEST_POST:
            try:
                return await self._messages.send(target, "post", content, key)
            except Rejected as error:
                if error.code not in MARKUP_REFUSED:
                    raise
        # A key stands for one content.
        return await self._messages.send(target, "text", _text(text), f"{key}-t")

    async def _send_file(self, delivery: Delivery, key: str) -> str:
        assert delivery.enclosure is not None
        file = await self._uploads.upload(delivery.enclosure)
        if file.kind == "image" and delivery.text.strip():
            content = picture_post(render(delivery.text), file.key)
            return await self._messages.send(delivery.target, "post", content, key)
        if delivery.text.strip():
            await self.say(delivery.target, delivery.text, key)
        return await self._messages.send(delivery.target, file.kind, content_of(file), f"{key}-f")


def refuse_long(text: str) -> None:
    """Raises SendPermanent for a text over the limit."""
    size = measure(text, "byte")
    if size > TEXT_LIMIT:
        raise SendPermanent(f"the text has {size} bytes; {TEXT_LIMIT} can be sent")


def key_of(delivery: Delivery) -> str:
    """The key of a delivery's message, of at most 50 signs with what is added to it."""
    if len(delivery.id) <= _LONGEST_KEY and delivery.id.isascii():
        return delivery.id
    return hashlib.sha256(delivery.id.encode()).hexdigest()[:_LONGEST_KEY]


def _text(text: str) -> str:
    return msgspec.json.encode({"text": plain(text)}).decode()
