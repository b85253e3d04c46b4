"""Discord: a bot reads up what was said while it was away, in direct chats where it knew the chat before."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.discord.peer import DiscordPeer
from tests.platforms.discord.world import Channel, User
from tests.together.line import Line, Now, Place

_BEAT_S = 2.0
"""Between heartbeats, in real seconds: the library's run on a thread of their own, which nothing hurries."""


class DiscordLine:
    redelivers = True

    def __init__(
        self, name: str, peer: DiscordPeer, token: str, places: Mapping[str, Channel], people: "People"
    ) -> None:
        self.account = "discord" if name == "default" else f"discord@{name}"
        self._variable = f"DISCORD_{name.upper()}"
        self._peer = peer
        self._token = token
        self._places = places
        self._people = people
        self.ids: Mapping[str, str] = {name: channel.id for name, channel in places.items()} | people.ids

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"token_env": self._variable, "base_url": self._peer.base_url, "gateway_url": self._peer.gateway_url}

    @property
    def secrets(self) -> Mapping[str, str]:
        return {self._variable: self._token}

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        bot = self._peer.bot(self._token)
        while self._peer.gateway.live(bot) is None:
            await asyncio.sleep(0.5)

    async def say(self, place: Place, text: str) -> None:
        channel, bot = self._places[place.chat], self._peer.bot(self._token)
        mentions = (bot,) if place.group else ()
        said = f"<@{bot.id}> {text}" if place.group else text
        await self._peer.says(said, channel=channel, user=self._people.named[place.user], mentions=mentions)

    def heard(self) -> Sequence[tuple[str, str]]:
        mine, names = self._peer.bot(self._token).id, {channel.id: name for name, channel in self._places.items()}
        return [(names[m["channel_id"]], m["content"]) for m in self._peer.sent if m["author"]["id"] == mine]


class People:
    """Two members of a guild: one of them is an operator."""

    def __init__(self, peer: DiscordPeer, *bots: User) -> None:
        world = peer.world
        self.guild = world.guild("Serai")
        self.other = world.guild("Other")
        role = world.role(self.guild, "operator")
        self.named = {name: world.user(name) for name in ("ann", "ben")}
        for bot in bots:
            world.join(self.guild, bot)
            world.join(self.other, bot)
        world.join(self.guild, self.named["ann"])
        world.join(self.guild, self.named["ben"], role)
        world.join(self.other, self.named["ann"])
        self.ids: Mapping[str, str] = {"guild": self.guild.id, "other": self.other.id, "operator": role}


@asynccontextmanager
async def discord(now: Now) -> AsyncIterator[list[Line]]:
    async with DiscordPeer(now, beat_s=_BEAT_S) as peer:
        tokens = {name: peer.token(name) for name in ("default", "two")}
        bots = {name: peer.bot(token) for name, token in tokens.items()}
        people, world = People(peer, *bots.values()), peer.world
        general = world.channel(people.guild, "general")
        shared = {
            "general": general,
            "lounge": world.channel(people.other, "lounge"),
            "thread": world.channel(people.guild, "thread", kind=11, parent=general.id),
        }
        yield [
            DiscordLine(
                name,
                peer,
                token,
                shared | {"direct": world.direct(world.snowflake(), people.named["ann"], bots[name])},
                people,
            )
            for name, token in tokens.items()
        ]
