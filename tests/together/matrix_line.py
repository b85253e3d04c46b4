"""Matrix: what was said while the bot was away is in the next sync."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.platforms.matrix.peer import MatrixPeer
from tests.together.line import Line, Now, Place


class MatrixLine:
    account = "matrix"
    redelivers = True
    ids: Mapping[str, str] = {}

    def __init__(self, peer: MatrixPeer) -> None:
        self._peer = peer
        self._me = peer.login("serai")

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"homeserver": self._peer.url, "access_token_env": "MATRIX_TOKEN"}

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"MATRIX_TOKEN": self._me.token}

    def dial(self, url: str) -> None: ...

    async def ready(self) -> None:
        await self._peer.polling(self._me)

    async def say(self, place: Place, text: str) -> None:
        others = ("@zoe:localhost",) if place.group else ()
        self._peer.open(place.chat, place.user, self._me.user_id, *others, direct=not place.group)
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if place.group:
            content["m.mentions"] = {"user_ids": [self._me.user_id]}
        self._peer.post(place.chat, place.user, content)
        await asyncio.sleep(0)

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(seen.chat, seen.text) for seen in self._peer.sent]


@asynccontextmanager
async def matrix(_: Now) -> AsyncIterator[list[Line]]:
    async with MatrixPeer() as peer:
        yield [MatrixLine(peer)]
