"""What goes over the wire, both ways (SPEC 13.1, 16.3)."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1)]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file by address: `https:`, `http:` or `data:`. `size` in bytes."""

    url: Annotated[str, Meta(pattern=r"^(?:https?://|data:)")]
    name: str | None = None
    media_type: str | None = None
    size: Annotated[int, Meta(ge=0)] | None = None


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incoming message."""

    chat_id: Id
    text: str | None = None
    attachments: tuple[File, ...] = ()
    message_id: str | None = None
    chat_type: Literal["dm", "group", "channel", "thread"] = "dm"
    user_id: str | None = None
    user_id_alt: str | None = None
    user_name: str | None = None
    roles: tuple[str, ...] = ()
    thread_id: str | None = None
    topic_id: str | None = None
    guild_id: str | None = None
    parent_chat_id: str | None = None
    mentioned: bool = False


class Callback(msgspec.Struct, frozen=True):
    """An answer on its way to the account's `callback_url`."""

    delivery_id: str
    chat_id: str
    thread_id: str | None
    reply_to: tuple[str, ...]
    agent: str | None
    text: str
    final: bool = True


class Malformed(ValueError):
    """A body of the wrong shape; the text names the field."""


_BODY: Final = msgspec.json.Decoder(Body)


def parse(body: bytes) -> Body:
    """Decodes a body. Raises Malformed, with the field's name where it is known."""
    try:
        parsed = _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise Malformed(f"the body does not fit: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("the body is not valid JSON") from None
    if not (parsed.text or "").strip() and not parsed.attachments:
        raise Malformed("the body does not fit: `text` is required where there are no `attachments`")
    return parsed
