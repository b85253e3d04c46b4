"""What an answer's error code means (the platform's documentation, generic codes and those of each call)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from serai.core.error import SendPermanent, SendTemporary, SendUnknown
from serai.platforms.feishu.http import Reply

RATE_LIMITS: Final = frozenset({99991400, 230020, 11232, 11233, 11247})
"""Too many requests: of the app, of the chat, of the tenant."""

TOKEN_INVALID: Final = range(99991663, 99991669)
NO_SCOPE: Final = frozenset({99991672, 99991679})
MARKUP_REFUSED: Final = frozenset({230001, 230025, 230099, 200220, 200860, 300305, 300313})
"""The message's content is not taken: plain text may be."""

TARGET_GONE: Final = frozenset({230011, 230019, 230050, 230054, 230111})
"""The message that would be answered was taken back, or cannot be answered."""

STREAM_CLOSED: Final = frozenset({200850, 300309})
SEQUENCE_REFUSED: Final = 300317

_BUSY: Final = frozenset({1, 2200, 200810, 230049, 300120, 1000040343})
_MEANINGS: Final[Mapping[int, str]] = {
    99991672: "the app lacks a permission; `serai doctor` says which",
    99991679: "the app lacks a permission; `serai doctor` says which",
    230002: "the bot is not in that chat",
    230006: "the app has no bot; add the feature Bot at its console",
    230011: "the message was taken back",
    230013: "this person is outside of the app's availability range",
    230017: "the bot does not own that message or file",
    230018: "the chat's settings do not let the bot speak",
    230022: "the text was held to be sensitive",
    230025: "the message is too long",
    230027: "the app lacks a permission for this chat",
    230028: "the text did not pass the tenant's audit",
    230035: "the bot may not write there",
    230038: "direct chats with other tenants are closed to bots",
    230072: "the message was edited as often as it can be",
    230075: "secret chats are closed to bots",
    232009: "the chat was dissolved",
    200740: "the card is gone",
    200750: "the card is older than 14 days",
    300311: "the card is another app's",
}


class Rejected(SendPermanent):
    """The platform refuses the call by a `code`; another try changes nothing."""

    def __init__(self, code: int) -> None:
        meaning = _MEANINGS.get(code)
        super().__init__(f"Feishu refuses it with code {code}" + (f": {meaning}" if meaning else ""))
        self.code = code


class TokenInvalid(SendTemporary):
    """The access token is not taken (any more)."""


class Outcome(msgspec.Struct, frozen=True):
    """What every answer begins with."""

    code: int = 0


_OUTCOME: Final = msgspec.json.Decoder(Outcome)


def checked(reply: Reply) -> bytes:
    """The body of an answer that reports success.

    Raises SendTemporary (rate limits with the seconds to wait, busy, 5xx, TokenInvalid), Rejected, and SendUnknown
    for what is no answer.
    """
    code = _code(reply)
    if code in RATE_LIMITS or reply.status == 429:
        raise SendTemporary(f"Feishu's rate limit (code {code})", _seconds(reply.headers))
    if code is not None and code in TOKEN_INVALID:
        raise TokenInvalid(f"Feishu does not take the access token (code {code})")
    if code in _BUSY or reply.status >= 500:
        raise SendTemporary(f"Feishu is busy (status {reply.status}, code {code})")
    if code is None:
        if reply.status >= 300:
            raise Rejected(reply.status)
        raise SendUnknown("Feishu's answer is not JSON")
    if code:
        raise Rejected(code)
    return reply.body


def _code(reply: Reply) -> int | None:
    try:
        return _OUTCOME.decode(reply.body).code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _seconds(headers: Mapping[str, str]) -> float | None:
    """The wait that a rate limit names."""
    for name in ("x-ogw-ratelimit-reset", "retry-after"):
        text = headers.get(name, "").strip()
        if text.isascii() and text.replace(".", "", 1).isdigit():
            return float(text[:9])
    return None
