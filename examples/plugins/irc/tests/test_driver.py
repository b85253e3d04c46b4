"""What the driver does in time: it keeps its nick and its channels, does not flood, and misses no sign of life."""

import asyncio
from collections.abc import Callable

import pytest
from bot import kept
from peer import Peer
from person import Person
from rig import CHANNEL, driver, rig

from serai.core.error import Busy, CredentialsRefused, SendUnknown, Startup
from serai.testing import virtual_time
from serai.testing.platform.rig import Utterance
from serai.testing.platform.stage import Gateway, Stage


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():
            await asyncio.sleep(0.25)


@virtual_time
async def test_the_own_nick_is_taken_back_once_it_is_free() -> None:
    async with Peer() as peer, await Person.there(peer, "serai") as other, kept(peer) as bot:
        other.types("NICK somebody")
        await until(lambda: bot.gateway.logins == ["serai_", "serai"])


@virtual_time
async def test_nicks_that_are_tried_are_no_longer_than_the_own_or_nine() -> None:
    async with (
        Peer() as peer,
        await Person.there(peer, "abcdefghijkl"),
        await Person.there(peer, "abcdefghijk_"),
        kept(peer, nick="abcdefghijkl") as bot,
    ):
        assert bot.gateway.logins == ["abcdefghij__"]


@virtual_time
async def test_a_nick_that_the_server_does_not_take_shuts_the_account() -> None:
    async with Peer() as peer:
        with pytest.raises(CredentialsRefused, match="choose another `nick`"):
            await driver(peer, nick="x" * 31).run(Gateway())


@virtual_time
async def test_a_channel_is_joined_again_some_time_after_a_kick() -> None:
    async with (
        Peer() as peer,
        kept(peer),
        await Person.there(peer, "alice", CHANNEL) as alice,
    ):
        began = asyncio.get_running_loop().time()
        alice.types(f"KICK {CHANNEL} serai :out")
        await alice.sees("KICK")
        assert (await alice.sees("JOIN")).startswith(":serai!")
        assert 0 < asyncio.get_running_loop().time() - began <= 30


@virtual_time
async def test_a_quiet_server_is_asked_for_signs_of_life() -> None:
    async with Peer() as peer, kept(peer) as bot:
        before = bot.gateway.signs
        await asyncio.sleep(300)
        assert bot.gateway.signs - before >= 300 // 30
        assert bot.ends == []


@virtual_time
async def test_after_four_lines_each_further_one_takes_two_seconds() -> None:
    async with Peer() as peer, await Person.there(peer, "alice") as alice, kept(peer, line_interval_s=2.0) as bot:
        began = asyncio.get_running_loop().time()
        await bot.says("alice", "1\n2\n3\n4")
        assert asyncio.get_running_loop().time() - began < 1
        await bot.says("alice", "5\n6")
        assert 3.9 < asyncio.get_running_loop().time() - began < 5
        assert (await alice.sees(":6")).endswith("PRIVMSG alice :6")
        assert [line.partition(" :")[2] for line in alice.lines if "PRIVMSG" in line] == list("123456")


@virtual_time
async def test_sends_at_once_do_not_mix_their_lines_or_their_outcomes() -> None:
    async with Peer() as peer, await Person.there(peer, "alice"), kept(peer) as bot:
        says = [bot.says("alice", f"a{n}\nb{n}") if n % 2 else bot.says("nobody", "x") for n in range(8)]
        outcomes = await asyncio.gather(*says, return_exceptions=True)
        assert [outcome is None for outcome in outcomes] == [n % 2 == 1 for n in range(8)]
        said = [text for _, _, text in peer.said]
        assert said == [f"{letter}{n}" for n in (1, 3, 5, 7) for letter in "ab"]


@virtual_time
async def test_a_late_confirmation_confirms_nothing_else() -> None:
    async with rig() as one:
        running = asyncio.create_task(one.platform.run(Gateway()))
        await one.logged_in()
        stage = Stage(one, Gateway())
        await one.fault("timeout")
        assert isinstance(await stage.failure(stage.delivery()), SendUnknown)
        assert one.bot is not None
        one.bot.reply("PONG irc.test :said-1")
        await stage.rig.platform.send(stage.delivery("next"))
        assert [seen.text for seen in one.seen] == ["next"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@virtual_time
async def test_whoever_floods_a_busy_gateway_is_not_answered_in_a_flood() -> None:
    async with rig() as one:
        gateway = Gateway()
        running = asyncio.create_task(one.platform.run(gateway))
        await one.logged_in()
        gateway.errors.extend(Busy("too many wait here") for _ in range(20))
        await one.inject([one.payload(Utterance("hello", message=f"{n}")) for n in range(20)])
        assert one.bot is not None
        notices = [words for words in one.bot.log if words[0] == "NOTICE"]
        assert 0 < len(notices) <= 4
        assert notices[0][1:] == ("42", "Your last message was not taken. Please send it again later.")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@virtual_time
async def test_accounts_are_asked_for_and_needed_where_people_are_known_by_them() -> None:
    async with Peer(capabilities=("account-tag", "echo-message")) as peer, kept(peer, known_by="account"):
        assert ("CAP", "REQ", "account-tag") in peer.clients[0].log
    async with Peer() as peer:
        with pytest.raises(CredentialsRefused, match="set `known_by`"):
            await driver(peer, known_by="account").run(Gateway())


@virtual_time
async def test_without_a_password_none_is_sent() -> None:
    async with Peer(password="") as peer:
        one = driver(peer, password=None)
        running = asyncio.create_task(one.run(Gateway()))
        await until(lambda: bool(peer.clients and peer.clients[0].welcome))
        assert "PASS" not in [words[0] for words in peer.clients[0].log]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("password", ["", "  ", "two\r\nlines"])
def test_a_password_that_is_none_refuses_to_start(password: str) -> None:
    closed = Peer()
    closed.port = 6667
    with pytest.raises(Startup, match="irc@lab"):
        driver(closed, password=password)
