"""Slack: an event that is not acknowledged is told again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.slack.peer import App, SlackPeer
from tests.together.line import Later, Line, Place

_AGAIN_S = 1.0


class SlackLine:
    redelivers = True

    def __init__(self, name: str, app: App, peer: SlackPeer, later: Later) -> None:
        self.account = "slack" if name == "default" else f"slack@{name}"
        self._app = app
        self._peer = peer
        self._later = later

    @property
    def settings(self) -> Mapping[str, Any]:
        name = self._app.name.upper()
        return {
            "bot_token_env": f"SLACK_BOT_{name}",
            "app_token_env": f"SLACK_APP_{name}",
            "base_url": self._peer.base_url,
        }

    @property
    def secrets(self) -> Mapping[str, str]:
        own = self.settings
        return {own["bot_token_env"]: self._app.bot_token, own["app_token_env"]: self._app.app_token}

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        await self._peer.connected(self._app.name)

    async def say(self, place: Place, text: str) -> None:
        said = f"<@{self._app.user_id}> {text}" if place.group else text
        more = {"thread_ts": place.thread} if place.thread else {}
        event = self._peer.event(said, user=place.user, channel=place.chat, ts=self._peer.ts(), **more)
        self._later.begin(self._insist(event))

    async def _insist(self, event: dict[str, Any]) -> None:
        while True:
            await self.ready()
            try:
                envelope = await self._peer.tell(self._app.name, event)
            except (ConnectionError, IndexError):
                continue
            await asyncio.sleep(_AGAIN_S)
            if envelope in self._peer.acknowledged:
                return

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(said.channel, said.text) for said in self._peer.said if said.app == self._app.name]


@asynccontextmanager
async def slack() -> AsyncIterator[list[Line]]:
    app, later = App("team"), Later()
    async with SlackPeer(app) as peer:
        try:
            yield [SlackLine("default", app, peer, later)]
        finally:
            await later.close()
