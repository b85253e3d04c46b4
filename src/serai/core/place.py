"""A chat, and maybe a thread in it, written as `<chat>[:<thread>]` (SPEC 9.5, 10.2, 16.7).

A colon inside an id is written `%3A` and a `%` is written `%25`. A platform whose chat ids hold colons may declare
their form, a regular expression; then they can also be written as they are. Ids are opaque otherwise.
"""

import re
from typing import Final

from serai.core.error import SeraiError

_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_SPECIAL: Final = re.compile(r"[\x00-\x20%:\x7f]")


class MalformedPlace(SeraiError):
    """The text is no chat; it says why."""


def read_place(text: str, chat_form: str | None = None) -> tuple[str, str | None]:
    """The ids of the chat and of the thread, None where there is none. Raises MalformedPlace.

    What `chat_form` matches from the beginning to a colon or the end is the chat's id, all behind it the thread's.

    >>> read_place("-100:7")
    ('-100', '7')
    >>> read_place("!room:server.org:$event", "![^:%]+:[a-z.]+")
    ('!room:server.org', '$event')
    """
    formed = re.match(rf"(?:{chat_form})(?=:|\Z)", text) if chat_form else None
    if formed is not None:
        chat, colon, thread = formed[0], text[formed.end() :][:1], text[formed.end() + 1 :]
    else:
        chat, colon, thread = text.partition(":")
        if ":" in thread:
            raise MalformedPlace("there are too many colons; one inside an id is written `%3A`")
    if not chat:
        raise MalformedPlace("the chat is missing")
    if colon and not thread:
        raise MalformedPlace("the thread is missing behind the colon")
    return _read(chat), _read(thread) if colon else None


def written_place(chat: str, thread: str | None, chat_form: str | None = None) -> str:
    """The text that `read_place` reads as these ids. An empty thread is none."""
    text = _written(chat) if not thread else f"{_written(chat)}:{_written(thread)}"
    if chat_form is not None and read_place(text, chat_form) != (chat, thread or None):
        return f"%{ord(text[0]):02X}{text[1:]}"
    return text


def _written(name: str) -> str:
    return _SPECIAL.sub(lambda found: f"%{ord(found[0]):02X}", name)


def _read(text: str) -> str:
    return _ESCAPE.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    if found[1] is None or int(found[1], 16) > 0x7F:
        raise MalformedPlace(
            "a `%` inside an id is written `%25`, a colon `%3A`; other letters are written as they are"
        )
    return chr(int(found[1], 16))
