"""From a delivery to what the library sends."""

import asyncio
import base64
import hashlib
import io
from pathlib import Path
from typing import Final, TypedDict

import discord

from serai.core.delivery import Delivery, Target
from serai.core.error import SendPermanent
from serai.platforms.discord.render import render

LIMIT: Final = 2000
FILE_MOST: Final = 10 * 1024 * 1024
_LABEL_MOST: Final = 80


class Extras(TypedDict, total=False):
    """What only some messages have."""

    reference: discord.MessageReference
    view: discord.ui.View
    file: discord.File


def text_of(delivery: Delivery) -> str:
    """The text in Discord's dialect. Raises SendPermanent for one that is too long."""
    if len(delivery.text) > LIMIT:
        raise SendPermanent(f"the text has {len(delivery.text)} characters; {LIMIT} can be sent")
    return render(delivery.text, LIMIT)


async def extras_of(delivery: Delivery) -> Extras:
    """The message that is answered (where there is more than one person), buttons, the file. Raises SendPermanent."""
    extras: Extras = {}
    answered = delivery.target.reply_to[-1:]
    if answered and delivery.target.chat_type != "dm":
        extras["reference"] = discord.MessageReference(
            message_id=number(answered[0], "message"),
            channel_id=channel_of(delivery.target),
            fail_if_not_exists=False,
        )
    view = view_of(delivery)
    if view is not None:
        extras["view"] = view
    if delivery.enclosure is not None:
        extras["file"] = discord.File(io.BytesIO(await _bytes(delivery)), filename=delivery.enclosure.name)
    return extras


def view_of(delivery: Delivery) -> discord.ui.View | None:
    """The buttons. The view is stopped, so that the library keeps nothing of it: presses come as interactions."""
    if not delivery.buttons:
        return None
    view = discord.ui.View(timeout=None)
    for button in delivery.buttons:
        view.add_item(discord.ui.Button(label=button.label[:_LABEL_MOST], custom_id=button.value))
    view.stop()
    return view


def channel_of(target: Target) -> int:
    """The channel; a thread is one of its own. Raises SendPermanent."""
    return number(target.thread_id or target.chat_id, "channel")


def number(text: str | None, kind: str) -> int:
    """An id as the library takes it. Raises SendPermanent for what cannot be one."""
    if text and text.isascii() and text.isdigit() and len(text) <= 20:
        return int(text)
    raise SendPermanent(f"{text!r} is no id of a {kind} of Discord")


def nonce(delivery: Delivery) -> str:
    """The key under which Discord knows a repeated send: it takes 25 characters."""
    return base64.b32encode(hashlib.sha256(delivery.id.encode()).digest()).decode()[:24]


async def _bytes(delivery: Delivery) -> bytes:
    path = Path(delivery.enclosure.path) if delivery.enclosure is not None else Path()
    try:
        if path.stat().st_size > FILE_MOST:
            raise SendPermanent(f"the file is larger than the {FILE_MOST} bytes that Discord takes")
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise SendPermanent(f"the file cannot be read ({type(error).__name__})") from None
