"""The signed webhook: a message that was not answered with 202 is posted again."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

from tests.process.caller import Caller, Gone, client_session
from tests.process.receiver import Receiver
from tests.together.line import Later, Line, Place

_SECRET = "whsec_ZmFrZS13ZWJob29rLWtleS1mb3ItdGVzdHM="
_AGAIN_S = 0.2


class WebhookLine:
    account = "webhook"
    redelivers = True
    secrets: Mapping[str, str] = {"HOOK": _SECRET}

    def __init__(self, callback: str, receiver: Receiver, session: aiohttp.ClientSession, later: Later) -> None:
        self.settings: Mapping[str, Any] = {"secret_env": "HOOK", "callback_url": callback}
        self._caller: Caller | None = None
        self._session = session
        self._receiver = receiver
        self._later = later

    def dial(self, url: str) -> None:
        """Where the gateway listens now; nowhere where it is blank."""
        self._caller = Caller(self._session, url, _SECRET, "unused") if url else None

    async def ready(self) -> None:
        while self._caller is None:
            await asyncio.sleep(0.05)

    async def say(self, place: Place, text: str) -> None:
        kind = {"chat_type": "group", "mentioned": True} if place.group else {}
        thread = {"thread_id": place.thread} if place.thread else {}
        body = {"message_id": uuid4().hex, "chat_id": place.chat, "user_id": place.user, "text": text}
        self._later.begin(self._insist(body | kind | thread))

    async def _insist(self, body: Mapping[str, Any]) -> None:
        while True:
            await self.ready()
            caller = self._caller
            assert caller is not None
            try:
                if (await caller.post(body)).status == 202:
                    return
            except Gone:
                pass
            await asyncio.sleep(_AGAIN_S)

    def heard(self) -> Sequence[tuple[str, str]]:
        """Once per delivery id: a repeated callback is recognised by it (SPEC 5.5)."""
        first = {one.delivery_id: (one.chat_id, one.text) for one in reversed(self._receiver.taken)}
        return list(first.values())


@asynccontextmanager
async def webhook() -> AsyncIterator[list[Line]]:
    later, receiver = Later(), Receiver(_SECRET)
    async with receiver.serve() as callback, client_session() as session:
        line = WebhookLine(callback, receiver, session, later)
        try:
            yield [line]
        finally:
            await later.close()
