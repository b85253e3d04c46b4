"""Telegram's updates as the gateway takes them. Pure."""

from collections.abc import Sequence
from typing import Final

from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.core.source import ChatType, Source
from serai.core.split import measure
from serai.platforms.telegram.content import attachments, words
from serai.platforms.telegram.entity import Me, cleaned, is_for_another, mentions
from serai.platforms.telegram.wire import Chat, Entity, Held, Message, Update, User

GENERAL: Final = "1"
"""The topic of a forum that every message belongs to which names none."""

_CUT_FROM: Final = 4000
"""UTF-16 units from which a text may be a piece: people's clients cut at 4096."""

_CHAT_TYPES: Final[dict[str, ChatType]] = {
    "private": "dm",
    "group": "group",
    "supergroup": "group",
    "channel": "channel",
}


def event(account: Account, me: Me, updates: Sequence[Update]) -> Inbound | Revision | Press | None:
    """What one update tells, or several that are the pieces of one album; None for what is nothing to the gateway.

    Chats of unknown types, the service's own messages, the bot's own messages, the copies of a channel's posts in its
    discussion group, and commands for other bots are nothing.
    """
    first = updates[0]
    if first.callback_query is not None:
        return _press(account, first)
    if first.edited is not None:
        return _revision(account, me, first.edited)
    pieces = [update.said for update in updates if update.said is not None]
    if not pieces or pieces[0].chat.type not in _CHAT_TYPES or any(_is_nothing(piece, me) for piece in pieces):
        return None
    return _inbound(account, me, pieces)


def _is_nothing(message: Message, me: Me) -> bool:
    own = message.sender is not None and message.sender.id == me.id
    return own or message.is_automatic_forward or is_for_another(*_marked(message), me)


def _inbound(account: Account, me: Me, pieces: Sequence[Message]) -> Inbound | None:
    """One message of one or more pieces, with the id of the piece that has the words, for that is the one that people
    edit."""
    spoken = next((piece for piece in pieces if _marked(piece)[0]), pieces[0])
    text = "\n".join(filter(None, (said(piece, me) for piece in pieces)))
    files = tuple(file for piece in pieces for file in attachments(piece))
    if not text and not files:
        return None
    return Inbound(
        _source(account, spoken),
        text,
        dedupe_key(pieces),
        files,
        mentioned=any(_is_addressed(piece, me) for piece in pieces),
        near_limit=measure(text, "utf16") >= _CUT_FROM,
    )


def dedupe_key(pieces: Sequence[Message]) -> str:
    """Chat and message: Telegram numbers the messages of each chat. The numbers of updates may begin anew."""
    return f"message:{pieces[0].chat.id}:{pieces[0].message_id}"


def said(message: Message, me: Me) -> str:
    """The words of a message. `/start` is what Telegram's button says when somebody meets a bot: they want to know
    what it can do."""
    text, entities = _marked(message)
    spoken = cleaned(text, entities, me) if text else words(message)
    return "/help" if spoken.split(maxsplit=1)[:1] == ["/start"] else spoken


def _marked(message: Message) -> tuple[str, tuple[Entity, ...]]:
    if message.text is not None:
        return message.text, message.entities
    return message.caption or "", message.caption_entities


def _is_addressed(message: Message, me: Me) -> bool:
    """Whether it is said to the bot. In a forum, each message replies to the beginning of its topic: that is none."""
    text, entities = _marked(message)
    replied = message.reply_to_message
    if replied is not None and replied.forum_topic_created is None and replied.sender is not None:
        return replied.sender.id == me.id or mentions(text, entities, me)
    return mentions(text, entities, me)


def _source(account: Account, message: Message) -> Source:
    """The place and the person. Anonymous administrators and channels speak as a chat (`sender_chat`); the user that
    Telegram names beside it is a placeholder."""
    voice = message.sender_chat
    topic = topic_of(message)
    return Source(
        account.platform,
        account.name,
        chat_id=str(message.chat.id),
        chat_type=_CHAT_TYPES[message.chat.type],
        chat_name=_chat_name(message.chat),
        user_id=str(voice.id) if voice else _id(message.sender),
        user_name=_voice_name(message) if voice else _user_name(message.sender),
        thread_id=topic,
        topic_id=topic,
        message_id=str(message.message_id),
        is_bot=voice is None and message.sender is not None and message.sender.is_bot,
    )


def topic_of(message: Message | Held) -> str | None:
    """The topic that a message stands in. Outside of forums a reply has a thread id, too: that is no place."""
    if message.is_topic_message and message.message_thread_id is not None:
        return str(message.message_thread_id)
    return GENERAL if message.chat.is_forum and message.chat.type != "private" else None


def _revision(account: Account, me: Me, message: Message) -> Revision | None:
    """A changed text. What else can change (a live location, a closed poll) changes no words."""
    if message.text is None and message.caption is None:
        return None
    return Revision(account, str(message.chat.id), str(message.message_id), said(message, me))


def _press(account: Account, update: Update) -> Press | None:
    callback = update.callback_query
    if callback is None or callback.message is None or callback.data is None:
        return None
    place = callback.message
    if place.chat.type not in _CHAT_TYPES:
        return None
    source = Source(
        account.platform,
        account.name,
        chat_id=str(place.chat.id),
        chat_type=_CHAT_TYPES[place.chat.type],
        chat_name=_chat_name(place.chat),
        user_id=str(callback.sender.id),
        user_name=_user_name(callback.sender),
        thread_id=topic_of(place),
        topic_id=topic_of(place),
        message_id=str(place.message_id),
    )
    return Press(source, callback.data, f"press:{callback.id}")


def _id(user: User | None) -> str | None:
    return None if user is None else str(user.id)


def _user_name(user: User | None) -> str | None:
    if user is None:
        return None
    return clean_name(f"{user.first_name} {user.last_name or ''}") or user.username


def _voice_name(message: Message) -> str | None:
    return clean_name(message.author_signature or (message.sender_chat and message.sender_chat.title) or "") or None


def _chat_name(chat: Chat) -> str | None:
    return clean_name(chat.title or f"{chat.first_name or ''} {chat.last_name or ''}") or chat.username
