"""A Slack app and its server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import aiohttp

from serai.core.ids import Account
from serai.platforms.slack.driver import Slack
from serai.ports.platform import Receipt
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.slack.peer import App, SlackPeer

ACCOUNT: Final = Account("slack", "work")
APP: Final = App("work")

IDS: Final = ("D024BE91L", "C012AB3CD", "G0AKFJBEU", "1700000000.000100", "1700000000.000200")
"""Slack's ids: of chats, and time stamps as ids of messages."""

_MOMENT: Final = 0.5
"""Seconds of the loop's time in which a driver has handed over what came."""


class SlackRig:
    """The contract's rig."""

    def __init__(self, session: aiohttp.ClientSession, peer: SlackPeer) -> None:
        self.session = session
        self.peer = peer
        self.platform = self.make(APP)

    def make(self, app: App, *, name: str = ACCOUNT.name, bot_token: str | None = None) -> Slack:
        token = app.bot_token if bot_token is None else bot_token
        return Slack(Account("slack", name), token, app.app_token, self.peer.base_url, self.session)

    @property
    def secrets(self) -> Sequence[str]:
        return (APP.bot_token, APP.app_token, "fake-ticket")

    @property
    def ids(self) -> Sequence[str]:
        return IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [
            Seen(
                said.channel,
                said.text,
                message=said.ts,
                thread=said.thread,
                edits=said.edits,
                buttons=tuple(label for label, _ in said.buttons),
                enclosure=said.data,
            )
            for said in self.peer.said
        ]

    def captured(self) -> Sequence[Captured]:
        say = self.peer.event
        inner = {"type": "message", "user": "42", "ts": "1.2", "text": "hello!"}
        return [
            Captured("a direct message", say("hello")),
            Captured("a message of a channel", say("hello <@UWORK>", channel="C1")),
            Captured("a mention", say("<@UWORK> hello", channel="C1") | {"type": "app_mention"}),
            Captured("an answer in a thread", say("hello", channel="C1", thread_ts="1700000000.000001")),
            Captured("a thread's answer shown to all", say("hi", channel="C1", subtype="thread_broadcast")),
            Captured("a file", self.peer.file("a.txt", "text/plain", b"x")),
            Captured("a voice note", self.peer.file("a.m4a", "audio/mp4", b"x")),
            Captured("another bot", say("hi", channel="C1", subtype="bot_message", bot_id="B2", user="")),
            Captured("somebody joins", say("joined", channel="C1", subtype="channel_join"), ignored=True),
            Captured("a topic", say("set the topic", channel="C1", subtype="channel_topic"), ignored=True),
            Captured("a message without words", say(""), ignored=True),
            Captured("an edit", say("", subtype="message_changed", message=inner), ignored=True),
            Captured("a deletion", say("", subtype="message_deleted", deleted_ts="1.2"), ignored=True),
            Captured("a reaction", {"type": "reaction_added", "user": "42", "item": {}}, ignored=True),
            Captured("an assistant's thread", {"type": "assistant_thread_started"}, ignored=True),
        ]

    def payload(self, utterance: Utterance) -> object:
        return self.peer.event(
            utterance.text, user=utterance.user, channel=utterance.chat, ts=utterance.message, channel_type="channel"
        )

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        await self.logged_in()
        envelopes = [await self.peer.tell(APP.name, payload) for payload in payloads]  # type: ignore[arg-type]
        await asyncio.sleep(_MOMENT)
        return [envelope in self.peer.acknowledged for envelope in envelopes]

    def malformed(self) -> Sequence[Malformed]:
        event = self.peer.event("spoilt", files=[{"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 1}])
        frame = {"type": "events_api", "envelope_id": "spoilt", "payload": {"team_id": "T1", "event": event}}
        press = {"type": "block_actions", "user": {"id": "42"}, "channel": {"id": "D1"}}
        press |= {"container": {"message_ts": "1.1"}, "actions": [{"action_id": "serai-0", "value": "v"}]}
        pressed = {"type": "interactive", "envelope_id": "spoilt", "payload": press}
        hello = {"type": "disconnect", "reason": "warning", "debug_info": {}}
        frames = [one for good in (frame, pressed) for one in spoilt(good)]
        frames += [one for one in spoilt(hello) if "type" in one.name]
        return [*texts(), *(replace(one, payload=json.dumps(one.payload)) for one in frames)]

    async def garble(self, payload: object) -> None:
        await self.peer.garble(APP.name, str(payload))

    async def fault(self, fault: Fault) -> None:
        if fault == "refused":
            self.platform._web.base_url = "http://127.0.0.1:9/api/"
        else:
            self.peer.troubles.append(fault)

    async def logged_in(self) -> None:
        await self.peer.connected(APP.name)
        await asyncio.sleep(_MOMENT)  # for what the driver does with the first frame

    async def sever(self, how: Sever) -> None:
        match how:
            case "closed_1000":
                await self.peer.close(APP.name, 1000)
            case "closed_1001":
                await self.peer.close(APP.name, 1001)
            case "cut":
                self.peer.cut(APP.name)
            case "silent":
                self.peer.silence(APP.name)

    async def revoke(self) -> None:
        self.peer.revoke(APP.name)
        await self.sever("closed_1000")

    def echo(self, text: str) -> object:
        return self.peer.event(text, user=APP.user_id, channel="C1", bot_id=APP.bot_id)

    async def press(self, label: str, *, user: str = "42") -> bool:
        envelope = await self.peer.press(APP.name, label, user=user)
        await asyncio.sleep(_MOMENT)
        return envelope in self.peer.acknowledged

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        return self.peer.file(name, media_type, data, ts=message)

    async def start_blank(self) -> None:
        await self.make(APP, bot_token=" ").run(Listening(_never))


async def _never(event: object) -> Receipt:
    raise AssertionError("a driver without a token received something")


@asynccontextmanager
async def rig() -> AsyncIterator[SlackRig]:
    """An app on loopback."""
    async with (
        SlackPeer(App(APP.name)) as peer,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield SlackRig(session, peer)
