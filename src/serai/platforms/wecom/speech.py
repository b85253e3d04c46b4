"""What we say over a connection: streams, cards, files (WeCom AI bot, long connection)."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from serai.core.delivery import Delivery
from serai.core.error import SendPermanent, SendTemporary, SendUnknown
from serai.platforms.wecom import media
from serai.platforms.wecom.connection import BUSY, Connection, Declined
from serai.platforms.wecom.convert import card, fits_card
from serai.platforms.wecom.replies import Replies
from serai.ports.platform import Sent

LIMIT: Final = 20_480
"""Bytes of UTF-8 in one message."""

_TOO_LATE: Final = frozenset({846605, 846608})
"""The request id is not known, or its six minutes are over."""

_STREAM: Final = "stream"


class Speech:
    """One connection's outgoing messages. All methods raise SendTemporary, SendPermanent, SendUnknown."""

    def __init__(self, connection: Connection, token: Callable[[], str], replies: Replies) -> None:
        self._connection = connection
        self._token = token
        self._replies = replies

    @classmethod
    def over(cls, connection: Connection | None, token: Callable[[], str], replies: Replies) -> "Speech":
        """Raises SendTemporary while there is no connection."""
        if connection is None:
            raise SendTemporary("WeCom is not connected")
        return cls(connection, token, replies)

    async def say(self, chat: str, req_id: str | None, delivery: Delivery) -> Sent:
        """A text: as the answer to a message where there is one to answer, else unasked."""
        if req_id is not None:
            stream = delivery.id
            try:
                return await self._stream(req_id, stream, delivery.text, finish=not delivery.grows)
            except Declined as error:
                if error.code not in _TOO_LATE or delivery.grows:
                    raise _failure(error) from None
        await self._unasked(chat, {"msgtype": "markdown", "markdown": {"content": delivery.text}})
        return Sent()

    async def stream(self, req_id: str, stream: str, text: str, *, finish: bool) -> Sent:
        """The whole text of an answer so far."""
        try:
            return await self._stream(req_id, stream, text, finish=finish)
        except Declined as error:
            raise _failure(error) from None

    async def grow(self, delivery: Delivery) -> Sent:
        """The same answer with a longer, or its final, text."""
        _, req_id, stream = (delivery.remote_id or "").split(" ", 2)
        final = not delivery.grows
        try:
            return await self._stream(req_id, stream, delivery.text, finish=final)
        except SendUnknown:
            if final:
                self._replies.ending(stream)
            raise
        except Declined as error:
            if final and error.code not in BUSY and self._replies.has_ended(stream):
                return Sent(delivery.remote_id)  # by an earlier try, of which no answer came
            raise _failure(error) from None

    async def ask(self, chat: str, req_id: str | None, delivery: Delivery) -> Sent:
        """A text with buttons below: a card, after a message of its own for a text that no card shows."""
        text = delivery.text
        if not fits_card(text):
            await self._unasked(chat, {"msgtype": "markdown", "markdown": {"content": text}})
            text = ""
        title = text.splitlines()[0] if text else "?"
        body = {"msgtype": "template_card", "template_card": card(title, text, delivery.id, delivery.buttons)}
        try:
            if req_id is None:
                raise Declined(846608, "")
            await self._connection.ask("aibot_respond_msg", body, req_id)
        except Declined as error:
            if error.code not in _TOO_LATE:
                raise _failure(error) from None
            await self._unasked(chat, body)
        return Sent(delivery.id)

    async def settle(self, req_id: str, settled: dict[str, object]) -> None:
        """Changes a card that was just pressed; WeCom takes it within five seconds."""
        body = {"response_type": "update_template_card", "template_card": settled}
        try:
            await self._connection.ask("aibot_respond_update_msg", body, req_id)
        except Declined as error:
            raise _failure(error) from None

    async def enclose(self, chat: str, delivery: Delivery) -> Sent:
        """A file, and its text below where it has one."""
        enclosure = delivery.enclosure
        assert enclosure is not None
        data = await asyncio.to_thread(Path(enclosure.path).read_bytes)
        is_image = enclosure.media_type.startswith("image/") and len(data) <= media.IMAGE_MOST
        kind = "image" if is_image else "file"
        try:
            media_id = await media.upload(self._connection, kind, enclosure.name, data)
        except Declined as error:
            raise _failure(error) from None
        await self._unasked(chat, {"msgtype": kind, kind: {"media_id": media_id}})
        if delivery.text:
            await self._unasked(chat, {"msgtype": "markdown", "markdown": {"content": delivery.text}})
        return Sent()

    async def _stream(self, req_id: str, stream: str, text: str, *, finish: bool) -> Sent:
        body = {"msgtype": "stream", "stream": {"id": stream, "finish": finish, "content": text}}
        await self._connection.ask("aibot_respond_msg", body, req_id)
        return Sent(f"{_STREAM} {req_id} {stream}")

    async def _unasked(self, chat: str, body: dict[str, Any]) -> None:
        try:
            await self._connection.ask("aibot_send_msg", {"chatid": chat, **body})
        except Declined as error:
            raise _failure(error) from None


def is_stream(remote_id: str) -> bool:
    """Whether this is the id of an answer, rather than of a card."""
    return remote_id.count(" ") >= 2 and remote_id.startswith(f"{_STREAM} ")


def _failure(error: Declined) -> SendTemporary | SendPermanent:
    return SendTemporary(str(error)) if error.code in BUSY else SendPermanent(str(error))
