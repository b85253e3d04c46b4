"""How a connection begins, ends and comes back, and that nothing is lost meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from serai.core.error import Busy, CredentialsRefused, SendTemporary, Shut, Startup, StorageFailed
from serai.core.ids import Account
from serai.platforms.discord.driver import Discord
from serai.platforms.discord.endpoint import Endpoint
from serai.testing.clock import virtual_time
from serai.testing.platform.rig import Utterance
from serai.testing.platform.stage import Gateway, Stage
from tests.platforms.discord.rig import DiscordRig, rig


@asynccontextmanager
async def running(driver: Discord, gateway: Gateway) -> AsyncIterator[None]:
    """The driver, run again a second after each end that does not forbid it."""

    async def keep() -> None:
        while gateway.shut is None:
            try:
                await driver.run(gateway)
            except Shut as error:
                gateway.shut = error
            except ConnectionError as error:
                gateway.ends.append(error)
                await asyncio.sleep(1)

    task = asyncio.ensure_future(keep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def staged(**peer: float) -> AsyncIterator[tuple[DiscordRig, Gateway, Stage]]:
    gateway = Gateway()
    async with rig(**peer) as one, running(one.platform, gateway):
        await one.logged_in()
        yield one, gateway, Stage(one, gateway)


def texts(gateway: Gateway) -> list[str]:
    return [inbound.text for inbound in gateway.heard]


@virtual_time
async def test_a_resumed_session_replays_what_the_cut_had_swallowed() -> None:
    async with staged() as (one, gateway, stage):
        await stage.say(Utterance("one", message="1"))
        one.peer.gateway.hush(one.bot)
        chat = one.peer.world.channels["1"]
        await one.peer.says("two", channel=chat, message_id="2")
        await asyncio.sleep(70)  # the library takes a minute of silence for the end
        assert texts(gateway) == ["one", "two"]
        assert [op for op, _ in one.peer.gateway.log if op in (2, 6)] == [2, 6]


@virtual_time
async def test_what_was_said_while_no_session_was_there_is_read_from_history() -> None:
    async with staged() as (one, gateway, _):
        chat = one.peer.world.channels["1"]
        await one.peer.says("one", channel=chat)
        await asyncio.sleep(1)
        one.peer.gateway.hush(one.bot)
        one.peer.gateway.forget()
        await one.peer.says("two", channel=chat)
        await one.peer.says("three", channel=chat)
        await asyncio.sleep(80)
        await one.peer.says("four", channel=chat)
        await asyncio.sleep(1)
        assert texts(gateway) == ["one", "two", "three", "four"]
        assert [op for op, _ in one.peer.gateway.log if op in (2, 6)] == [2, 6, 2]


@virtual_time
async def test_a_restarted_gateway_reads_on_where_the_last_one_ended() -> None:
    async with rig() as one:
        guild = one.peer.world.guild("Guild")
        ada = one.peer.world.user("Ada")
        role = one.peer.world.role(guild, "Staff")
        for user, roles in ((one.bot, ()), (ada, (role,))):
            one.peer.world.join(guild, user, *roles)
        general = one.peer.world.channel(guild, "general")
        chat = one.peer.world.channels["1"]
        first, second = Gateway(), Gateway()
        async with running(one.platform, first):
            await one.logged_in()
            await one.peer.says("before", channel=chat)
            await asyncio.sleep(1)
        assert texts(first) == ["before"]
        thread = one.peer.world.channel(guild, "a thread", kind=11, parent=general.id)
        await one.peer.says("in a direct chat", channel=chat)
        await one.peer.says(f"<@{one.bot.id}> in a channel", channel=general, user=ada, mentions=(one.bot,))
        await one.peer.says("in a new thread", channel=thread, user=ada)
        async with running(one.driver(), second):
            await asyncio.sleep(10)
        assert sorted(texts(second)) == ["in a channel", "in a direct chat", "in a new thread"]
        sources = {inbound.text: inbound.source for inbound in second.heard}
        assert sources["in a channel"].roles == (role,)
        assert sources["in a new thread"].parent_chat_id == general.id
        assert {inbound.text: inbound.mentioned for inbound in second.heard}["in a channel"]


@virtual_time
async def test_the_first_start_answers_nothing_that_was_said_before() -> None:
    async with rig() as one:
        await one.peer.says("long ago", channel=one.peer.world.channels["1"], message_id="5")
        gateway = Gateway()
        async with running(one.platform, gateway):
            await one.logged_in()
            await asyncio.sleep(10)
        assert gateway.heard == []


@virtual_time
async def test_what_could_not_be_stored_is_read_again_in_order_without_another_word() -> None:
    for error in (StorageFailed("the disk is full"), Busy("too many wait here", retry_after=2)):
        async with staged() as (one, gateway, _):
            gateway.errors.append(error)
            chat, other = one.peer.world.channels["1"], one.peer.world.channels["7"]
            await one.peer.says("one", channel=chat)
            await asyncio.sleep(1)
            await one.peer.says("elsewhere", channel=other)
            await asyncio.sleep(1)
            assert texts(gateway) == ["elsewhere"]
            await asyncio.sleep(10)
            await one.peer.says("two", channel=chat)
            await asyncio.sleep(1)
            assert texts(gateway) == ["elsewhere", "one", "two"]


@pytest.mark.parametrize("code", [1000, 1001, 1006, 4000, 4007, 4008, 4009])
def test_a_close_that_may_pass_is_answered_by_a_new_connection(code: int) -> None:
    @virtual_time
    async def close() -> None:
        async with staged() as (one, gateway, _):
            if code == 1006:
                one.peer.gateway.cut(one.bot)
            else:
                await one.peer.gateway.close(one.bot, code)
            await one.peer.says("meanwhile", channel=one.peer.world.channels["1"])
            await asyncio.sleep(30)
            assert texts(gateway) == ["meanwhile"]
            assert gateway.shut is None
            assert gateway.logins[-1] == str(one.bot.name.lower().replace(" ", "_"))

    close()


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (4004, CredentialsRefused, "token"),
        (4014, CredentialsRefused, "Message Content Intent"),
        (4013, Shut, "4013"),
        (4012, Shut, "4012"),
        (4011, Shut, "2,500"),
    ],
)
def test_a_close_for_good_shuts_the_connection_and_says_what_to_do(code: int, kind: type[Shut], words: str) -> None:
    @virtual_time
    async def close() -> None:
        async with staged() as (one, gateway, _):
            await one.peer.gateway.close(one.bot, code)
            await asyncio.sleep(5)
            assert isinstance(gateway.shut, kind)
            assert words in str(gateway.shut)

    close()


@virtual_time
async def test_an_intent_that_is_switched_off_is_named() -> None:
    async with rig() as one:
        one.peer.gateway.content_allowed = False
        with pytest.raises(CredentialsRefused, match="Message Content Intent"):
            await one.platform.run(Gateway())


@virtual_time
async def test_a_wrong_token_is_named_without_being_told() -> None:
    async with rig() as one:
        with pytest.raises(CredentialsRefused, match="token") as caught:
            await one.driver("fake-wrong-token").run(Gateway())
        assert "fake-wrong-token" not in str(caught.value)


@virtual_time
async def test_a_gateway_that_sends_everybody_away_is_left_to_the_supervisor() -> None:
    async with rig() as one:
        one.peer.gateway.welcome = [4000]
        with pytest.raises(ConnectionError):
            await one.platform.run(Gateway())
        gateway = Gateway()
        running_ = asyncio.ensure_future(one.platform.run(gateway))
        await one.logged_in()
        one.peer.gateway.welcome = [4000] * 50
        await one.peer.gateway.close(one.bot, 4000)
        with pytest.raises(ConnectionError):
            await running_
        assert len(one.peer.gateway.welcome) > 30


@virtual_time
async def test_no_network_is_a_connection_error() -> None:
    async with rig() as one:
        await one.peer.refuse_connections()
        with pytest.raises(ConnectionError, match="no connection to Discord"):
            await one.platform.run(Gateway())
        with pytest.raises(SendTemporary, match="not connected"):
            await one.platform.send(Stage(one, Gateway()).delivery())


@virtual_time
async def test_two_bots_in_one_process_hear_and_answer_each_its_own() -> None:
    async with rig() as one:
        token = one.peer.token("Second Bot")
        second = one.driver(token, Account("discord", "second"))
        chat = one.peer.direct("Bea", token=token)
        first_gateway, second_gateway = Gateway(), Gateway()
        async with running(one.platform, first_gateway), running(second, second_gateway):
            await one.logged_in()
            await one.peer.gateway.connected(one.peer.bot(token))
            await asyncio.sleep(3)
            await one.peer.says("to the first", channel=one.peer.world.channels["1"])
            await one.peer.says("to the second", channel=chat)
            await asyncio.sleep(1)
            await second.send(Stage(one, second_gateway).delivery("from the second", chat=chat.id))
            await one.platform.send(Stage(one, first_gateway).delivery("from the first"))
        assert (texts(first_gateway), texts(second_gateway)) == (["to the first"], ["to the second"])
        names = [(message["author"]["username"], message["content"]) for message in one.peer.sent]
        assert names == [("second_bot", "from the second"), ("serai_bot", "from the first")]


@virtual_time
async def test_accounts_with_another_endpoint_are_refused_while_one_runs() -> None:
    async with staged() as (one, _, __):
        elsewhere = Endpoint("http://127.0.0.1:1/api/v10", "ws://127.0.0.1:1")
        other = Discord(Account("discord", "b"), "x", one.session, one.clock, one.folder, endpoint=elsewhere)
        with pytest.raises(Startup, match="one endpoint"):
            await other.run(Gateway())


async def test_heartbeats_are_sent_and_their_answers_are_signs_of_life() -> None:
    """In real time: the library sends heartbeats from a thread of its own."""
    gateway = Gateway()
    async with rig(beat_s=0.05, ask_s=1000) as one, running(one.platform, gateway):
        await one.peer.gateway.connected(one.bot)
        async with asyncio.timeout(20):
            while [op for op, _ in one.peer.gateway.log].count(1) < 4:
                await asyncio.sleep(0.05)
            while gateway.signs < 6:  # hello, and answers to heartbeats
                await asyncio.sleep(0.05)
