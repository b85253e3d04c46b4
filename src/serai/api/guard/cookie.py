"""The cookie of a page on which somebody signed in with a key (SPEC 6.7, 11.1).

It holds the key's name, its own end, and a proof of both made with the key, never the key itself. So it outlives a
restart of the gateway, and ends with its key.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from aiohttp.web_request import BaseRequest

from serai.api.guard.keyring import KeyRing
from serai.core.principal import Principal

NAME: Final = "serai_sign_in"
LASTS_S: Final = 30 * 24 * 3600
"""Seconds for which a sign-in counts."""

_PURPOSE: Final = b"serai sign-in"


def read(request: BaseRequest) -> str:
    """The cookie that a request brings; empty where there is none."""
    return request.cookies.get(NAME, "")


def issue(principal: Principal, keys: KeyRing, now: float) -> str | None:
    """The cookie's value for the holder of a key; None for one without a key of its own."""
    known = keys.named(principal.name)
    if known is None:
        return None
    content = f"{urlsafe_b64encode(principal.name.encode()).decode()}.{int(now) + LASTS_S}"
    return f"{content}.{_proof(known[0], content)}"


def holder(value: str, keys: KeyRing, now: float) -> Principal | None:
    """Who signed in, as the key is configured now; None for a forged, altered or expired cookie."""
    content, _, proof = value.rpartition(".")
    name, _, end = content.partition(".")
    known = keys.named(_decoded(name))
    if known is None or not value.isascii() or not compare_digest(proof, _proof(known[0], content)):
        return None
    return known[1] if now < int(end) else None


def line(value: str, *, secure: bool) -> tuple[str, str]:
    """The header line that sets the cookie; an empty value takes it away."""
    age = LASTS_S if value else 0
    tail = "; Secure" if secure else ""
    return "Set-Cookie", f"{NAME}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{tail}"


def _proof(key: bytes, content: str) -> str:
    return blake2b(content.encode(), key=key, person=_PURPOSE, digest_size=32).hexdigest()


def _decoded(name: str) -> str:
    try:
        return urlsafe_b64decode(name.encode()).decode()
    except ValueError:
        return ""
