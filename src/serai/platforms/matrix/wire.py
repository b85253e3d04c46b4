"""Events as Matrix sends them (client-server API, "Room Events" and "Instant Messaging"), as far as they are used.

Their content is whatever a sender chose to put there: what does not fit is Malformed.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct, field


class InReplyTo(Struct, frozen=True):
    event_id: str | None = None


class Relation(Struct, frozen=True):
    """`m.relates_to`: an edit (`m.replace`), a message of a thread (`m.thread`), a reply."""

    rel_type: str | None = None
    event_id: str | None = None
    in_reply_to: InReplyTo | None = field(default=None, name="m.in_reply_to")
    is_falling_back: bool = False


class Mentions(Struct, frozen=True):
    user_ids: tuple[str, ...] = ()


class Key(Struct, frozen=True):
    k: str


class Hashes(Struct, frozen=True):
    sha256: str


class EncryptedFile(Struct, frozen=True):
    """A file of an encrypted room: where it is, and what opens it."""

    url: str
    key: Key
    iv: str
    hashes: Hashes


class Info(Struct, frozen=True):
    mimetype: str | None = None
    size: int | None = None


class Content(Struct, frozen=True):
    """The content of a message, an edit or a redaction."""

    msgtype: str | None = None
    body: str | None = None
    formatted_body: str | None = None
    filename: str | None = None
    url: str | None = None
    file: EncryptedFile | None = None
    info: Info | None = None
    geo_uri: str | None = None
    relates_to: Relation | None = field(default=None, name="m.relates_to")
    mentions: Mentions | None = field(default=None, name="m.mentions")
    new_content: "Content | None" = field(default=None, name="m.new_content")
    automated: bool = field(default=False, name="org.matrix.msc1767.automated")
    redacts: str | None = None


class Event(Struct, frozen=True):
    """`redacts` stands beside the content up to room version 10, inside of it since."""

    type: str
    event_id: str
    sender: str
    content: Content = Content()
    redacts: str | None = None


class FileRef(Struct, frozen=True, omit_defaults=True):
    """What gives a message's file: its address, and what opens it where the room is encrypted."""

    url: str
    key: str | None = None
    iv: str | None = None
    sha256: str | None = None


class Malformed(ValueError):
    """An event or a reference of the wrong shape; the text names the field, and nothing of what it holds."""


_REF: Final = msgspec.json.Decoder(FileRef)


def parse(source: dict[str, Any]) -> Event:
    """An event as the library hands it on (decrypted where it was encrypted). Raises Malformed."""
    try:
        return msgspec.convert(source, Event)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None


def parse_ref(ref: str) -> FileRef:
    """Raises Malformed for what `text_of` did not make."""
    try:
        return _REF.decode(ref)
    except (msgspec.DecodeError, UnicodeError):
        raise Malformed("not a reference to a Matrix file") from None


def text_of(ref: FileRef) -> str:
    """A reference as text, for `Attachment.ref`."""
    return msgspec.json.encode(ref).decode()
