"""Signing in with a key, and out again (SPEC 6.7, 11.1)."""

from serai.api.body import decode, read
from serai.api.error import ApiError
from serai.api.guard import cookie
from serai.api.path import Call
from serai.api.reply import Reply, document
from serai.ports.clock import Clock
from serai.web.wire import SIGN_IN


class SignIn:
    """The page's own door. The key comes in a body, never in an address, and is not kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def enter(self, call: Call) -> Reply:
        """POST /web/sign-in. Raises ApiError 401 for an unknown key."""
        key = decode(SIGN_IN, await read(call.request)).key.strip()
        keys = call.gate.keys if call.gate is not None else None
        principal = keys.find(key) if keys is not None and key.isascii() and key else None
        value = cookie.issue(principal, keys, self._clock.now()) if principal and keys else None
        if principal is None or value is None:
            raise ApiError(401, "invalid_api_key", "This key is not known.", param="key")
        return document(
            200, {"object": "sign_in", "name": principal.name}, (cookie.line(value, secure=_secure(call)),)
        )

    async def leave(self, call: Call) -> Reply:
        """DELETE /web/sign-in."""
        return document(200, {"object": "sign_in", "name": None}, (cookie.line("", secure=_secure(call)),))


def _secure(call: Call) -> bool:
    """Whether people reach the gateway by https alone."""
    return (call.snapshot.api.public_url or "").startswith("https:")
