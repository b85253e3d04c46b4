"""Reading request headers: one value each, trimmed, of bounded length (SPEC 11.2, 16.3, 16.7)."""

import re
from typing import Final

from multidict import CIMultiDictProxy, istr

from serai.api.error import invalid

CHAT: Final = istr("X-Hermes-Chat-Id")
USER: Final = istr("X-Hermes-User-Id")
THREAD: Final = istr("X-Hermes-Thread-Id")
SESSION: Final = istr("X-Hermes-Session-Id")
IDEMPOTENCY: Final = istr("Idempotency-Key")
LAST_EVENT: Final = istr("Last-Event-ID")

LONGEST: Final = 256

Headers = CIMultiDictProxy[str]

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and what the server makes of bytes that are no UTF-8."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")


def only(headers: Headers, name: istr) -> str | None:
    """The header's one value; None where it is absent. Raises ApiError 400 where it came twice."""
    if name not in headers:
        return None
    values = headers.getall(name)
    if len(values) > 1:
        raise invalid(name, f"The header {name} came {len(values)} times.", "invalid_header")
    return values[0]


def text(headers: Headers, name: istr) -> str | None:
    """A header with free text, trimmed; None where it is absent or empty.

    Raises ApiError 400 where it came twice, has over 256 characters or holds a control character.
    """
    value = only(headers, name)
    if value is None:
        return None
    value = value.strip(" \t")
    if _UNFIT.search(value):
        raise invalid(name, f"The header {name} holds a control character or is no UTF-8.", "invalid_header")
    value = value.strip()
    if len(value) > LONGEST:
        raise invalid(name, f"The header {name} has more than {LONGEST} characters.", "invalid_header")
    return value or None


def identifier(headers: Headers, name: istr, *, empty_is_absent: bool = False) -> str | None:
    """A header with an identifier that the client chose: 1 to 256 visible ASCII characters; None where it is absent.

    Raises ApiError 400 for anything else.
    """
    value = only(headers, name)
    if value is None or (empty_is_absent and not value.strip(" \t")):
        return None
    if len(value) > LONGEST or not _VISIBLE.fullmatch(value):
        wanted = f"1 to {LONGEST} visible ASCII characters without spaces"
        raise invalid(name, f"The header {name} must have {wanted}.", "invalid_header")
    return value
