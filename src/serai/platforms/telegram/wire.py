"""What Telegram tells, as far as it is read here (Bot API, section "Available types"). Unknown fields are let by."""

from typing import Final

import msgspec
from msgspec import Struct, field

Opaque = dict[str, object]
"""A part that counts only for being there."""


class User(Struct, frozen=True):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str | None = None
    username: str | None = None


class Chat(Struct, frozen=True):
    id: int
    type: str
    title: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    is_forum: bool = False


class Entity(Struct, frozen=True):
    """A marked part of a text. Offset and length count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    user: User | None = None


class File(Struct, frozen=True):
    """Any of the kinds of files: document, photo size, voice note, audio, video, animation, video note."""

    file_id: str
    file_size: int | None = None
    file_name: str | None = None
    mime_type: str | None = None


class Sticker(Struct, frozen=True):
    emoji: str | None = None


class Location(Struct, frozen=True):
    latitude: float
    longitude: float


class Venue(Struct, frozen=True):
    location: Location
    title: str
    address: str


class Contact(Struct, frozen=True):
    phone_number: str
    first_name: str
    last_name: str | None = None


class PollOption(Struct, frozen=True):
    text: str


class Poll(Struct, frozen=True):
    question: str
    options: tuple[PollOption, ...] = ()


class Dice(Struct, frozen=True):
    emoji: str
    value: int


class Replied(Struct, frozen=True):
    """The message that another one replies to. In a forum each message replies at least to the topic's beginning."""

    message_id: int
    sender: User | None = field(name="from", default=None)
    forum_topic_created: Opaque | None = None


class Message(Struct, frozen=True):
    message_id: int
    chat: Chat
    sender: User | None = field(name="from", default=None)
    sender_chat: Chat | None = None
    author_signature: str | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    reply_to_message: Replied | None = None
    media_group_id: str | None = None
    text: str | None = None
    entities: tuple[Entity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[Entity, ...] = ()
    photo: tuple[File, ...] = ()
    document: File | None = None
    animation: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    voice: File | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    poll: Poll | None = None
    dice: Dice | None = None
    game: Opaque | None = None
    story: Opaque | None = None
    invoice: Opaque | None = None
    checklist: Opaque | None = None
    giveaway: Opaque | None = None
    paid_media: Opaque | None = None
    migrate_to_chat_id: int | None = None


class Held(Struct, frozen=True):
    """The message under which a button was pressed; an old one comes without its content."""

    message_id: int
    chat: Chat
    message_thread_id: int | None = None
    is_topic_message: bool = False


class Callback(Struct, frozen=True):
    """A pressed button."""

    id: str
    sender: User = field(name="from")
    message: Held | None = None
    data: str | None = None


class Update(Struct, frozen=True):
    update_id: int
    message: Message | None = None
    channel_post: Message | None = None
    edited_message: Message | None = None
    edited_channel_post: Message | None = None
    callback_query: Callback | None = None

    @property
    def said(self) -> Message | None:
        """What was newly said."""
        return self.message or self.channel_post

    @property
    def edited(self) -> Message | None:
        """What was said before and is now different."""
        return self.edited_message or self.edited_channel_post

    @property
    def chat(self) -> Chat | None:
        """Where it happened."""
        if (message := self.said or self.edited) is not None:
            return message.chat
        return self.callback_query.message.chat if self.callback_query and self.callback_query.message else None


KINDS: Final = ("message", "edited_message", "channel_post", "edited_channel_post", "callback_query")
"""The kinds of updates that are asked for."""


class _Numbered(Struct, frozen=True):
    update_id: int


class Malformed(ValueError):
    """An update of the wrong shape; the text names the field, and nothing of its content. `update_id` is None where
    even that could not be read."""

    def __init__(self, text: str, update_id: int | None) -> None:
        super().__init__(text)
        self.update_id = update_id


def parse(raw: object) -> Update:
    """An update as decoded from JSON. Raises Malformed."""
    try:
        return msgspec.convert(raw, Update)
    except msgspec.ValidationError as error:
        raise Malformed(str(error), _number(raw)) from None


def _number(raw: object) -> int | None:
    try:
        return msgspec.convert(raw, _Numbered).update_id
    except msgspec.ValidationError:
        return None
