"""Frames of the long connection, both ways (the types of WeCom's own Node client, @wecom/aibot-node-sdk 1.0)."""

from typing import Any, Final, TypeVar

import msgspec


class Headers(msgspec.Struct):
    """`req_id` names a request; a reply to a message carries the message's own."""

    req_id: str = ""


class Frame(msgspec.Struct, omit_defaults=True):
    """A frame. One with `cmd` is a request or a callback; one without is the answer to a request."""

    headers: Headers
    cmd: str = ""
    body: msgspec.Raw = msgspec.Raw()
    errcode: int = 0
    errmsg: str = ""


class Text(msgspec.Struct):
    content: str = ""


class Media(msgspec.Struct):
    """A file by an address that is good for five minutes, enciphered with a key of its own."""

    url: str
    aeskey: str = ""


class Item(msgspec.Struct):
    """A part of a message of text and pictures."""

    msgtype: str
    text: Text | None = None
    image: Media | None = None


class Mixed(msgspec.Struct):
    msg_item: list[Item] = []


class Quote(msgspec.Struct):
    """What is quoted, as far as it has words."""

    msgtype: str = ""
    text: Text | None = None
    voice: Text | None = None
    mixed: Mixed | None = None


class Person(msgspec.Struct):
    userid: str


class Event(msgspec.Struct):
    """What happened: a button, a second connection, a person who opened the chat."""

    eventtype: str
    event_key: str = ""
    task_id: str = ""


class Body(msgspec.Struct, rename={"sender": "from"}):
    """A message or an event. `chatid` is there in groups only."""

    msgid: str
    msgtype: str
    sender: Person
    chattype: str = "single"
    aibotid: str = ""
    chatid: str = ""
    text: Text | None = None
    voice: Text | None = None
    image: Media | None = None
    file: Media | None = None
    video: Media | None = None
    mixed: Mixed | None = None
    quote: Quote | None = None
    event: Event | None = None


T = TypeVar("T")

_FRAME: Final = msgspec.json.Decoder(Frame)
_BODY: Final = msgspec.json.Decoder(Body)
_ANSWER: Final = msgspec.json.Decoder(dict[str, Any])


def parse_frame(text: str | bytes) -> Frame:
    """Raises msgspec.DecodeError (of which ValidationError is one)."""
    return _read(_FRAME, text)


def parse_body(raw: msgspec.Raw) -> Body:
    """Raises msgspec.DecodeError."""
    return _read(_BODY, raw)


def parse_answer(raw: msgspec.Raw) -> dict[str, Any]:
    """What a request was answered, as far as it is a JSON object."""
    try:
        return _read(_ANSWER, raw) if bytes(raw) else {}
    except msgspec.DecodeError:
        return {}


def _read(decoder: msgspec.json.Decoder[T], text: str | bytes | msgspec.Raw) -> T:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise msgspec.DecodeError("nested too deep") from None


def request(cmd: str, req_id: str, body: object | None = None) -> str:
    """A frame of ours."""
    document: dict[str, object] = {"cmd": cmd, "headers": {"req_id": req_id}}
    if body is not None:
        document["body"] = body
    return msgspec.json.encode(document).decode()
