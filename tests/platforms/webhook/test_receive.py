"""Requests to a webhook account (SPEC 13.1, 16.3)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serai.core.error import Busy, Refused, SeraiError, Startup, StorageFailed, Unauthorised, UnknownAgent
from serai.core.ids import InputId
from serai.core.message import Inbound
from serai.platforms.webhook.driver import Webhook
from serai.ports.platform import HttpEndpoint, HttpReply, Platform, Receipt
from serai.testing.clock import VirtualClock, virtual_time
from serai.testing.platform.stage import Listening
from tests.platforms.webhook.rig import ACCOUNT, SECRET, WebhookRig, rig

BODY = json.dumps({"chat_id": "1", "user_id": "42", "text": "hello"}).encode()


class Gateway:
    """Takes messages, or answers with an error."""

    def __init__(self, error: SeraiError | None = None, *, duplicate: bool = False) -> None:
        self.heard: list[Inbound] = []
        self._error = error
        self._duplicate = duplicate

    async def receive(self, inbound: Inbound) -> Receipt:
        if self._error:
            raise self._error
        self.heard.append(inbound)
        return Receipt(InputId("i1"), self._duplicate)


@asynccontextmanager
async def connected(gateway: Gateway) -> AsyncIterator[WebhookRig]:
    async with rig() as webhook:
        running = asyncio.ensure_future(webhook.platform.run(Listening(gateway.receive)))
        await asyncio.sleep(0)
        yield webhook
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@virtual_time
async def test_it_is_a_platform_that_receives_over_http() -> None:
    async with rig() as webhook:
        platform: Platform = webhook.platform
        assert isinstance(platform, HttpEndpoint)
        assert platform.account == ACCOUNT
        assert platform.capabilities.send_key


@pytest.mark.parametrize("duplicate", [False, True])
@virtual_time
async def test_a_stored_message_is_accepted_and_a_second_copy_is_said_to_be_one(duplicate: bool) -> None:
    gateway = Gateway(duplicate=duplicate)
    async with connected(gateway) as webhook:
        reply = await webhook.post(BODY)
    assert reply == HttpReply(202, {"accepted": True, "duplicate": duplicate})
    assert [inbound.text for inbound in gateway.heard] == ["hello"]


@virtual_time
async def test_without_a_message_id_the_request_is_the_message() -> None:
    gateway = Gateway()
    async with connected(gateway) as webhook:
        for _ in range(2):
            await webhook.post(BODY, **webhook.signed(BODY, "msg_again"))
    first, second = gateway.heard
    assert first == second
    assert first.source.message_id == "msg_again"


@virtual_time
async def test_a_bad_signature_is_answered_before_the_body_is_looked_at() -> None:
    gateway = Gateway()
    async with connected(gateway) as webhook:
        reply = await webhook.post(b"{ this is no JSON", webhook_signature="v1,bm9wZQ==")
    assert (reply.status, reply.code) == (401, "invalid_signature")
    assert not gateway.heard


@virtual_time
async def test_a_request_recorded_earlier_is_refused_after_five_minutes() -> None:
    gateway = Gateway()
    async with connected(gateway) as webhook:
        recorded = webhook.signed(BODY, "msg_1")
        await asyncio.sleep(299)
        assert (await webhook.post(BODY, **recorded)).status == 202
        await asyncio.sleep(2)
        assert (await webhook.post(BODY, **recorded)).status == 401
    assert len(gateway.heard) == 1


@virtual_time
async def test_a_missing_header_is_answered_with_its_name() -> None:
    async with connected(Gateway()) as webhook:
        reply = await webhook.post(BODY, webhook_id="")
    assert reply.status == 401
    assert "webhook-id" in reply.text


@virtual_time
async def test_a_malformed_body_is_answered_with_the_name_of_the_field() -> None:
    gateway = Gateway()
    async with connected(gateway) as webhook:
        reply = await webhook.post(b'{"chat_id": 5, "text": "hello"}')
    assert (reply.status, reply.code) == (400, "invalid_request")
    assert "chat_id" in reply.text
    assert not gateway.heard


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (Unauthorised("you may not"), HttpReply(403, code="unauthorised", text="you may not")),
        (UnknownAgent("agent `ops` is stopped"), HttpReply(403, code="agent_refused", text="agent `ops` is stopped")),
        (Refused("no"), HttpReply(403, code="refused", text="no")),
        (Busy("100 wait", 2.5), HttpReply(429, code="busy", text="100 wait", retry_after=2.5)),
        (StorageFailed("disk full"), HttpReply(503, code="storage_failed", text="disk full")),
    ],
)
@virtual_time
async def test_the_sender_is_told_why_it_was_not_taken(error: SeraiError, reply: HttpReply) -> None:
    async with connected(Gateway(error)) as webhook:
        assert await webhook.post(BODY) == reply


@virtual_time
async def test_an_account_that_does_not_run_takes_nothing() -> None:
    gateway = Gateway()
    async with connected(gateway) as webhook:
        assert (await webhook.post(BODY)).status == 202
    assert (await webhook.post(BODY)).status == 503
    assert len(gateway.heard) == 1


@pytest.mark.parametrize(
    ("secret", "url", "named"),
    [
        (" ", "https://crm.example/", "secret"),
        ("changeme", "https://crm.example/", "secret"),
        (SECRET, "", "callback_url"),
        (SECRET, "crm.example", "callback_url"),
        (SECRET, "https://xn--/", "callback_url"),
    ],
)
@virtual_time
async def test_unusable_settings_refuse_to_start_and_name_the_account(secret: str, url: str, named: str) -> None:
    async with rig() as webhook:
        with pytest.raises(Startup, match=f"`webhook@crm`.*{named}"):
            Webhook(ACCOUNT, secret, url, webhook.session, VirtualClock())
