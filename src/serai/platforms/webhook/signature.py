"""The Standard Webhooks scheme, with the gateway's own clock.

A signed request has three headers: `webhook-id`, `webhook-timestamp` (whole seconds since the epoch) and
`webhook-signature`, one or more of `v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`, separated by spaces.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook as Scheme

from serai.core.error import Startup

WINDOW: Final = 300.0
"""Seconds that a request's time may be off, either way (SPEC 16.3)."""

_PREFIX: Final = "whsec_"
_PLACEHOLDERS: Final = frozenset(
    {
        "changeme",
        "change-me",
        "change_me",
        "none",
        "null",
        "password",
        "placeholder",
        "secret",
        "todo",
        "your-secret",
        "xxx",
    }
)


class BadSignature(Exception):
    """The request is not signed by someone who knows the secret, or not now. The text says what is wrong."""


class Signer:
    """Signs and verifies with one secret.

    A secret is `whsec_` and the key in base64, or any other text, whose bytes are the key. A text without the prefix
    that is base64 too is read both ways, for the scheme's libraries differ there: a request signed with either key
    is good, and what is sent carries both signatures.

    Raises Startup for a blank secret, a placeholder, or `whsec_` with something that is no base64.
    """

    __slots__ = ("_schemes",)

    def __init__(self, secret: str) -> None:
        self._schemes = tuple(Scheme(key) for key in _keys(secret.strip()))

    def sign(self, message_id: str, now: float, body: str) -> dict[str, str]:
        """The three headers of a request that is sent at `now`."""
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": " ".join(self._signatures(message_id, int(now), body)),
        }

    def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str:
        """The `webhook-id` of a good request; raises BadSignature. Header names are in lower case."""
        message_id = _header(headers, "webhook-id")
        stamp = _header(headers, "webhook-timestamp")
        given = [item.encode("utf-8", "replace") for item in _header(headers, "webhook-signature").split(" ")]
        sent_at = _seconds(stamp)
        if abs(now - sent_at) > WINDOW:
            raise BadSignature("the header `webhook-timestamp` is more than 5 minutes off")
        try:
            wanted = self._signatures(message_id, sent_at, body.decode())
        except UnicodeError:
            raise BadSignature("the body or the header `webhook-id` is not UTF-8") from None
        good = [hmac.compare_digest(one.encode(), other) for one in wanted for other in given]
        if not any(good):
            raise BadSignature("no signature in the header `webhook-signature` fits")
        return message_id

    def _signatures(self, message_id: str, sent_at: int, body: str) -> list[str]:
        at = datetime.fromtimestamp(sent_at, UTC)
        return [scheme.sign(message_id, at, body) for scheme in self._schemes]


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    if not value:
        raise BadSignature(f"the header `{name}` is missing")
    return value


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise BadSignature("the header `webhook-timestamp` is not a whole number of seconds")
    return int(text)


def _keys(secret: str) -> list[bytes]:
    """All keys that the secret may stand for."""
    bare = secret.removeprefix(_PREFIX)
    if not bare or bare.casefold() in _PLACEHOLDERS or bare.startswith(("<", "$")):
        raise Startup("the webhook secret is blank or a placeholder; set the variable that `secret_env` names")
    decoded = _decoded(bare)
    if secret != bare:
        if not decoded:
            raise Startup("the webhook secret begins with `whsec_`, but what follows is not base64")
        return [decoded]
    return [secret.encode("utf-8", "surrogateescape"), *([decoded] if decoded else [])]


def _decoded(text: str) -> bytes:
    """The bytes of a base64 text, padded or not; none where it is something else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
