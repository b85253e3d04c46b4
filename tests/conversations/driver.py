"""The platforms that scripts are played through, each with the people on its other side."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from serai.core.delivery import Delivery
from serai.core.ids import Account
from serai.core.message import Inbound, Revision
from serai.core.source import Source
from serai.ports.platform import Capabilities, Platform, Sent
from serai.testing.platform.fake import FakePlatform
from tests.conversations.script import Answer, Said
from tests.platforms.webhook.rig import WebhookRig
from tests.platforms.webhook.rig import rig as webhook_rig


class Driver(Protocol):
    """A platform and what came out of it. `timed`: whether it knows when."""

    timed: bool

    @property
    def platform(self) -> Platform: ...

    @property
    def answers(self) -> list[Answer]: ...

    async def say(self, said: Said) -> str | None:
        """Brings a message; returns what its sender is told where it was not accepted. Raises what the gateway
        raises where there is nobody to tell."""
        ...


class Fake(FakePlatform):
    """The platform in memory."""

    timed = True

    def __init__(self, limit: int) -> None:
        super().__init__(capabilities=Capabilities(text_limit=limit))
        self.answers: list[Answer] = []
        self._began = asyncio.get_running_loop().time()

    @property
    def platform(self) -> Platform:
        return self

    async def send(self, delivery: Delivery) -> Sent:
        sent = await super().send(delivery)
        now = asyncio.get_running_loop().time() - self._began
        target = delivery.target
        self.answers.append(Answer(now, delivery.agent, target.chat_id, delivery.text, target.reply_to))
        return sent

    async def say(self, said: Said) -> str | None:
        source = Source(
            self.account.platform,
            chat_id=chat_of(said),
            chat_type="group" if said.group else "dm",
            user_id=said.who,
            message_id=said.id,
            is_bot=said.is_bot,
        )
        key = json.dumps([chat_of(said), said.id])
        await self.delivers(Inbound(source, said.text, key, mentioned=said.mentioned, near_limit=said.cut))
        return None

    async def change(self, said: Said, text: str | None) -> None:
        await self.delivers(Revision(Account("fake"), chat_of(said), said.id, text))


class ByWebhook:
    """The webhook driver: signed requests in, signed requests out."""

    timed = False

    def __init__(self, rig: WebhookRig) -> None:
        self._rig = rig

    @property
    def platform(self) -> Platform:
        return self._rig.platform

    @property
    def answers(self) -> list[Answer]:
        bodies = [json.loads(body) for _, body in self._rig.receiver.requests]
        return [Answer(None, b["agent"], b["chat_id"], b["text"], tuple(b["reply_to"])) for b in bodies]

    async def say(self, said: Said) -> str | None:
        body = {
            "chat_id": chat_of(said),
            "chat_type": "group" if said.group else "dm",
            "user_id": said.who,
            "message_id": said.id,
            "mentioned": said.mentioned,
            "text": said.text,
        }
        reply = await self._rig.post(json.dumps(body).encode())
        return reply.text if reply.status != 202 else None


def chat_of(said: Said) -> str:
    """The id of the chat: the person's own, or that of the group."""
    return f"#{said.group}" if said.group else said.who


@asynccontextmanager
async def opened(name: str, limit: int) -> AsyncIterator[Driver]:
    """The driver of that name."""
    if name == "fake":
        yield Fake(limit)
        return
    assert name == "webhook", name
    async with webhook_rig() as rig:
        yield ByWebhook(rig)
