"""Answers written token by token, whose first token says which request it answers and when it was written.

The time travels within the answer itself, so whoever reads it needs no list of what belongs to what. It is that of
the monotonic clock, which all processes of a machine share, taken just before the write.
"""

from __future__ import annotations

import time

from bench import wire

TOKENS = 40
_DIGITS = 8
_WORDS = ("Paris", " is", " the", " capital", " of", " France", ",", " on", " the", " Seine", ".", " It", " lies")
REST = tuple(_WORDS[number % len(_WORDS)] for number in range(TOKENS - 1))
_REST = "".join(REST)


def question(number: int) -> str:
    """What request `number` of a run asks: the same for all but for its mark."""
    return f"{wire.QUESTION} {mark(number)}"


def mark(number: int) -> str:
    """What tells the question and the answer of request `number` from all others."""
    return f"#{number:0{_DIGITS}}@"


def mark_in(body: bytes) -> str:
    """The mark of the last question in a request's body. Raises ValueError where there is none."""
    at = body.rindex(b"#", 0, body.rindex(b"@"))
    return body[at : at + _DIGITS + 2].decode()


def first_token(asked: str) -> str:
    """The first token of the answer to the question with the mark `asked`, if it is written now."""
    return f"{asked}{time.monotonic_ns()} "


def written_at(text: str | None, number: int) -> int | None:
    """When the first token of an answer was written, in nanoseconds; None where it is not the whole answer to
    request `number`."""
    own = mark(number)
    if text is None or not text.startswith(own):
        return None
    stamp, _, rest = text[len(own) :].partition(" ")
    return int(stamp) if stamp.isdigit() and rest == _REST else None
