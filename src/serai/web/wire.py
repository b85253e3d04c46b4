"""What the page sends and gets, as JSON."""

import binascii
import re
from base64 import b64decode
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from serai.api.error import invalid
from serai.core.approval import button_command
from serai.core.display import clean_name
from serai.ports.mailbox import ChatRow, Picture, PostRow

NAME: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""Ids that the page makes."""

_DATA: Final = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})")


class PictureBody(Struct, forbid_unknown_fields=True):
    """A picture as a `data:` address."""

    data: str
    name: Annotated[str, Meta(max_length=200)] = "picture"


class MessageBody(Struct, forbid_unknown_fields=True):
    """A new message. Without `agent` the routes decide."""

    id: Annotated[str, Meta(pattern=f"^{NAME.pattern}$")]
    text: Annotated[str, Meta(max_length=200_000)] = ""
    agent: str | None = None
    images: Annotated[list[PictureBody], Meta(max_length=8)] = []


class SignInBody(Struct, forbid_unknown_fields=True):
    """The key that somebody signs in with."""

    key: str


MESSAGE: Final = msgspec.json.Decoder(MessageBody)
SIGN_IN: Final = msgspec.json.Decoder(SignInBody)


def picture(body: PictureBody, n: int) -> Picture:
    """The picture itself. Raises ApiError 400 for anything that is none."""
    found = _DATA.fullmatch(body.data)
    if found is None:
        raise invalid(f"images[{n}].data", "A picture must be a PNG, JPEG, GIF or WebP in a base64 `data:` address.")
    try:
        data = b64decode(found[2], validate=True)
    except binascii.Error:
        raise invalid(f"images[{n}].data", "The picture is not base64.") from None
    return Picture(clean_name(body.name) or "picture", found[1], data)


def chat_document(row: ChatRow) -> dict[str, Any]:
    return {"object": "web.chat", "id": row.id, "title": row.title, "updated_at": row.updated_at}


def post_document(row: PostRow) -> dict[str, Any]:
    """A message; `n` orders the chat's messages, `revision` tells a newer state of one from an older."""
    return {
        "object": "web.message",
        "id": row.id,
        "n": row.n,
        "revision": row.revision,
        "agent": row.author or None,
        "text": row.text,
        "images": [
            {"name": name, "url": f"/web/chats/{row.chat}/images/{row.id}/{n}"} for n, name in enumerate(row.pictures)
        ],
        "answers": row.answers,
        "buttons": [
            {"label": button.label, "sends": command}
            for button in row.buttons
            if (command := button_command(button.value)) is not None
        ],
        "state": row.state,
        "error": row.error,
        "created_at": row.created_at,
    }
