"""Where answers to webhooks arrive: a receiver that checks signatures and writes everything down."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.patience import PATIENCE_S
from tests.process.peer import serving


@dataclass(frozen=True, slots=True)
class Received:
    """One callback, in the order of arrival. `taken`: it was answered with 200, or the sender died before that."""

    delivery_id: str
    chat_id: str
    reply_to: tuple[str, ...]
    agent: str
    text: str
    taken: bool


class Receiver:
    """The next `refusals` callbacks are answered with 500; while `open` is not set, none is answered, though it has
    arrived. `faults` holds what was wrong with a callback's signature or id."""

    def __init__(self, secret: str) -> None:
        self.received: list[Received] = []
        self.faults: list[str] = []
        self.refusals = 0
        self.open = asyncio.Event()
        self.open.set()
        self._scheme = Webhook(secret)
        self._news = asyncio.Condition()

    @property
    def taken(self) -> list[Received]:
        return [one for one in self.received if one.taken]

    async def count(self, wanted: int) -> None:
        """Waits until so many callbacks have arrived."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: len(self.received) >= wanted)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Yields the address for `callback_url`."""
        app = web.Application()
        app.router.add_post("/{place:.*}", self._handle)
        async with serving(app) as address:
            yield f"{address}/callback"

    async def _handle(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = json.loads(raw)
        try:
            self._scheme.verify(raw, dict(request.headers))
        except WebhookVerificationError as error:
            self.faults.append(f"{body}: {error}")
        if request.headers["webhook-id"] != body["delivery_id"]:
            self.faults.append(f"{body}: webhook-id is {request.headers['webhook-id']}")
        refused = self.refusals > 0
        self.refusals -= refused
        fields = (body["delivery_id"], body["chat_id"], tuple(body["reply_to"]), body["agent"], body["text"])
        async with self._news:
            self.received.append(Received(*fields, taken=not refused))
            self._news.notify_all()
        if refused:
            return web.Response(status=500)
        await self.open.wait()
        return web.Response(status=200)
