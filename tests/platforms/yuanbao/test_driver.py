"""A Yuanbao bot on loopback: its token, its pushes, its ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serai.core.delivery import Delivery, Target
from serai.core.error import CredentialsRefused, FetchFailed, LoggedInElsewhere, SendPermanent
from serai.core.ids import AgentId, DeliveryId
from serai.testing.clock import virtual_time
from serai.testing.platform.stage import Gateway
from tests.platforms.yuanbao.peer import Bot
from tests.platforms.yuanbao.rig import BOT, KEY, YuanbaoRig, rig


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[YuanbaoRig, Gateway, asyncio.Future[None]]]:
    async with rig() as yuanbao:
        gateway = Gateway()
        running = asyncio.ensure_future(yuanbao.platform.run(gateway))
        await yuanbao.logged_in()
        try:
            yield yuanbao, gateway, running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@virtual_time
@pytest.mark.parametrize("wrapped", ["bare", "pushed", "directed", "json"])
async def test_a_push_is_understood_however_it_is_wrapped(wrapped: str) -> None:
    async with talking() as (yuanbao, gateway, _):
        push = await yuanbao.peer.tell(BOT, yuanbao.peer.message("hello", user="ada"), wrapped=wrapped)
        await asyncio.sleep(0.5)
        assert [one.text for one in gateway.heard] == ["hello"]
        assert push in yuanbao.peer.acknowledged


@virtual_time
async def test_a_token_is_asked_for_again_when_it_is_busy_and_shortly_before_it_ends() -> None:
    async with rig() as yuanbao:
        yuanbao.peer.signing = [10099, 10099]
        running = asyncio.ensure_future(yuanbao.platform.run(Gateway()))
        await yuanbao.logged_in()
        assert yuanbao.peer.tokens_given == 1
        assert (await yuanbao.platform._tokens.get()).token == "fake-token-1"
        await asyncio.sleep(3600 - 299)
        assert (await yuanbao.platform._tokens.get()).token == "fake-token-2"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@virtual_time
async def test_a_stale_token_is_replaced_and_wrong_credentials_end_it() -> None:
    async with rig() as yuanbao:
        yuanbao.peer.log_in_codes = [41104]
        with pytest.raises(ConnectionError, match="another token"):
            await yuanbao.platform.run(Gateway())
        running = asyncio.ensure_future(yuanbao.platform.run(Gateway()))
        await yuanbao.logged_in()
        assert yuanbao.peer.tokens_given == 2
        running.cancel()
        with pytest.raises(CredentialsRefused, match="10003"):
            await yuanbao.make("wrong", name="other").run(Gateway())


@virtual_time
@pytest.mark.parametrize("code", [4012, 4013, 4018, 4019, 4021])
async def test_a_bot_that_is_shut_out_does_not_knock_again(code: int) -> None:
    async with talking() as (yuanbao, _, running):
        await yuanbao.peer.close(BOT, code)
        with pytest.raises(CredentialsRefused, match=str(code)):
            await running


@virtual_time
async def test_a_bot_that_is_kicked_out_says_why() -> None:
    async with talking() as (yuanbao, _, running):
        await yuanbao.peer.kick_out(BOT, "another device")
        with pytest.raises(LoggedInElsewhere, match="another device"):
            await running


@virtual_time
async def test_in_a_group_the_message_that_is_answered_is_named() -> None:
    async with talking() as (yuanbao, _, _):
        target = Target("yuanbao", "g1", "work", reply_to=("m1",), chat_type="group")
        await yuanbao.platform.send(Delivery(DeliveryId("d1"), target, AgentId("main"), "hello"))
        (said,) = yuanbao.peer.said
    assert (said.group, said.chat, said.reply_to, said.text) == (True, "g1", "m1", "hello")


@virtual_time
async def test_a_group_that_is_gone_is_told_at_once() -> None:
    async with talking() as (yuanbao, _, _):
        yuanbao.peer.troubles.append("rejected")
        target = Target("yuanbao", "g1", "work", chat_type="group")
        with pytest.raises(SendPermanent, match="1652513"):
            await yuanbao.platform.send(Delivery(DeliveryId("d1"), target, AgentId("main"), "hello"))


@virtual_time
async def test_a_message_that_was_taken_back_is_told() -> None:
    async with talking() as (yuanbao, gateway, _):
        await yuanbao.peer.tell(BOT, yuanbao.peer.recall("m1", user="ada"))
        await asyncio.sleep(0.5)
        (revision,) = gateway.revisions
    assert (revision.chat_id, revision.message_id, revision.text) == ("ada", "m1", None)


@virtual_time
async def test_a_file_is_fetched_with_a_token_that_is_renewed_once() -> None:
    async with talking() as (yuanbao, gateway, _):
        await yuanbao.peer.tell(BOT, yuanbao.peer.file("a.txt", "text/plain", b"plans"))
        await asyncio.sleep(0.5)
        (attachment,) = gateway.heard[-1].attachments
        yuanbao.peer.bots[KEY].token = "somebody renewed it"
        assert await yuanbao.platform.fetch(attachment, 100) == b"plans"
        with pytest.raises(FetchFailed, match="larger"):
            await yuanbao.platform.fetch(attachment, 4)


@virtual_time
async def test_pings_go_at_the_pace_that_the_server_asks_for() -> None:
    async with talking() as (yuanbao, gateway, running):
        yuanbao.peer.heart_interval = 31
        await asyncio.sleep(6)
        before = gateway.signs
        await asyncio.sleep(28)
        assert gateway.signs == before
        await asyncio.sleep(4)
        assert gateway.signs == before + 1
        assert not running.done()


@virtual_time
async def test_two_bots_of_one_process_never_mix() -> None:
    async with talking() as (yuanbao, here, _):
        yuanbao.peer.bots["other-key"] = Bot("other-fake-secret", "bot-2")
        other, there = yuanbao.make("other-fake-secret", name="home", key="other-key"), Gateway()
        running = asyncio.ensure_future(other.run(there))
        await yuanbao.peer.connected("bot-2")
        await asyncio.sleep(0.5)
        await yuanbao.peer.tell(BOT, yuanbao.peer.message("to work", user="ada"))
        await yuanbao.peer.tell("bot-2", yuanbao.peer.message("to home", user="ada"))
        await asyncio.sleep(0.5)
        await other.send(Delivery(DeliveryId("d2"), Target("yuanbao", "ada", "home"), AgentId("main"), "from home"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert ([one.text for one in here.heard], [one.text for one in there.heard]) == (["to work"], ["to home"])
    assert [(said.bot, said.text) for said in yuanbao.peer.said] == [("bot-2", "from home")]
