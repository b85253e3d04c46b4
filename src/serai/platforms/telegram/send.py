"""Answers on their way to Telegram."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated

from serai.core.delivery import Button, Delivery, Enclosure, Target
from serai.core.error import SendPermanent, SendTemporary, SendUnknown
from serai.core.split import measure
from serai.platforms.telegram.client import Client
from serai.platforms.telegram.convert import GENERAL
from serai.platforms.telegram.failure import told
from serai.platforms.telegram.render import render
from serai.ports.platform import Sent

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
ENCLOSURE_BYTES: Final = 50_000_000
_PHOTO_BYTES: Final = 10_000_000
_PHOTOS: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
_BUTTONS_IN_A_ROW: Final = 2
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
"""Telegram would fetch the first link of a text, and a model can be talked into one that carries a secret away."""

_MARKUP_REFUSED: Final = ("can't parse entities", "text is empty", "text must be non-empty")

_log = structlog.get_logger("telegram")
_T = TypeVar("_T")


class Sender:
    """Sends through one bot. Groups that have become supergroups are followed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._moved: dict[str, str] = {}

    async def send(self, delivery: Delivery) -> Sent:
        """Sends a message or a file. A text that is too long for a file's caption is a message above it.

        Raises SendTemporary, SendPermanent, SendUnknown; that, too, for a file that has failed below its text.
        """
        check_length(delivery)
        if delivery.enclosure is None:
            return await self._send_text(delivery)
        if measure(delivery.text, "utf16") <= CAPTION_LIMIT:
            return await self._send_file(delivery, delivery.enclosure)
        data = await _data(delivery.enclosure)  # before the text is sent
        await self._send_text(replace(delivery, enclosure=None, buttons=()))
        try:
            return await self._send_file(replace(delivery, text=""), delivery.enclosure, data)
        except SendTemporary as error:
            raise SendUnknown(f"the text was sent, and its file was not: {error}") from None

    async def _send_text(self, delivery: Delivery) -> Sent:
        options = {**_place(delivery.target), "link_preview_options": _NO_PREVIEW}
        keyboard = _keyboard(delivery.buttons)

        async def say(chat: str, text: str, mode: str | None) -> Any:
            return await self._client.send_message(chat, text, mode, reply_markup=keyboard, **options)

        with told():
            message = await self._in(delivery.target, lambda chat: _marked_up(delivery.text, chat, say))
        return Sent(str(message.message_id))

    async def edit(self, delivery: Delivery) -> Sent:
        """Gives a message another text, and other buttons or none. Raises as `send`."""
        check_length(delivery)
        number = _number(delivery.remote_id)
        if number is None:
            raise SendPermanent("there is no message of that id")
        keyboard = _keyboard(delivery.buttons)

        async def change(chat: str, text: str, mode: str | None) -> Any:
            return await self._client.edit_message_text(
                text, chat, number, parse_mode=mode, reply_markup=keyboard, link_preview_options=_NO_PREVIEW
            )

        with told():
            try:
                await self._in(delivery.target, lambda chat: _marked_up(delivery.text, chat, change))
            except BadRequest as error:
                if "message is not modified" not in str(error).lower():
                    raise
        return Sent(delivery.remote_id)

    async def typing(self, target: Target) -> None:
        """Shows that something is being written, for 5 s or until it is sent. Raises as `send`."""
        thread = _number(target.thread_id)  # here, the General topic must be named
        with told():
            await self._in(
                target, lambda chat: self._client.send_chat_action(chat, "typing", message_thread_id=thread)
            )

    async def say(self, target: Target, text: str) -> None:
        """A sentence of the driver itself, without markup. Raises as `send`."""
        with told():
            await self._in(target, lambda chat: self._client.send_message(chat, text[:TEXT_LIMIT], **_place(target)))

    async def _send_file(self, delivery: Delivery, enclosure: Enclosure, data: bytes | None = None) -> Sent:
        data = await _data(enclosure) if data is None else data
        options = {**_place(delivery.target), "reply_markup": _keyboard(delivery.buttons), "filename": enclosure.name}

        async def photo(chat: str, text: str, mode: str | None) -> Any:
            return await self._client.send_photo(chat, data, text or None, parse_mode=mode, **options)

        async def document(chat: str, text: str, mode: str | None) -> Any:
            return await self._client.send_document(chat, data, text or None, parse_mode=mode, **options)

        async def deliver(chat: str) -> Any:
            if enclosure.media_type in _PHOTOS and len(data) <= _PHOTO_BYTES:
                try:
                    return await _marked_up(delivery.text, chat, photo)
                except BadRequest as error:  # its sides are too long, or it is none
                    if not any(word in str(error).lower() for word in ("photo", "image")):
                        raise
            return await _marked_up(delivery.text, chat, document)

        with told():
            message = await self._in(delivery.target, deliver)
        return Sent(str(message.message_id))

    async def _in(self, target: Target, call: Callable[[str], Awaitable[_T]]) -> _T:
        """Calls with the target's chat; where it has moved, again with the one that it is now."""
        chat = self._moved.get(target.chat_id, target.chat_id)
        try:
            return await call(chat)
        except ChatMigrated as error:
            new = str(error.new_chat_id)
        self._moved[target.chat_id] = new
        _log.warning(
            "a group became a supergroup: routes and allow_chats must name its new id",
            account=str(target.connection),
            chat=target.chat_id,
            new=new,
        )
        return await call(new)


