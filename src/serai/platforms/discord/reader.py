"""From the client's events to the gateway, one after another; what could not be stored is read again from history."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import discord
import structlog

from serai.core.error import Busy, Refused, SendFailed, SendPermanent, StorageFailed
from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.platforms.discord.bookmark import Bookmark, Gap, snowflake
from serai.platforms.discord.client import Begun, Behind, Client, Deleted, Event
from serai.platforms.discord.convert import Place, inbound, revision
from serai.platforms.discord.failure import told
from serai.ports.clock import Clock
from serai.ports.platform import Link

_log = structlog.get_logger("discord")

_READY_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 5.0
_MOST: Final = 500
"""Messages of one channel that are read after a gap."""

_REACH_SECONDS: Final = 24 * 3600
"""How far back a gap is read. What was asked longer ago nobody waits for."""

_ASKED_MOST: Final = 1000
_PLACES: Final = (
    discord.TextChannel,
    discord.VoiceChannel,
    discord.StageChannel,
    discord.Thread,
    discord.DMChannel,
    discord.GroupChannel,
)

_Guild = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
Complete = Callable[[Inbound], Awaitable[Inbound]]


class Reader:
    """One run's. `complete` puts pasted text into a message."""

    def __init__(
        self,
        account: Account,
        client: Client,
        link: Link,
        bookmark: Bookmark,
        clock: Clock,
        complete: Complete,
    ) -> None:
        self._account = account
        self._client = client
        self._link = link
        self._bookmark = bookmark
        self._clock = clock
        self._complete = complete
        self._asked: dict[int, object] = {}

    async def run(self) -> None:
        """Takes events until cancelled. Raises ConnectionError where the servers of a session do not come."""
        while True:
            await self._take(await self._client.events.get())

    async def _take(self, event: Event) -> None:
        if isinstance(event, discord.Message):
            await self._live(event)
        elif isinstance(event, Begun):
            await self._begin(event)
        elif isinstance(event, Behind):
            await self._catch_up(event.channel)
        elif isinstance(event, Deleted):
            await self._revise(Revision(self._account, str(event.channel), str(event.message), None))
        elif (edited := revision(self._account, event.message, self._client.me)) is not None:
            await self._revise(edited)

    async def _live(self, message: discord.Message) -> None:
        """A message that has just come. Where its channel is behind, that one's history has it, in order."""
        if self._bookmark.behind(message.channel.id) is not None:
            await self._catch_up(message.channel.id)
        else:
            await self._hand_over(message)

    async def _begin(self, begun: Begun) -> None:
        """Reads up what came before this session, ahead of what has come in it."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await begun.ready.wait()
        except TimeoutError:
            raise ConnectionError("Discord does not tell the bot's servers") from None
        gap = self._bookmark.gap
        after = max(gap.after, snowflake(self._clock.now() - _REACH_SECONDS))
        channels = self._changed(gap)
        for channel in channels:
            self._bookmark.fall_behind(channel, after + 1)
        for channel in channels:
            await self._catch_up(channel)

    def _changed(self, gap: Gap) -> list[int]:
        """Where something may have been said since: channels of servers that say so, and all direct ones."""
        places: list[_Guild] = []
        for guild in self._client.guilds:
            places += [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]
        return [*(place.id for place in places if (place.last_message_id or 0) > gap.after), *gap.direct]

    async def _catch_up(self, channel: int) -> None:
        """Hands over what is missing of a channel; what cannot be had now is tried again after a while."""
        after = self._bookmark.behind(channel)
        if after is None:
            return
        try:
            messages = await self._history(channel, after)
        except SendPermanent as error:
            _log.warning("a channel's history cannot be read", channel=str(channel), reason=str(error))
            messages = []
        except SendFailed:
            self._come_back(channel, _AGAIN_SECONDS)
            return
        for message in messages:
            if not await self._hand_over(message, past=True):
                return
        self._bookmark.catch_up(channel)

    async def _history(self, channel: int, after: int) -> list[discord.Message]:
        """What was said in a channel after a message, the oldest first. Raises SendFailed."""
        place = await self._place(channel)
        if place is None:
            return []
        with told():
            history = place.history(limit=_MOST, after=discord.Object(after), oldest_first=True)
            messages = [message async for message in history]
        if len(messages) == _MOST:
            _log.error("more was missed in a channel than is read up", channel=str(channel), read=_MOST)
        return messages

    async def _hand_over(self, message: discord.Message, *, past: bool = False) -> bool:
        """Has the gateway store a message. Returns whether it did, or will never."""
        said = await self._converted(message, past=past)
        try:
            if said is not None:
                await self._link.receive(await self._complete(said))
        except Refused:
            pass  # the gateway tells the chat why
        except (Busy, StorageFailed) as error:
            wait = error.retry_after if isinstance(error, Busy) else 0.0
            self._bookmark.fall_behind(message.channel.id, message.id)
            self._come_back(message.channel.id, max(wait, _AGAIN_SECONDS))
            return False
        self._bookmark.stored(message.channel.id, message.id, direct=message.guild is None)
        return True

    def _come_back(self, channel: int, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._client.events.put_nowait, Behind(channel))

    async def _converted(self, message: discord.Message, *, past: bool) -> Inbound | None:
        """A message in the gateway's words; None for one that is none, or that cannot be understood."""
        with suppress(SendFailed):
            if past and isinstance(message.author, discord.User) and message.guild is not None:
                await self._know_author(message, message.guild)
        try:
            place = await self._resolved(message)
            return inbound(self._account, message, place, self._client.me)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            _log.error("a message cannot be understood", message=str(message.id), reason=type(error).__name__)
            return None

    async def _know_author(self, message: discord.Message, guild: discord.Guild) -> None:
        """History does not tell a sender's roles. Raises SendFailed."""
        if message.webhook_id is None and message.author.id != self._client.me.id:
            with told():
                message.author = await guild.fetch_member(message.author.id)

    async def _resolved(self, message: discord.Message) -> Place:
        """A message's channel; one that the library does not know (a thread that was asleep) is asked for."""
        if not isinstance(message.channel, discord.PartialMessageable):
            return message.channel
        try:
            return await self._place(message.channel.id) or message.channel
        except SendFailed:
            return message.channel

    async def _place(self, channel: int) -> Place | None:
        """A channel in which messages can be; None for another kind. Raises SendFailed."""
        place = self._client.get_channel(channel) or self._asked.get(channel)
        if place is None:
            with told():
                place = await self._client.fetch_channel(channel)
            if len(self._asked) >= _ASKED_MOST:
                self._asked.clear()
            self._asked[channel] = place
        return place if isinstance(place, _PLACES) else None

    async def _revise(self, change: Revision) -> None:
        """Tells of an edit or a deletion, until it is noted: it is told once only."""
        while True:
            try:
                await self._link.receive(change)
            except Refused:
                return
            except (Busy, StorageFailed):
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return


async def pressed(link: Link, press: Press) -> str:
    """Hands over a press; returns what whoever pressed should be shown, "" for nothing."""
    try:
        receipt = await link.receive(press)
    except (Refused, Busy, StorageFailed) as error:
        return str(error)
    return receipt.note or ""
