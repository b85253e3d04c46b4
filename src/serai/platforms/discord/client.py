"""The library's client: what happens becomes events in a queue, in order, for `Reader`."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import discord
import structlog

from serai.platforms.discord.failure import impatience

_log = structlog.get_logger("discord")

_STORM: Final = 5
_STORM_SECONDS: Final = 30.0
"""The library makes a lost connection anew at once. So many of them in so short a time are left to the supervisor."""

_CANCEL_SECONDS: Final = 0.1
_CLOSE_SECONDS: Final = 2.0
"""For which the other side may take part in closing; a dead one never does."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session began: what was before is not replayed. `ready` once the servers are known."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was deleted."""

    channel: int
    message: int


@dataclass(frozen=True, slots=True)
class Behind:
    """It is time to read a channel's history again."""

    channel: int


Event = Begun | Deleted | Behind | discord.Message | discord.RawMessageUpdateEvent


async def _nothing(_: discord.Interaction) -> None: ...


_ODD: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the library raises over an event of a shape that it did not expect."""

Parse = Callable[[Any], None]


class Client(discord.Client):
    """One connection, with one reader of `events`. `pressed` is called for each interaction; `storm` is
    set once the connection is lost again and again."""

    def __init__(self, *, message_content: bool) -> None:
        logging.getLogger("discord").setLevel(logging.WARNING)  # below that it prints texts, and tokens in addresses
        logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns that voice needs more packages
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        intents.message_content = message_content
        super().__init__(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            enable_debug_events=True,
            http_trace=impatience(),
        )
        # An event that the library cannot read would end the connection; it is passed over.
        self._connection.parsers = {
            kind: _passing_over(kind, parse) for kind, parse in self._connection.parsers.items()
        }
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.up: Callable[[str], None] = lambda _: None
        self.alive: Callable[[], None] = lambda: None
        self.pressed: Callable[[discord.Interaction], Awaitable[None]] = _nothing
        self.storm = asyncio.Event()
        self._begun = Begun()
        self._drops: deque[float] = deque(maxlen=_STORM)

    @property
    def me(self) -> discord.ClientUser:
        """Who is logged in. Raises ConnectionError before that."""
        if self.user is None:
            raise ConnectionError("not logged in to Discord")
        return self.user

    async def on_connect(self) -> None:
        self._begun = Begun()
        self.events.put_nowait(self._begun)
        self.up(str(self.me))

    async def on_ready(self) -> None:
        self._begun.ready.set()

    async def on_resumed(self) -> None:
        self.up(str(self.me))

    async def on_disconnect(self) -> None:
        now = asyncio.get_running_loop().time()
        self._drops.append(now)
        if len(self._drops) == _STORM and now - self._drops[0] < _STORM_SECONDS:
            self.storm.set()

    async def on_socket_raw_receive(self, _: str) -> None:
        self.alive()

    async def on_message(self, message: discord.Message) -> None:
        self.events.put_nowait(message)

    async def on_raw_message_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        self.events.put_nowait(edit)

    async def on_raw_message_delete(self, deletion: discord.RawMessageDeleteEvent) -> None:
        self.events.put_nowait(Deleted(deletion.channel_id, deletion.message_id))

    async def on_raw_bulk_message_delete(self, deletion: discord.RawBulkMessageDeleteEvent) -> None:
        for message in sorted(deletion.message_ids):
            self.events.put_nowait(Deleted(deletion.channel_id, message))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self.pressed(interaction)


def _passing_over(kind: str, parse: Parse) -> Parse:
    def read(data: Any) -> None:
        try:
            parse(data)
        except _ODD as error:
            _log.warning("an event could not be read", kind=kind, reason=type(error).__name__)

    return read


async def first_of(*running: Coroutine[Any, Any, object], tasks: Sequence[asyncio.Task[None]]) -> None:
    """Runs these beside `tasks` until the first of all ends; raises its error, or ConnectionError."""
    own = [asyncio.ensure_future(one) for one in running]
    try:
        done, _ = await asyncio.wait([*own, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
        raise ConnectionError("Discord ended the connection")
    finally:
        await stop(own)


async def stop(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancels tasks until they have ended; what they raise was seen before.

    Once is not always enough: `asyncio.wait_for`, which the library uses while it connects, may swallow a cancelling
    that comes just as it is done (Python 3.11).
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_CANCEL_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def close(client: discord.Client) -> None:
    """Disconnects, soon even from one who does not answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.close()
    await client.http.close()
