"""A Discord bot with its peer on loopback, for the contract and for the driver's own tests."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

from serai.core.ids import Account
from serai.platforms.discord.driver import Discord
from serai.platforms.discord.endpoint import Endpoint
from serai.ports.clock import Clock
from serai.ports.platform import Receipt
from serai.testing.clock import VirtualClock
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import RETRY_AFTER, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.discord.captured import captured
from tests.platforms.discord.peer import DiscordPeer, answered, limited
from tests.platforms.discord.world import Channel

ACCOUNT: Final = Account("discord", "shop")
IDS: Final = ("1002285219667123456", "9007199254740993", "18446744073709551614", "7")
"""Ids are 64-bit numbers: past what a floating point number holds, up to the largest but one, and a small one."""

_SETTLE_SECONDS: Final = 0.5
_READY_SECONDS: Final = 3.0
"""The library takes a bot's servers to be complete when none has come for 2 s."""


class DiscordRig:
    """The contract's rig, and what the driver's own tests need beyond it."""

    def __init__(self, peer: DiscordPeer, session: aiohttp.ClientSession, clock: Clock, folder: Path) -> None:
        self.peer = peer
        self.session = session
        self.clock = clock
        self.folder = folder
        self.token = peer.token("Serai Bot")
        self.bot = peer.bot(self.token)
        self.platform = self.driver()
        self._settled: object = None
        for name in (*IDS, "1"):
            self._chat(name, "42")

    def driver(self, token: str | None = None, account: Account = ACCOUNT) -> Discord:
        endpoint = Endpoint(f"{self.peer.base_url}/api/v10", self.peer.gateway_url)
        secret = self.token if token is None else token
        return Discord(account, secret, self.session, self.clock, self.folder / account.name, endpoint=endpoint)

    def _chat(self, chat: str, user: str) -> Channel:
        return self.peer.world.direct(chat, self.peer.world.user(f"User {user}", user_id=user), self.bot)

    @property
    def secrets(self) -> Sequence[str]:
        return (self.token, "fake-interaction", "fake-signature")

    @property
    def ids(self) -> Sequence[str]:
        return IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [self._seen(message) for message in self.peer.sent]

    def _seen(self, message: dict[str, Any]) -> Seen:
        channel = self.peer.world.channels[message["channel_id"]]
        answered_to = (message.get("message_reference") or {}).get("message_id")
        return Seen(
            channel.id,
            message["content"],
            (answered_to,) if answered_to else (),
            message["id"],
            channel.id if channel.type == 11 else None,
            self.peer.rest.edits[message["id"]],
            tuple(button["label"] for row in message["components"] for button in row["components"]),
            self.peer.rest.enclosures.get(message["id"]),
        )

    def captured(self) -> Sequence[Captured]:
        return captured(self.peer, self.bot)

    def payload(self, utterance: Utterance) -> object:
        channel = self._chat(number(utterance.chat), number(utterance.user))
        author = self.peer.world.users[number(utterance.user)]
        kept = dict(channel.messages)
        message = self.peer.world.message(channel, author, utterance.text, message_id=number(utterance.message))
        channel.messages = kept
        return ("MESSAGE_CREATE", message)

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        channel = self._chat("1", "42")
        attachment = self.peer.world.attachment(name, media_type, data)
        author = self.peer.world.users["42"]
        found = self.peer.world.message(channel, author, "", message_id=number(message), attachments=(attachment,))
        return ("MESSAGE_CREATE", found)

    def echo(self, text: str) -> object:
        return ("MESSAGE_CREATE", self.peer.world.message(self._chat("1", "42"), self.bot, text))

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        """Discord has no receipt for a message; whether the driver has it shows by where it would read on."""
        await self.logged_in()
        for payload in payloads:
            event, document = payload  # type: ignore[misc]
            channel = self.peer.world.channels.get(document.get("channel_id", ""))
            if event == "MESSAGE_CREATE" and channel is not None:
                channel.messages[document["id"]] = document
                document = self.peer.world.event(channel, document)
            await self.peer.gateway.tell(self.bot, event, document)
        await asyncio.sleep(_SETTLE_SECONDS)
        return [self._taken(*payload) for payload in payloads]  # type: ignore[misc]

    def _taken(self, event: str, document: dict[str, Any]) -> bool:
        mark = self.platform.bookmark.mark
        return event != "MESSAGE_CREATE" or (mark is not None and mark >= int(document["id"]))

    def malformed(self) -> Sequence[Malformed]:
        channel = self._chat("1", "42")
        good = self.peer.world.message(channel, self.peer.world.users["42"], "spoilt", message_id=number("spoilt"))
        channel.messages.clear()
        event = self.peer.world.event(
            channel, {**good, "attachments": [self.peer.world.attachment("a.txt", "text/plain", b"x")]}
        )
        frames = [replace(one, payload=("MESSAGE_CREATE", one.payload)) for one in spoilt(event)]
        shapes = [
            Malformed(f"a message that is {shape!r}", ("MESSAGE_CREATE", shape)) for shape in (None, 7, "x", [])
        ]
        return [*texts(ends=True), *frames, *shapes]

    async def garble(self, payload: object) -> None:
        """A text is a frame as it is; anything else is told as an event."""
        await self.logged_in()
        if isinstance(payload, str):
            await self.peer.gateway.garble(self.bot, payload)
        else:
            await self.peer.gateway.tell(self.bot, *payload)  # type: ignore[misc]
        await asyncio.sleep(_SETTLE_SECONDS)

    async def fault(self, fault: Fault) -> None:
        rest = self.peer.rest
        if fault == "rate_limited":
            rest.meetings.append(limited(RETRY_AFTER))
        elif fault == "server_error":
            rest.meetings.append(answered(502))
        elif fault == "rejected":
            rest.meetings.append(answered(403, 50013))
        elif fault == "refused":
            await self.logged_in()
            await self.peer.refuse_connections()
            await asyncio.sleep(_SETTLE_SECONDS)  # so that connections that were kept are seen to be gone
        else:
            rest.meetings.append(self.peer.never if fault == "timeout" else self.peer.vanish)

    async def logged_in(self) -> None:
        session = await self.peer.gateway.connected(self.bot)
        if self._settled is not session:
            await asyncio.sleep(_READY_SECONDS)
            self._settled = session

    async def sever(self, how: Sever) -> None:
        self._settled = None
        if how == "cut":
            self.peer.gateway.cut(self.bot)
        elif how == "silent":
            self.peer.gateway.hush(self.bot)
        else:
            await self.peer.gateway.close(self.bot, 1000 if how == "closed_1000" else 1001)

    async def revoke(self) -> None:
        bot = self.peer.revoke(self.token)
        await self.peer.gateway.close(bot, 4004)

    async def press(self, label: str, *, user: str = "42") -> bool:
        for message in reversed(self.peer.sent):
            buttons = [button for row in message["components"] for button in row["components"]]
            for button in buttons:
                if button["label"] == label:
                    person = self.peer.world.user(f"User {user}", user_id=user)
                    acknowledged, _ = await self.peer.presses(message, button["custom_id"], person)
                    await asyncio.sleep(_SETTLE_SECONDS)
                    return acknowledged == 6
        raise AssertionError(f"no message has a button {label!r}")

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        calls = [call.path.split("/") for call in self.peer.rest.log if call.path.endswith("/typing")]
        return [(path[2], True) for path in calls]

    async def start_blank(self) -> None:
        await self.driver(" ").run(Listening(_never))


def number(name: str) -> str:
    """An id as it is, or the one that stands for a name."""
    return name if name.isdigit() else str(10**17 + zlib.crc32(name.encode()))


async def _never(inbound: object) -> Receipt:
    raise AssertionError("a driver without a token received something")


@asynccontextmanager
async def rig(clock: Clock | None = None, **peer: Any) -> AsyncIterator[DiscordRig]:
    """A bot in one server and some direct chats."""
    clock = clock or VirtualClock()
    now: Callable[[], float] = clock.now
    with TemporaryDirectory() as folder:
        async with DiscordPeer(now, **peer) as discord, aiohttp.ClientSession() as session:
            yield DiscordRig(discord, session, clock, Path(folder))
