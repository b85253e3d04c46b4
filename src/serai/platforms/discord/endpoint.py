"""Where Discord is. The library keeps its addresses in class attributes, so all accounts of a process share them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from serai.core.error import Startup


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The root of the REST calls and the gateway's address."""

    rest: str
    gateway: str


def _current() -> Endpoint:
    return Endpoint(Route.BASE, str(DiscordWebSocket.DEFAULT_GATEWAY))


def _set(endpoint: Endpoint) -> None:
    Route.BASE = endpoint.rest
    DiscordWebSocket.DEFAULT_GATEWAY = URL(endpoint.gateway)


OFFICIAL: Final = _current()
"""Discord itself, as the library knows it."""


@dataclass(slots=True)
class _Process:
    """How many connections use the process's endpoint now."""

    users: int = field(default=0)


_PROCESS: Final = _Process()


@contextmanager
def using(endpoint: Endpoint) -> Iterator[None]:
    """Has the library talk to `endpoint` inside the block. Raises Startup where another account uses another one."""
    if _PROCESS.users and _current() != endpoint:
        raise Startup(
            "all Discord accounts of a process talk to one endpoint; give each the same `base_url` and `gateway_url`"
        )
    _set(endpoint)
    _PROCESS.users += 1
    try:
        yield
    finally:
        _PROCESS.users -= 1
        if not _PROCESS.users:
            _set(OFFICIAL)
