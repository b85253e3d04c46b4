"""Which hosts and web origins are our own, and what other pages may do (SPEC 11.1, 14, 16.6)."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs
from multidict import istr

from serai.api.error import ApiError
from serai.api.guard.peer import is_loopback, parsed
from serai.api.header import CHAT, IDEMPOTENCY, LAST_EVENT, SESSION, THREAD, USER, Headers, only
from serai.core.snapshot import ApiSettings

ORIGIN: Final = istr(hdrs.ORIGIN)
ASKED_METHOD: Final = istr(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
ASKED_HEADERS: Final = istr(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)

_IN_BRACKETS: Final = re.compile(r"\[([0-9a-f:.]+)\](?::\d*)?")
"""An IPv6 address in a Host header (RFC 3986, 3.2.2)."""

Lines = tuple[tuple[str, str], ...]

_ALLOWED_HEADERS = ("Authorization", "Content-Type", IDEMPOTENCY, LAST_EVENT, SESSION, CHAT, USER, THREAD)
_EXPOSED_HEADERS = (SESSION, "Retry-After")
_CLIENT_PREFIX = "x-stainless-"
"""Headers that the official client libraries add to every request, in browsers too."""


class Origins:
    """The names under which this server may be called, and the pages that may call it from elsewhere."""

    def __init__(self, settings: ApiSettings) -> None:
        public = urlsplit(settings.public_url or "")
        names = {"localhost", settings.host, public.hostname or "", *map(hostname, settings.allowed_hosts)}
        self._hosts = frozenset(name.lower() for name in names if name)
        self._listed = frozenset(origin.rstrip("/").lower() for origin in settings.cors_origins)
        self._public = f"{public.scheme}://{public.netloc}".lower()

    def check_host(self, host: str, arrived_at: str) -> None:
        """Raises ApiError 403 for a name that is not ours: a web page may have made its own name point here.

        `arrived_at` is the local address of the connection. Under that, or under the wildcard address that some
        clients call, nobody else's page can be.
        """
        name = hostname(host)
        if name in self._hosts or is_loopback(name):
            return
        address = parsed(name)
        if address is None or not (address.is_unspecified or address == parsed(arrived_at)):
            shown = (name or host)[:100]
            text = f"`{shown}` is no name of this gateway; add it to `api_server.allowed_hosts` if it should be."
            raise ApiError(403, "foreign_host", text, param="Host")

    def cors(self, headers: Headers, host: str) -> Lines:
        """The header lines for the page that asks; none where no other site's page does.

        Raises ApiError 403 for the page of a site that is not listed, whatever key it sends.
        """
        if ORIGIN not in headers:
            return ()
        origin = only(headers, ORIGIN) or ""
        if origin.lower() in self._listed:
            allowed = ("Access-Control-Allow-Origin", origin)
            return (allowed, ("Access-Control-Expose-Headers", ", ".join(_EXPOSED_HEADERS)), ("Vary", "Origin"))
        scheme, _, rest = origin.lower().partition("://")
        if scheme in ("http", "https") and (rest == host.lower() or origin.lower() == self._public):
            return ()
        text = "Pages of this origin may not call the gateway; `api_server.cors_origins` lists those that may."
        raise ApiError(403, "foreign_origin", text, param="Origin")


def preflight(headers: Headers, methods: str) -> Lines:
    """What a page may send, as asked before its real request."""
    asked = (name.strip() for name in headers.get(ASKED_HEADERS, "").split(","))
    client = sorted({name for name in asked if name.lower().startswith(_CLIENT_PREFIX) and name.isascii()})
    return (
        ("Access-Control-Allow-Methods", methods),
        ("Access-Control-Allow-Headers", ", ".join([*_ALLOWED_HEADERS, *client])),
        ("Access-Control-Max-Age", "600"),
    )


@lru_cache(maxsize=256)
def hostname(host: str) -> str:
    """The name of a Host header or setting, without port, brackets and final dot, in lower case. Empty for none."""
    host = host.strip().lower()
    if host.startswith("["):
        found = _IN_BRACKETS.fullmatch(host)
        return found[1] if found else ""
    name, colon, port = host.rpartition(":")
    if colon and ":" not in name and port.isdecimal():
        host = name
    return host.rstrip(".")
