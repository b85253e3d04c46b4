"""A webhook account with both of its peers: one that posts messages, and one that takes answers. Loopback only."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook as Vendor

from serai.core.ids import Account
from serai.platforms.webhook.driver import Webhook
from serai.ports.clock import Clock
from serai.ports.platform import HttpReply, HttpRequest, Receipt
from serai.testing.clock import VirtualClock
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import HARD_IDS, RETRY_AFTER, Captured, Fault, Seen, Utterance
from serai.testing.platform.stage import Listening

ACCOUNT: Final = Account("webhook", "crm")
KEY: Final = "ZmFrZS13ZWJob29rLWtleS1mb3ItdGVzdHM="
SECRET: Final = f"whsec_{KEY}"
QUERY: Final = "fake-query-token"


class Receiver:
    """The peer that takes answers: keeps each request as it came and answers as scripted, else with 204."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.replies: list[web.Response] = []
        self.mode: Fault | None = None
        self.url = ""
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._take, access_log=None))

    async def open(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/answers?token={QUERY}"

    async def close(self) -> None:
        self._closing.set()
        await self._runner.cleanup()

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        mode, self.mode = self.mode, None
        if mode == "timeout":
            await self._closing.wait()
        if mode == "disconnect":
            assert request.transport
            request.transport.abort()
        if not mode:
            self.requests.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return self.replies.pop(0) if self.replies else web.Response(status=204)


class WebhookRig:
    """The contract's rig, and what the webhook's own tests need beyond it."""

    def __init__(self, session: aiohttp.ClientSession, receiver: Receiver, clock: Clock) -> None:
        self.session = session
        self.receiver = receiver
        self.clock = clock
        self.platform = Webhook(ACCOUNT, SECRET, receiver.url, session, clock)
        self._posted = 0

    @property
    def secrets(self) -> Sequence[str]:
        return (SECRET, KEY, QUERY)

    @property
    def ids(self) -> Sequence[str]:
        return HARD_IDS

    @property
    def seen(self) -> Sequence[Seen]:
        bodies = [json.loads(body) for _, body in self.receiver.requests]
        return [Seen(body["chat_id"], body["text"], tuple(body["reply_to"])) for body in bodies]

    def captured(self) -> Sequence[Captured]:
        files = sorted((Path(__file__).parent / "captured").glob("*.json"))
        return [Captured(file.name, file.read_bytes()) for file in files]

    def payload(self, utterance: Utterance) -> object:
        body = {
            "chat_id": utterance.chat,
            "user_id": utterance.user,
            "message_id": utterance.message,
            "text": utterance.text,
        }
        return json.dumps(body).encode()

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        acknowledged = []
        for payload in payloads:
            assert isinstance(payload, bytes)
            acknowledged.append((await self.post(payload)).status == 202)
        return acknowledged

    async def post(self, body: bytes, **headers: str) -> HttpReply:
        """One request, signed by the vendor's library; `headers` (with `_` for `-`) replace its own."""
        self._posted += 1
        signed = self.signed(body, f"msg_{self._posted}")
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.platform.handle(HttpRequest(signed | changed, body))

    def signed(self, body: bytes, message_id: str, secret: str | bytes = SECRET) -> dict[str, str]:
        now = self.clock.now()
        signature = Vendor(secret).sign(message_id, datetime.fromtimestamp(now, UTC), body.decode())
        return {"webhook-id": message_id, "webhook-timestamp": str(int(now)), "webhook-signature": signature}

    def malformed(self) -> Sequence[Malformed]:
        good = {"chat_id": "1", "user_id": "42", "message_id": "m1", "text": "spoilt"}
        return [*texts(), *(replace(one, payload=json.dumps(one.payload)) for one in spoilt(good))]

    async def garble(self, payload: object) -> None:
        assert (await self.post(str(payload).encode())).status in (202, 400, 413, 422)

    async def fault(self, fault: Fault) -> None:
        if fault == "rate_limited":
            self.receiver.replies.append(web.Response(status=429, headers={"Retry-After": f"{RETRY_AFTER:g}"}))
        elif fault == "server_error":
            self.receiver.replies.append(web.Response(status=502))
        elif fault == "rejected":
            self.receiver.replies.append(web.Response(status=410))
        elif fault == "refused":
            await self.receiver.close()
        else:
            self.receiver.mode = fault

    async def logged_in(self) -> None: ...

    async def start_blank(self) -> None:
        blank = Webhook(ACCOUNT, " ", self.receiver.url, self.session, self.clock)
        await blank.run(Listening(_never))


async def _never(inbound: object) -> Receipt:
    raise AssertionError("a driver without a secret received something")


@asynccontextmanager
async def rig(clock: Clock | None = None) -> AsyncIterator[WebhookRig]:
    """A webhook account whose answers go to a receiver on loopback."""
    receiver = Receiver()
    await receiver.open()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield WebhookRig(session, receiver, clock or VirtualClock())
    finally:
        await receiver.close()
