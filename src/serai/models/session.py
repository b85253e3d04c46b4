"""The one HTTP client of the process, and how a call learns that its connection is an old one (DESIGN 4)."""

import socket
from contextvars import ContextVar
from typing import Final

import aiohttp

from serai import __version__

_KEEP_ALIVE_S: Final = 75.0

_opened: ContextVar[list[None] | None] = ContextVar("serai_opened_connections", default=None)


def make_session() -> aiohttp.ClientSession:
    """The client that all models share: any number of connections, kept for 75 s, no cookies, no proxy variables.

    Must be called inside the running event loop; the caller closes it.
    """
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S, socket_factory=_open)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"serai/{__version__}"},
        trust_env=False,
        raise_for_status=False,
    )


def watch_opening() -> list[None]:
    """A list that stays empty as long as this task's requests use kept connections only, until the next watch.

    Works for sessions of `make_session`; with any other session the list always stays empty.
    """
    opened: list[None] = []
    _opened.set(opened)
    return opened


def _open(address: aiohttp.AddrInfoType) -> socket.socket:
    """The connector's socket factory. It may run in a child task: that has a copy of the context, not of the list."""
    opened = _opened.get()
    if opened is not None:
        opened.append(None)
    family, kind, protocol, _, _ = address
    return socket.socket(family=family, type=kind, proto=protocol)
