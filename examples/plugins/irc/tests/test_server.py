"""People and the bot at a real server, ngIRCd, and the same at the peer: so the peer is as honest as it must be."""

import asyncio
import re
from contextlib import suppress

import pytest
from bot import Bot, kept
from conftest import Serving
from peer import OPERATOR, PASSWORD
from person import PATIENCE_S, Person
from rig import ACCOUNT, config
from serai_irc.driver import Irc
from serai_irc.outgoing import TEXT_LIMIT

from serai.core.error import CredentialsRefused, SendFailed, SendPermanent
from serai.testing import SeededEntropy, virtual_time
from serai.testing.platform.stage import Gateway


def test_two_people_and_the_bot_talk_in_a_channel_and_in_queries(serving: Serving) -> None:
    async def scene() -> None:
        async with (
            serving() as server,
            kept(server) as bot,
            await Person.there(server, "Alice", "#serai") as alice,
            await Person.there(server, "bob", "#serai") as bob,
        ):
            alice.types("PRIVMSG #serai :Serai: what is the time?")
            await bot.until(1)
            bob.types("PRIVMSG #SERAI :nobody asked you", "PRIVMSG serai :a secret")
            await bot.until(3)
            await bot.says("#serai", "Half past nine.\n\nOr so.")
            await bot.says("bob", "Which one?")
            for person in (alice, bob):
                assert (await person.sees("nine")).endswith(" PRIVMSG #serai :Half past nine.")
                assert (await person.sees("PRIVMSG")).endswith(" PRIVMSG #serai :Or so.")
            assert (await bob.sees("PRIVMSG")).endswith(" PRIVMSG bob :Which one?")
        assert bot.heard == [
            ("group", "#serai", "alice", "what is the time?", True),
            ("group", "#serai", "bob", "nobody asked you", False),
            ("dm", "bob", "bob", "a secret", False),
        ]
        assert bot.gateway.heard[0].source.user_name == "Alice"

    asyncio.run(scene())


