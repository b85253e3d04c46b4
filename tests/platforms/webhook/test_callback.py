"""Answers posted to the account's callback address (SPEC 13.1, 16.3)."""

import json
import time
from email.utils import formatdate

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Vendor

from serai.core.delivery import Delivery, Target
from serai.core.error import SendFailed, SendPermanent, SendTemporary, SendUnknown
from serai.core.ids import AgentId, DeliveryId
from serai.ports.platform import Sent
from serai.testing.clock import EPOCH, ManualClock, VirtualClock, virtual_time
from tests.platforms.webhook.rig import SECRET, rig

DELIVERY = Delivery(
    DeliveryId("d-1"),
    Target("webhook", "room:1", "crm", thread_id="t", reply_to=("m1", "m2")),
    AgentId("ops"),
    "Grüße 🙂\n",
    attempt=1,
)


async def outcome(*replies: web.Response) -> Sent | SendFailed:
    """How a send ends whose peer answers so."""
    async with rig() as webhook:
        webhook.receiver.replies.extend(replies)
        try:
            return await webhook.platform.send(DELIVERY)
        except SendFailed as error:
            return error


@virtual_time
async def test_the_vendors_library_verifies_what_the_peer_gets() -> None:
    async with rig(ManualClock(time.time())) as webhook:
        assert await webhook.platform.send(DELIVERY) == Sent()
        ((headers, body),) = webhook.receiver.requests
    assert headers["webhook-id"] == "d-1"
    assert headers["content-type"] == "application/json"
    assert Vendor(SECRET).verify(body, headers) == {
        "delivery_id": "d-1",
        "chat_id": "room:1",
        "thread_id": "t",
        "reply_to": ["m1", "m2"],
        "agent": "ops",
        "text": "Grüße 🙂\n",
        "final": True,
    }


@virtual_time
async def test_a_repeated_send_carries_the_same_id() -> None:
    async with rig() as webhook:
        await webhook.platform.send(DELIVERY)
        await webhook.platform.send(DELIVERY)
        assert [headers["webhook-id"] for headers, _ in webhook.receiver.requests] == ["d-1", "d-1"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@virtual_time
async def test_any_2xx_means_sent(status: int) -> None:
    assert await outcome(web.Response(status=status)) == Sent()


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 599])
@virtual_time
async def test_these_statuses_are_worth_another_try(status: int) -> None:
    assert isinstance(await outcome(web.Response(status=status)), SendTemporary)


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 410, 413, 422, 451])
@virtual_time
async def test_these_statuses_are_final(status: int) -> None:
    error = await outcome(web.Response(status=status))
    assert isinstance(error, SendPermanent)
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@virtual_time
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with rig() as webhook:
        webhook.receiver.replies.append(web.Response(status=status, headers={"Location": webhook.receiver.url}))
        with pytest.raises(SendPermanent):
            await webhook.platform.send(DELIVERY)
        assert len(webhook.receiver.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (" 12 ", 12),
        (formatdate(EPOCH + 90, usegmt=True), 90),
        (formatdate(EPOCH - 90, usegmt=True), 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1e999", None),
        ("Mon, 99999999999999999999 Jan 2024 00:00:00 GMT", None),
    ],
)
@virtual_time
async def test_the_wait_that_is_asked_for_is_passed_on(status: int, header: str, seconds: float | None) -> None:
    error = await outcome(web.Response(status=status, headers={"Retry-After": header}))
    assert isinstance(error, SendTemporary)
    assert error.retry_after == (None if seconds is None else pytest.approx(seconds, abs=0.01))


@virtual_time
async def test_no_connection_means_surely_not_sent() -> None:
    async with rig() as webhook:
        await webhook.fault("refused")
        with pytest.raises(SendTemporary):
            await webhook.platform.send(DELIVERY)


@virtual_time
async def test_a_peer_that_never_answers_leaves_the_outcome_unknown_after_30_seconds() -> None:
    async with rig() as webhook:
        await webhook.fault("timeout")
        begun = VirtualClock().now()
        with pytest.raises(SendUnknown):
            await webhook.platform.send(DELIVERY)
        assert VirtualClock().now() - begun == pytest.approx(30, abs=1)


@virtual_time
async def test_a_connection_that_breaks_off_leaves_the_outcome_unknown() -> None:
    async with rig() as webhook:
        await webhook.fault("disconnect")
        with pytest.raises(SendUnknown):
            await webhook.platform.send(DELIVERY)


@virtual_time
async def test_a_big_answer_of_the_peer_is_not_read() -> None:
    assert await outcome(web.Response(body=b"x" * 5_000_000)) == Sent()


@virtual_time
async def test_256_kilobytes_are_sent_and_no_byte_more() -> None:
    async with rig() as webhook:
        most = webhook.platform.capabilities.text_limit
        assert most == 256 * 1024
        target = DELIVERY.target
        await webhook.platform.send(Delivery(DeliveryId("d-2"), target, AgentId("ops"), "é" * (most // 2)))
        with pytest.raises(SendPermanent, match="262145 bytes"):
            await webhook.platform.send(Delivery(DeliveryId("d-3"), target, AgentId("ops"), "é" * (most // 2) + "x"))
        ((_, body),) = webhook.receiver.requests
        assert json.loads(body)["text"] == "é" * (most // 2)


@virtual_time
async def test_half_a_character_cannot_be_sent() -> None:
    async with rig() as webhook:
        broken = Delivery(DeliveryId("d-4"), DELIVERY.target, AgentId("ops"), "\ud83d")
        with pytest.raises(SendPermanent):
            await webhook.platform.send(broken)
