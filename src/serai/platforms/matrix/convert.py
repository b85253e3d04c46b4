"""From Matrix's events to the gateway's own words. Pure."""

import json
from dataclasses import dataclass
from typing import Final

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Revision
from serai.core.source import Source
from serai.platforms.matrix.mention import Me, is_mentioned, without_mention, without_quote
from serai.platforms.matrix.wire import Content, Event, FileRef, text_of

_FILES: Final = frozenset({"m.image", "m.file", "m.audio", "m.video", "m.sticker"})
MESSAGES: Final = frozenset({"m.room.message", "m.sticker"})


@dataclass(frozen=True, slots=True)
class Place:
    """A room as one message needs it. `space` is the room's parent where it has one only; `speaker` is the sender's
    display name."""

    room_id: str
    me: Me
    direct: bool = False
    name: str | None = None
    space: str | None = None
    speaker: str | None = None


def is_ignored(event: Event, me: Me) -> bool:
    """Whether an event is no message of a person: another kind, the bot's own, or a bot's, which is told by the
    type `m.notice` (that is how bots avoid loops) or by the mark that Serai sets on what it sends."""
    content = event.content
    edited = content.new_content or content
    if event.type not in MESSAGES or event.sender == me.user_id:
        return True
    return "m.notice" in (content.msgtype, edited.msgtype) or content.automated or edited.automated


def edited(event: Event) -> str | None:
    """The id of the message that an event changes, None where it is a new one."""
    relation = event.content.relates_to
    return relation.event_id if relation and relation.rel_type == "m.replace" else None


def replied(event: Event) -> str | None:
    """The id of the message that an event answers. What a thread's messages name for clients without threads is
    no answer."""
    relation = event.content.relates_to
    if (
        relation is None
        or relation.in_reply_to is None
        or (relation.rel_type == "m.thread" and relation.is_falling_back)
    ):
        return None
    return relation.in_reply_to.event_id


def thread_of(event: Event) -> str | None:
    """The id of the thread's first message."""
    relation = event.content.relates_to
    return relation.event_id if relation and relation.rel_type == "m.thread" else None


def inbound(account: Account, place: Place, event: Event, *, answers_me: bool = False) -> Inbound | None:
    """A message as the gateway takes it, None where it says nothing. `answers_me`: it is a reply to the bot."""
    text, files = text_in(event.content, place.me), _files(event)
    if not text.strip() and not files:
        return None
    source = Source(
        platform=account.platform,
        account=account.name,
        chat_id=place.room_id,
        chat_type="dm" if place.direct else "group",
        chat_name=_clean(place.name),
        user_id=event.sender,
        user_name=_clean(place.speaker),
        guild_id=place.space,
        thread_id=thread_of(event),
        message_id=event.event_id,
    )
    mentioned = answers_me or is_mentioned(event.content, place.me)
    return Inbound(source, text, json.dumps([place.room_id, event.event_id]), files, mentioned)


def revision(account: Account, place: Place, event: Event) -> Revision | None:
    """An edit as the gateway takes it, None where it names no message or brings no text."""
    message, content = edited(event), event.content.new_content
    if not message or content is None:
        return None
    return Revision(account, place.room_id, message, text_in(content, place.me))


def deletion(account: Account, room_id: str, event: Event) -> Revision | None:
    """A redaction as the gateway takes it."""
    message = event.redacts or event.content.redacts
    return Revision(account, room_id, message, None) if message else None


def text_in(content: Content, me: Me) -> str:
    """What the message says, without the bot's name and the quote of a reply; of a file its caption."""
    text = content.body or ""
    if content.msgtype in _FILES:
        text = text if content.filename and content.filename != text else ""
    if content.relates_to is not None and content.relates_to.in_reply_to is not None:
        text = without_quote(text)
    text = without_mention(text, content, me)
    if content.msgtype == "m.emote" and text:
        return f"*{text}*"
    if content.msgtype == "m.location" and content.geo_uri:
        return f"{text}\n{content.geo_uri}"
    return text


def _files(event: Event) -> tuple[Attachment, ...]:
    content = event.content
    if content.msgtype not in _FILES and event.type != "m.sticker":
        return ()
    if content.file is not None:
        file = content.file
        ref = FileRef(file.url, file.key.k, file.iv, file.hashes.sha256)
    elif content.url:
        ref = FileRef(content.url)
    else:
        return ()
    info = content.info
    name = content.filename or content.body or None
    return (
        Attachment(
            name=_clean(name),
            media_type=info.mimetype if info else None,
            size=info.size if info else None,
            ref=text_of(ref),
        ),
    )


def _clean(name: str | None) -> str | None:
    return (clean_name(name) if name else "") or None