def test_a_bot_that_is_stopped_says_so(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server, await Person.there(server, "alice", "#serai") as alice:
            async with kept(server):
                await alice.sees("JOIN")
            assert (await alice.sees("QUIT")).endswith(' QUIT :"Serai stops here"')

    asyncio.run(scene())


def test_a_text_of_the_limit_arrives_whole_in_the_longest_channel(serving: Serving) -> None:
    channel, nick = "#" + "c" * 49, "s" * 30

    async def scene() -> None:
        async with (
            serving() as server,
            await Person.there(server, "alice", channel) as alice,
            kept(server, nick=nick, channels=(channel,)) as bot,
        ):
            await bot.says(channel, "🙂" * (TEXT_LIMIT // 4))
            await bot.says(channel, "x" * TEXT_LIMIT)
            pieces = [(await alice.sees("PRIVMSG")).partition(" :")[2] for _ in range(2)]
            assert pieces == ["🙂" * (TEXT_LIMIT // 4), "x" * TEXT_LIMIT]

    asyncio.run(scene())


def test_what_cannot_be_said_is_told(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server, kept(server) as bot:
            for nobody in ("nobody", "#nowhere"):
                with pytest.raises(SendPermanent, match="No such nick or channel name"):
                    await bot.says(nobody, "hello?")

    asyncio.run(scene())


def test_a_taken_nick_is_left_to_who_has_it(serving: Serving) -> None:
    async def scene() -> None:
        async with (
            serving() as server,
            await Person.there(server, "Serai", "#serai") as other,
            kept(server) as bot,
        ):
            assert bot.gateway.logins == ["serai_"]
            await other.sees("JOIN")
            other.types("PRIVMSG #serai :serai_, are you there?", "PRIVMSG #serai :serai is me")
            await bot.until(2)
            said = [(text, mentioned) for *_, text, mentioned in bot.heard]
            assert said == [("are you there?", True), ("serai is me", False)]

    asyncio.run(scene())


def test_a_wrong_password_shuts_the_account(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server:
            bot = Bot(server, "fake-wrong-password")
            async with asyncio.timeout(PATIENCE_S):
                await bot.keep()
        assert isinstance(bot.shut, CredentialsRefused)
        assert "password_env" in str(bot.shut)
        assert "fake-wrong-password" not in str(bot.shut)

    asyncio.run(scene())


def test_a_killed_bot_comes_back(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server, kept(server) as bot, await Person.there(server, "oper") as operator:
            operator.types(f"OPER {OPERATOR[0]} {OPERATOR[1]}", "KILL serai :enough")
            await bot.until(2, logins=True)
            assert "enough" in str(bot.ends[0])
            operator.types("PRIVMSG serai :sorry")
            await bot.until(1)

    asyncio.run(scene())


def test_a_banned_bot_stays_away(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server, await Person.there(server, "oper") as operator:
            operator.types(f"OPER {OPERATOR[0]} {OPERATOR[1]}", "KLINE *!~serai@* 100 :no bots here")
            await operator.replies()
            bot = Bot(server)
            async with asyncio.timeout(PATIENCE_S):
                await bot.keep()
        assert isinstance(bot.shut, CredentialsRefused)
        assert "no bots here" in str(bot.shut)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        (":irc.test 464 * :Password incorrect", CredentialsRefused),
        (":irc.test 465 * :You are banned: no bots", CredentialsRefused),
        ("ERROR :Closing Link: throttled, try again later", ConnectionError),
    ],
)
@virtual_time
async def test_what_other_servers_say_at_the_door(reply: str, end: type[Exception]) -> None:
    async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"USER serai 0 * :Serai\r\n")
        writer.write(f"{reply}\r\n".encode())
        writer.close()

    async with await asyncio.start_server(door, "127.0.0.1", 0) as server:
        settings = config(port=server.sockets[0].getsockname()[1])
        with pytest.raises(end, match=r"password|no bots|throttled"):
            await Irc(ACCOUNT, settings, PASSWORD, SeededEntropy()).run(Gateway())


def test_a_restart_of_the_server_loses_nothing_that_is_said_after_it(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server, kept(server) as bot:
            await server.restart()
            with suppress(SendFailed):  # what is said meanwhile may get lost, and that is told
                await bot.says("alice", "still here?")
            await bot.until(2, logins=True)
            async with await Person.there(server, "alice", "#serai") as alice:
                alice.types("PRIVMSG serai :back again")
                await bot.until(1)
                await bot.says("alice", "so am I")
                assert "still here?" not in await alice.sees("PRIVMSG")

    asyncio.run(scene())


def test_the_server_answers_word_for_word_what_the_driver_relies_on(serving: Serving) -> None:
    async def scene() -> None:
        async with serving() as server, await Person.outside(server) as outsider:
            outsider.types("PASS fake-wrong", "NICK alice", "USER alice 0 * :alice")
            assert await outsider.end() == ["ERROR :Access denied: Bad password?"]
            async with await Person.there(server, "alice") as alice, await Person.outside(server) as bob:
                await _login(bob, server.password)
                await _channel(alice, bob)
                await _limits(alice, bob)

    asyncio.run(scene())


async def _login(bob: Person, password: str) -> None:
    """With a nick that is taken at first."""
    bob.types("CAP LS 302", f"PASS {password}", "NICK Alice", "USER bob 0 * :bob", "NICK bob", "CAP END")
    assert await bob.sees("CAP") == ":irc.test CAP * LS :multi-prefix"
    assert re.match(r":irc\.test 433 \S+ Alice :", await bob.sees("433"))
    assert (await bob.sees(" 001 ")).startswith(":irc.test 001 bob :")
    await bob.replies()


async def _channel(alice: Person, bob: Person) -> None:
    """Names in other letters, refusals, a kick."""
    bob.types("JOIN #Serai")
    assert (await bob.replies())[0] == ":bob!~bob@127.0.0.1 JOIN :#Serai"
    alice.types("JOIN #serai", "PRIVMSG #SERAI :hello")
    await alice.replies()
    bob.types("PRIVMSG nobody :x", "NICK :a,b")
    seen = await bob.replies()
    assert seen[:3] == [
        ":alice!~alice@127.0.0.1 JOIN :#serai",
        ":alice!~alice@127.0.0.1 PRIVMSG #Serai :hello",
        ":irc.test 401 bob nobody :No such nick or channel name",
    ]
    assert seen[3].startswith(":irc.test 432 bob a,b :")
    bob.types("PING :a token", "KICK #serai alice :no")
    assert await bob.sees("PONG") == ":irc.test PONG irc.test :a token"
    assert await alice.sees("KICK") == ":bob!~bob@127.0.0.1 KICK #Serai alice :no"
    bob.types("NICK robert")
    assert await bob.sees("NICK") == ":bob!~bob@127.0.0.1 NICK :robert"


async def _limits(alice: Person, bob: Person) -> None:
    """A line that is too long with its prefix is cut, and one that is too long ends the connection."""
    bob.types("PRIVMSG alice :" + "y" * (510 - len("PRIVMSG alice :")))
    assert len(await alice.sees("PRIVMSG")) == 510
    bob.types("PRIVMSG alice :" + "z" * 600)
    assert "ERROR :Request too long" in await bob.end()
