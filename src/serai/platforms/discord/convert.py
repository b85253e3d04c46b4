"""From what the library received to the gateway's own words. Pure."""

import json
import re
from typing import Final

import discord

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Press, Revision
from serai.core.source import ChatType, Source

NEAR_LIMIT: Final = 1900
"""Characters from which on a message may be one piece of a longer text."""

PASTE_MOST: Final = 64 * 1024
"""Bytes of a pasted text that become part of the message."""

_SPOKEN: Final = (discord.MessageType.default, discord.MessageType.reply)
"""The types of message that people write; all others tell of joins, pins, calls, new threads and the like."""

Place = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.DMChannel
    | discord.GroupChannel
    | discord.PartialMessageable
)
"""Where a message stands. A thread and a post of a forum are channels of their own, with a parent."""


def inbound(account: Account, message: discord.Message, place: Place, me: discord.ClientUser) -> Inbound | None:
    """A message as the gateway takes it; None for what nobody said to anybody: the bot's own, and notices."""
    if message.type not in _SPOKEN or message.author.id == me.id:
        return None
    said, files = _content(message), tuple(_attachment(message, file) for file in _files(message))
    marks = _marks(message, me)
    text = spoken(said, marks)
    if not text and not files:
        if not said.strip():
            return None
        text = f"@{me.display_name}"  # a mention and nothing else
    return Inbound(
        _source(account, message, place),
        text,
        f"{message.channel.id}:{message.id}",
        files,
        mentioned=any(mark in said for mark in marks) or _mentions(message, me),
        near_limit=len(said) >= NEAR_LIMIT,
    )


def revision(account: Account, message: discord.Message, me: discord.ClientUser) -> Revision | None:
    """An edited message; None where its text was not what changed, or it is the bot's own."""
    if message.edited_at is None or message.type not in _SPOKEN or message.author.id == me.id:
        return None
    text = spoken(_content(message), _marks(message, me))
    return Revision(account, str(message.channel.id), str(message.id), text) if text else None


def press(account: Account, interaction: discord.Interaction, place: Place | None) -> Press | None:
    """A pressed button; None for every other interaction."""
    message = interaction.message
    value = dict(interaction.data or {}).get("custom_id")
    if interaction.type is not discord.InteractionType.component or message is None or not isinstance(value, str):
        return None
    where = place or message.channel
    source = _placed(account, where, interaction.guild_id, interaction.user, str(message.id))
    return Press(source, value, f"press:{interaction.id}")


def pasted(inbound_: Inbound) -> Attachment | None:
    """The file that the client of a person made of a text that was too long to be a message, if there is one."""
    for file in inbound_.attachments:
        kind = (file.media_type or "").partition(";")[0]
        if file.name == "message.txt" and kind == "text/plain" and (file.size or 0) <= PASTE_MOST:
            return file
    return None


def spoken(text: str, marks: tuple[str, ...]) -> str:
    """The text without the bot's own mentions."""
    if not any(mark in text for mark in marks):
        return text
    pattern = "|".join(re.escape(mark) for mark in marks)
    return re.sub(rf"[ \t]*(?:{pattern})[ \t]*", " ", text).strip()


def reference(ref: str) -> tuple[int, int, int]:
    """Channel, message and attachment of an `Attachment.ref`. Raises ValueError."""
    channel, message, file = json.loads(ref)
    return int(channel), int(message), int(file)


def _marks(message: discord.Message, me: discord.ClientUser) -> tuple[str, ...]:
    """How the bot is written in a text: itself, or the role that Discord made for it."""
    roles = [role.id for role in message.role_mentions if role.tags is not None and role.tags.bot_id == me.id]
    return (f"<@{me.id}>", f"<@!{me.id}>", *(f"<@&{role}>" for role in roles))


def _mentions(message: discord.Message, me: discord.ClientUser) -> bool:
    """A mention that the text does not show, or a reply to the bot, whether or not it pings."""
    answered = message.reference.resolved if message.reference is not None else None
    replied = (
        message.type is discord.MessageType.reply
        and isinstance(answered, discord.Message)
        and answered.author.id == me.id
    )
    return replied or any(user.id == me.id for user in message.mentions)


def _content(message: discord.Message) -> str:
    """What was said: the text, or that of a forwarded message, or what stands for neither."""
    if not isinstance(message.content, str):
        raise TypeError("its text is none")
    if message.content:
        return message.content
    forwarded = [snapshot.content for snapshot in message.message_snapshots if snapshot.content]
    stickers = [f"[sticker: {sticker.name}]" for sticker in message.stickers]
    polls = [f"[poll: {message.poll.question}]"] if message.poll is not None else []
    return "\n".join([*forwarded, *stickers, *polls])


def _files(message: discord.Message) -> list[discord.Attachment]:
    return [*message.attachments, *(file for snapshot in message.message_snapshots for file in snapshot.attachments)]


def _attachment(message: discord.Message, file: discord.Attachment) -> Attachment:
    """A file by where it stands: addresses of files are signed, and expire."""
    ref = json.dumps([str(message.channel.id), str(message.id), str(file.id)])
    kind = file.content_type if isinstance(file.content_type, str) else None
    return Attachment(name=clean_name(file.filename), media_type=kind, size=int(file.size), ref=ref)


def _source(account: Account, message: discord.Message, place: Place) -> Source:
    guild = message.guild.id if message.guild is not None else getattr(place, "guild_id", None)
    return _placed(account, place, guild, message.author, str(message.id), webhook=message.webhook_id is not None)


def _placed(
    account: Account,
    place: Place,
    guild: int | None,
    author: discord.User | discord.Member,
    message_id: str,
    *,
    webhook: bool = False,
) -> Source:
    thread = place if isinstance(place, discord.Thread) else None
    return Source(
        platform=account.platform,
        account=account.name,
        chat_id=str(place.id),
        chat_type=_chat_type(place, guild),
        chat_name=clean_name(getattr(place, "name", None) or "") or None,
        user_id=str(author.id),
        user_name=clean_name(author.display_name) or None,
        roles=_roles(author),
        thread_id=str(thread.id) if thread else None,
        guild_id=str(guild) if guild else None,
        parent_chat_id=str(thread.parent_id) if thread else None,
        message_id=message_id,
        is_bot=author.bot or webhook,
    )


def _chat_type(place: Place, guild: int | None) -> ChatType:
    if isinstance(place, discord.Thread):
        return "thread"
    if guild is None:
        return "dm"
    return "channel" if isinstance(place, discord.TextChannel) and place.is_news() else "group"


def _roles(author: discord.User | discord.Member) -> tuple[str, ...]:
    """The sender's roles on this server, without the one that everybody has."""
    if not isinstance(author, discord.Member):
        return ()
    return tuple(str(role.id) for role in author.roles if not role.is_default())
