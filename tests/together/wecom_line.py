"""WeCom: what was said while the bot was away never comes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.wecom.peer import WecomPeer
from tests.together.line import Line, Place

BOT = "fake-bot-1"


class WecomLine:
    account = "wecom"
    redelivers = False
    secrets: Mapping[str, str] = {"WECOM_BOT": BOT, "WECOM_SECRET": "fake-wecom-secret"}

    def __init__(self, peer: WecomPeer) -> None:
        self._peer = peer

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"bot_id_env": "WECOM_BOT", "secret_env": "WECOM_SECRET", "url": self._peer.url}

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        await self._peer.connected(BOT)

    async def say(self, place: Place, text: str) -> None:
        await self.ready()
        body = self._peer.message(
            f"@Bot {text}" if place.group else text, user=place.user, chat=place.chat if place.group else ""
        )
        await self._peer.tell(BOT, body)

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(said.chat, said.text) for said in self._peer.said]


@asynccontextmanager
async def wecom() -> AsyncIterator[list[Line]]:
    async with WecomPeer({BOT: "fake-wecom-secret"}) as peer:
        yield [WecomLine(peer)]
