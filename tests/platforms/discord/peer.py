"""Discord on loopback: a gateway and a REST server, for any number of bots.

async with DiscordPeer() as peer:
    token = peer.token("Serai")
    chat = peer.direct("Ada", token=token)
    await peer.says("hello", channel=chat)
    assert peer.sent[-1]["content"] == "hello yourself"

It is strict: a call, a field or a frame that Discord does not have ends up in `violations`, and leaving the block
raises AssertionError then.
"""

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from aiohttp import web

from tests.platforms.discord.gateway import Gateway
from tests.platforms.discord.rest import Rest, reply
from tests.platforms.discord.world import Channel, User, World

ACK_SECONDS = 3.0


class DiscordPeer:
    """All of it. `now` gives seconds since the epoch."""

    def __init__(self, now: Callable[[], float] = time.time, *, beat_s: float = 41.25, ask_s: float = 20.0) -> None:
        self.world = World(now)
        self.gateway = Gateway(self.world, beat_s=beat_s, ask_s=ask_s)
        self.rest = Rest(self.world, self.gateway.bots)
        self.rest.told = self.tell
        self._tokens = count(1)
        self._closing = asyncio.Event()
        self._rest_runner = web.ServerRunner(web.Server(self.rest.take, access_log=None, keepalive_timeout=1e6))
        self._gateway_runner = web.ServerRunner(web.Server(self.gateway.take, access_log=None))
        self.base_url = ""
        self.gateway_url = ""

    async def __aenter__(self) -> "DiscordPeer":
        self.base_url = "http" + await _open(self._rest_runner)
        self.gateway_url = self.gateway.url = "ws" + await _open(self._gateway_runner)
        self.world.cdn = self.base_url
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._closing.set()
        await self._gateway_runner.cleanup()
        await self._rest_runner.cleanup()
        if kind is None:
            assert not self.violations, "\n".join(self.violations)

    @property
    def violations(self) -> list[str]:
        return [*self.rest.violations, *self.gateway.violations]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages that bots have sent, as they are now, in order."""
        bots = {bot.id for bot in self.gateway.bots.values()}
        found = [one for channel in self.world.channels.values() for one in channel.messages.values()]
        made = [one for one in found if one["author"]["id"] in bots and one["id"] in self.rest.edits]
        return sorted(made, key=lambda message: list(self.rest.edits).index(message["id"]))

    def token(self, name: str, *, content: bool = True) -> str:
        """Makes a bot; returns its token. `content`: its Message Content Intent is switched on."""
        bot = self.world.user(name, bot=True)
        bot.flags = 1 << 19 if content else 0
        token = f"fake-discord-token-{next(self._tokens)}"
        self.gateway.bots[token] = bot
        return token

    def bot(self, token: str) -> User:
        return self.gateway.bots[token]

    def revoke(self, token: str) -> User:
        """Takes a bot's token back; a running connection is told by `gateway.close(bot, 4004)`."""
        return self.gateway.bots.pop(token)

    def direct(self, person: str, *, token: str) -> Channel:
        """A direct chat of a person of that name with a bot."""
        return self.world.direct(self.world.snowflake(), self.world.user(person), self.bot(token))

    async def says(self, text: str, *, channel: Channel, user: User | None = None, **more: Any) -> dict[str, Any]:
        """Somebody writes; in a direct chat, the person whose chat it is unless told otherwise."""
        author = user or next(person for person in channel.people if not person.bot)
        message = self.world.message(channel, author, text, **more)
        await self.tell(channel, "MESSAGE_CREATE", message)
        return message

    async def tell(self, channel: Channel, event: str, document: dict[str, Any]) -> None:
        """Tells every bot that sees a channel of something that happened to a message there."""
        for bot in self._present(channel):
            await self.gateway.tell(bot, event, self.world.event(channel, document))

    def _present(self, channel: Channel) -> list[User]:
        inside = channel.guild.members if channel.guild else {person.id for person in channel.people}
        return [bot for bot in self.gateway.bots.values() if bot.id in inside]

    async def deletes(self, channel: Channel, message: str) -> None:
        del channel.messages[message]
        where = {"guild_id": channel.guild.id} if channel.guild else {}
        for bot in self._present(channel):
            await self.gateway.tell(bot, "MESSAGE_DELETE", {"id": message, "channel_id": channel.id, **where})

    async def edits(self, channel: Channel, message: str, text: str) -> None:
        found = channel.messages[message]
        found |= {"content": text, "edited_timestamp": found["timestamp"]}
        await self.tell(channel, "MESSAGE_UPDATE", found)

    async def presses(self, message: dict[str, Any], value: str, user: User) -> tuple[int | None, str]:
        """A person presses a button. Returns how it was acknowledged (None: not in time), and the press's token."""
        channel = self.world.channels[message["channel_id"]]
        bot = self.world.users[message["author"]["id"]]
        token = f"fake-interaction-{self.world.snowflake()}"
        who = {"user": user.document()}
        if channel.guild is not None:
            who = {"member": {**channel.guild.member(user), "permissions": "0"}, "guild_id": channel.guild.id}
        interaction = {
            "id": self.world.snowflake(),
            "application_id": bot.id,
            "type": 3,
            "version": 1,
            "token": token,
            "channel_id": channel.id,
            "channel": channel.document(),
            "message": message,
            "data": {"custom_id": value, "component_type": 2, "id": 1},
            "app_permissions": "0",
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 0 if channel.guild else 1,
            "attachment_size_limit": 10 * 1024 * 1024,
            **who,
        }
        waiting = self.rest.acks[token] = asyncio.get_running_loop().create_future()
        await self.gateway.tell(bot, "INTERACTION_CREATE", interaction)
        try:
            async with asyncio.timeout(ACK_SECONDS):
                return await asyncio.shield(waiting), token
        except TimeoutError:
            return None, token

    async def refuse_connections(self) -> None:
        """The REST server is gone."""
        await self._rest_runner.cleanup()

    async def never(self, _: web.BaseRequest) -> web.StreamResponse | None:
        """A meeting: no answer comes."""
        await self._closing.wait()
        return web.Response(status=500)

    async def vanish(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """A meeting: the connection is cut after the message was taken, before the answer."""
        assert request.transport
        request.transport.abort()
        return None


async def _open(runner: web.ServerRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"://{host}:{port}"


def limited(seconds: float, *, glob: bool = False) -> Callable[[web.BaseRequest], Any]:
    """A meeting: too many, come back after `seconds`."""

    async def meet(_: web.BaseRequest) -> web.StreamResponse:
        document = {"message": "You are being rate limited.", "retry_after": seconds, "global": glob}
        headers = {"Via": "1.1 google", "Retry-After": f"{seconds:.0f}", "X-RateLimit-Scope": "user"}
        return reply(document, 429, **headers)

    return meet


def answered(status: int, code: int = 0) -> Callable[[web.BaseRequest], Any]:
    """A meeting: an error document."""

    async def meet(_: web.BaseRequest) -> web.StreamResponse:
        return reply({"message": "fake error text", "code": code}, status)

    return meet
