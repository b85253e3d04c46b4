"""What the fake platform knows."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web


@dataclass
class Posted:
    """A message of a bot, as people have it now."""

    message_id: str
    app_id: str
    chat: str
    kind: str
    text: str = ""
    reply_to: tuple[str, ...] = ()
    thread: str | None = None
    edits: int = 0
    card_id: str | None = None
    buttons: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    enclosure: bytes | None = None


@dataclass
class CardEntity:
    """A card that was made."""

    app_id: str
    text: str
    streaming: bool
    sequence: int = 0
    message_id: str | None = None
    summaries: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)


@dataclass
class Said:
    """A message of a person: where it stands."""

    chat: str
    thread: str | None = None
    author: str = ""


@dataclass
class Line:
    """A long connection. One that is `deaf` does nothing any more."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport
    deaf: bool = False

    @property
    def is_open(self) -> bool:
        return not (self.deaf or self.socket.closed or self.transport.is_closing())


@dataclass
class AppState:
    """One app at the platform."""

    app_id: str
    secret: str
    name: str
    bot_open_id: str
    tokens: list[str] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    acks: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    pings: list[float] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    pong: dict[str, Any] | None = None
    in_use: bool = True


@dataclass
class World:
    """All of it."""

    apps: dict[str, AppState] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    cards: dict[str, CardEntity] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    reactions: dict[str, tuple[str, str]] = field(default_factory=dict)
    typings: list[tuple[str, bool]] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    chats: dict[str, str] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))

    def message(self, message_id: str) -> Posted | None:
        return next((one for one in self.posted if one.message_id == message_id), None)

    def place(self, message_id: str) -> Said | None:
        """Where a message stands, a person's or a bot's."""
        if (said := self.said.get(message_id)) is not None:
            return said
        posted = self.message(message_id)
        return Said(posted.chat, posted.thread, posted.app_id) if posted else None
