"""The platform in memory, as a rig of its own: it obeys the contract that it stands in for."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from serai.core.delivery import Delivery
from serai.core.error import (
    CredentialsRefused,
    LoggedInElsewhere,
    Refused,
    SendPermanent,
    SendTemporary,
    SendUnknown,
    SeraiError,
)
from serai.core.message import Inbound
from serai.core.source import Source
from serai.ports.platform import Capabilities, Growth, Receipt
from serai.testing.platform.fake import TOKEN, FakePlatform
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import HARD_IDS, RETRY_AFTER, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening

CAPABILITIES: Final = Capabilities(
    text_limit=4096,
    text_unit="utf16",
    growth=Growth(interval_s=1),
    typing_s=5,
    buttons=True,
    fetches=True,
    enclosure_bytes=2**20,
    silence_s=60,
    exclusive=True,
)


class FakeRig:
    """A rig around any FakePlatform."""

    def __init__(self, platform: FakePlatform) -> None:
        self.platform = platform

    @property
    def secrets(self) -> Sequence[str]:
        return (TOKEN,)

    @property
    def ids(self) -> Sequence[str]:
        return HARD_IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [self._seen(sent) for sent in self.platform.sent]

    def _seen(self, sent: Delivery) -> Seen:
        return Seen(
            sent.target.chat_id,
            sent.text,
            sent.target.reply_to,
            sent.remote_id or "",
            edits=sum(edit.remote_id == sent.remote_id for edit in self.platform.edits),
            buttons=tuple(button.label for button in sent.buttons),
            enclosure=self.platform.enclosures.get(sent.remote_id or ""),
        )

    def captured(self) -> Sequence[Captured]:
        name, account = self.platform.account
        plain = Source(name, account, chat_id="1", user_id="42", message_id="m1")
        group = Source(name, account, chat_id="g", chat_type="group", user_id="42", thread_id="t", message_id="m2")
        return [
            Captured("a direct message", Inbound(plain, "hello", "1:m1")),
            Captured("a message of a group", Inbound(group, "hello @all", "g:m2", mentioned=True)),
        ]

    def payload(self, utterance: Utterance) -> object:
        return utterance

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        return await asyncio.gather(*(self._inject(payload) for payload in payloads))

    async def _inject(self, payload: object) -> bool:
        try:
            await self._tell(payload)
        except SeraiError as error:
            return isinstance(error, Refused)
        return True

    async def _tell(self, payload: object) -> Receipt:
        if isinstance(payload, Inbound):
            return await self.platform.delivers(payload)
        assert isinstance(payload, Utterance)
        return await self.platform.says(payload.text, chat=payload.chat, user=payload.user, message=payload.message)

    def malformed(self) -> Sequence[Malformed]:
        written = {"text": "spoilt", "chat": "1", "user": "42", "message": "m1"}
        frames = [*texts(), *(replace(one, payload=json.dumps(one.payload)) for one in spoilt(written))]
        return [*frames, Malformed("no UTF-8", b'{"text": "\xff"}')]

    async def garble(self, payload: object) -> None:
        await self.platform.tells(payload if isinstance(payload, bytes) else str(payload).encode())

    async def fault(self, fault: Fault) -> None:
        if fault == "rate_limited":
            self.platform.fails(SendTemporary("slow down", retry_after=RETRY_AFTER))
        elif fault in ("server_error", "refused"):
            self.platform.fails(SendTemporary("not now"))
        elif fault == "rejected":
            self.platform.fails(SendPermanent("no such chat"))
        elif fault == "timeout":
            self.platform.fails(SendUnknown("no answer came"), seconds=30)
        else:
            self.platform.fails(SendUnknown("the connection was cut"), arrived=True)

    async def logged_in(self) -> None:
        await self.platform.online()

    async def sever(self, how: Sever) -> None:
        if how == "silent":
            self.platform.hangs()
        else:
            self.platform.drops(ConnectionError(how))
            await asyncio.sleep(0)

    async def revoke(self) -> None:
        self.platform.drops(CredentialsRefused("the token was revoked; set a new one"))

    async def log_in_elsewhere(self) -> None:
        self.platform.drops(LoggedInElsewhere("another process uses this token; stop it"))

    def echo(self, text: str) -> object:
        name, account = self.platform.account
        me = Source(name, account, chat_id="1", user_id="bot", message_id="echo", is_bot=True)
        return Inbound(me, text, "1:echo")

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        place = Source(*self.platform.account, chat_id="1", user_id="42", message_id=message)
        return Inbound(place, "", f"1:{message}", (self.platform.file(name, media_type, data),))

    async def press(self, label: str, *, user: str = "42") -> bool:
        try:
            await self.platform.presses(label, user=user)
        except SeraiError as error:
            return isinstance(error, Refused)
        return True

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        return self.platform.typings

    async def start_blank(self) -> None:
        blank = type(self.platform)(token=" ")
        await blank.run(Listening(_never))


async def _never(inbound: object) -> Receipt:
    raise AssertionError("a driver without a token received something")


@asynccontextmanager
async def rig() -> AsyncIterator[FakeRig]:
    """A plain FakePlatform."""
    yield FakeRig(FakePlatform(capabilities=CAPABILITIES))
