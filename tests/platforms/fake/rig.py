"""The platform in memory, as a rig of its own: it obeys the contract that it stands in for."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from serai.core.error import Refused, SendPermanent, SendTemporary, SendUnknown, SeraiError
from serai.core.message import Inbound
from serai.core.source import Source
from serai.ports.platform import Capabilities, Receipt
from serai.testing.platform import TOKEN, FakePlatform
from serai.testing.platform_rig import HARD_IDS, RETRY_AFTER, Captured, Fault, Seen, Utterance
from serai.testing.platform_stage import Listening

CAPABILITIES: Final = Capabilities(text_limit=4096, text_unit="utf16")


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
        return [Seen(sent.target.chat_id, sent.text, sent.target.reply_to) for sent in self.platform.sent]

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

    async def logged_in(self) -> None: ...

    async def start_blank(self) -> None:
        blank = type(self.platform)(token=" ")
        await blank.run(Listening(_never))


async def _never(inbound: object) -> Receipt:
    raise AssertionError("a driver without a token received something")


@asynccontextmanager
async def rig() -> AsyncIterator[FakeRig]:
    """A plain FakePlatform."""
    yield FakeRig(FakePlatform(capabilities=CAPABILITIES))