def check_length(delivery: Delivery) -> None:
    """Raises SendPermanent for a text that Telegram would not take."""
    try:
        size = measure(delivery.text, "utf16")
        delivery.text.encode()
    except UnicodeEncodeError:
        raise SendPermanent("the text holds half a surrogate pair and cannot be sent") from None
    if size > TEXT_LIMIT:
        raise SendPermanent(f"the text has {size} UTF-16 units; {TEXT_LIMIT} can be sent")


async def _data(enclosure: Enclosure) -> bytes:
    """What is in a file. Raises SendPermanent."""
    try:
        data = await asyncio.to_thread(Path(enclosure.path).read_bytes)
    except OSError as error:
        raise SendPermanent(f"the file `{enclosure.name}` cannot be read ({type(error).__name__})") from None
    if len(data) > ENCLOSURE_BYTES:
        raise SendPermanent(f"the file `{enclosure.name}` has {len(data)} bytes; {ENCLOSURE_BYTES} can be sent")
    return data


async def _marked_up(text: str, chat: str, call: Callable[[str, str, str | None], Awaitable[_T]]) -> _T:
    """Calls with the text as HTML; as plain text where Telegram does not take the markup."""
    try:
        return await call(chat, render(text), ParseMode.HTML)
    except BadRequest as error:
        if not any(reason in str(error).lower() for reason in _MARKUP_REFUSED):
            raise
    return await call(chat, text, None)


def _place(target: Target) -> dict[str, Any]:
    """The topic, and the message that is answered. In direct chats nothing is quoted: it is clear what is meant."""
    place: dict[str, Any] = {}
    if target.thread_id != GENERAL and (thread := _number(target.thread_id)) is not None:
        place["message_thread_id"] = thread
    answered = _number(target.reply_to[-1]) if target.reply_to and target.chat_type != "dm" else None
    if answered is not None:
        place["reply_parameters"] = ReplyParameters(answered, allow_sending_without_reply=True)
    return place


def _number(text: str | None) -> int | None:
    """Telegram's ids are numbers; another platform's id names nothing here."""
    return int(text) if text and text.isascii() and text.removeprefix("-").isdigit() else None


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    keys = [InlineKeyboardButton(button.label, callback_data=button.value) for button in buttons]
    rows = [keys[start : start + _BUTTONS_IN_A_ROW] for start in range(0, len(keys), _BUTTONS_IN_A_ROW)]
    return InlineKeyboardMarkup(rows)
