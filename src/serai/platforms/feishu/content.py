"""What a message says, by its kind: text, and files. Pure.

Source: the platform's "接收消息内容结构" (content of received messages).
"""

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from serai.core.message import Attachment


class Unreadable(Exception):
    """A message whose content cannot be made a text; the kind of message is its text."""


@dataclass(frozen=True, slots=True)
class Content:
    """A text, with placeholders for who is mentioned, and files."""

    text: str
    files: tuple[Attachment, ...] = ()


class Ref(msgspec.Struct, frozen=True, array_like=True):
    """The handle of a file: the message that brought it, its key there, and `image` or `file`."""

    message_id: str
    key: str
    kind: str


class _Node(msgspec.Struct, frozen=True):
    """A piece of a post's or card's line, by its tag."""

    tag: str = ""
    text: str = ""
    href: str = ""
    user_id: str = ""
    user_name: str = ""
    image_key: str = ""
    file_key: str = ""
    emoji_type: str = ""
    language: str = ""


class _Post(msgspec.Struct, frozen=True):
    title: str | None = None
    content: tuple[tuple[_Node, ...], ...] = ()


class _Body(msgspec.Struct, frozen=True):
    """The contents of all other kinds that we read."""

    text: str = ""
    image_key: str = ""
    file_key: str = ""
    file_name: str | None = None
    name: str = ""
    longitude: str = ""
    latitude: str = ""
    topic: str = ""
    options: tuple[str, ...] = ()


_SILENT: Final = frozenset({"system"})
"""Kinds that nobody said."""


def is_silent(kind: str) -> bool:
    """Whether messages of a kind are told by the platform itself."""
    return kind in _SILENT


def read(kind: str, content: str, message_id: str) -> Content:
    """The content of a message. Raises Unreadable for a kind without text, and for what is not as documented."""
    try:
        if kind == "post":
            return _post(content, message_id)
        body = msgspec.json.decode(content, type=_Body)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise Unreadable(kind) from None
    if kind == "text":
        return Content(body.text)
    if kind == "location":
        return Content(f"[location: {body.name} ({body.latitude}, {body.longitude})]")
    if kind == "vote":
        return Content("\n".join((f"[vote: {body.topic}]", *(f"- {option}" for option in body.options))))
    if (file := _file(kind, body, message_id)) is not None:
        return Content("", (file,))
    raise Unreadable(kind)


def _file(kind: str, body: _Body, message_id: str) -> Attachment | None:
    if kind == "image" and body.image_key:
        return _image(body.image_key, message_id)
    if not body.file_key:
        return None
    if kind == "file":
        media_type = mimetypes.guess_type(body.file_name or "")[0]
        return Attachment(name=body.file_name, media_type=media_type, ref=_ref(message_id, body.file_key))
    if kind == "audio":
        return Attachment(name=body.file_name, media_type="audio/ogg", ref=_ref(message_id, body.file_key))
    if kind == "media":
        return Attachment(name=body.file_name, media_type="video/mp4", ref=_ref(message_id, body.file_key))
    return None


def _image(key: str, message_id: str) -> Attachment:
    """A picture; the event does not say of which type, and clients send mostly JPEG."""
    return Attachment(media_type="image/jpeg", ref=_ref(message_id, key, "image"))


def _ref(message_id: str, key: str, kind: str = "file") -> str:
    return msgspec.json.encode(Ref(message_id, key, kind)).decode()


def _post(content: str, message_id: str) -> Content:
    """A post as plain text with Markdown's links and code; pictures and films in it are files."""
    post = msgspec.json.decode(content, type=_Post)
    if not post.content and post.title is None:
        languages = msgspec.json.decode(content, type=dict[str, _Post])
        post = next(iter(languages.values()), post)
    nodes = [node for line in post.content for node in line]
    lines = ["".join(map(_said, line)) for line in post.content]
    text = "\n".join([post.title, *lines] if post.title else lines).strip()
    return Content(text, tuple(_post_files(nodes, message_id)))


def _said(node: _Node) -> str:
    if node.tag == "a":
        return node.href if node.text in ("", node.href) else f"[{node.text}]({node.href})"
    if node.tag == "at":
        return _addressed(node)
    if node.tag == "code_block":
        return f"```{node.language.lower()}\n{node.text.rstrip()}\n```"
    if node.tag == "emotion":
        return f":{node.emoji_type}:"
    if node.tag == "hr":
        return "---"
    return node.text


def _addressed(node: _Node) -> str:
    """A mention as a placeholder, as texts have it."""
    if node.user_id == "all":
        return "@_all"
    return node.user_id if node.user_id.startswith("@_") else f"@{node.user_name}"


def _post_files(nodes: Iterable[_Node], message_id: str) -> Iterable[Attachment]:
    for node in nodes:
        if node.tag == "img" and node.image_key:
            yield _image(node.image_key, message_id)
        elif node.tag == "media" and node.file_key:
            yield Attachment(media_type="video/mp4", ref=_ref(message_id, node.file_key))
