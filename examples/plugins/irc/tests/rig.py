"""The driver with its peer, for Serai's contract of platforms."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from peer import PASSWORD, Client, Peer
from serai_irc.config import IrcConfig
from serai_irc.driver import Irc

from serai.core.ids import Account
from serai.testing import SeededEntropy
from serai.testing.platform.malformed import Malformed, damaged, texts
from serai.testing.platform.rig import Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Gateway

ACCOUNT: Final = Account("irc", "lab")
CHANNEL: Final = "#serai"
IDS: Final = ("a", "ab", "b|c", "b{c}", "`x^", "n-1", "_", "x" * 30)
"""Nicks that are easily taken for one another; other signs cannot stand in one, and A to Z are a to z."""

_LONGEST: Final = 16384
"""Bytes of a line after which the driver no longer waits for its end."""

_ALICE: Final = ":Alice!~alice@127.0.0.1"
_CAPTURED: Final = (
    # As ngIRCd 26.1 sends them.
    ("in a channel", f"{_ALICE} PRIVMSG #serai :hello, all", False),
    ("in a query", f"{_ALICE} PRIVMSG serai :hello", False),
    ("what /me does", f"{_ALICE} PRIVMSG #serai :\x01ACTION waves\x01", False),
    ("a notice", f"{_ALICE} NOTICE #serai :the door is open", True),
    ("a notice of the server", ":irc.test NOTICE serai :Connection statistics: client 0.2 kb, server 1.6 kb.", True),
    ("somebody joins", f"{_ALICE} JOIN :#serai", True),
    ("somebody leaves", f'{_ALICE} PART #serai :"bye"', True),
    ("somebody quits", f'{_ALICE} QUIT :"bye"', True),
    ("another nick", f"{_ALICE} NICK :alicia", True),
    ("a mode", ":irc.test MODE #serai +o Alice", True),
    ("a topic", f"{_ALICE} TOPIC #serai :Agents", True),
    ("an invitation", f"{_ALICE} INVITE serai #other", True),
    ("who is there", ":irc.test 353 serai = #serai :serai @Alice", True),
    # As other clients and servers do.
    ("a question of a client", f"{_ALICE} PRIVMSG serai :\x01VERSION\x01", True),
    ("nothing but colour", f"{_ALICE} PRIVMSG #serai :\x0304,12\x03", True),
    ("to operators alone", f"{_ALICE} PRIVMSG $*.test :maintenance at nine", True),
    (
        "with tags",
        f"@msgid=a\\:b;time=2026-11-26T10:00:00.000Z;+draft/reply=x {_ALICE} PRIVMSG #serai :tagged",
        False,
    ),
    ("no words", f"{_ALICE} PRIVMSG #serai :", True),
    ("no text", f"{_ALICE} PRIVMSG #serai", True),
    ("no sender", "PRIVMSG #serai :hello", True),
    ("no command", _ALICE, True),
    ("nothing", "", True),
    ("a PING that cannot be answered", f"PING :{'x' * 600}", True),
)


class IrcRig:
    """Plays `PlatformRig` and `LiveRig`. The chat "1" is a channel, others are queries of people of that nick."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.platform = driver(peer)
        self._marks = 0

    @property
    def secrets(self) -> Sequence[str]:
        return (PASSWORD,)

    @property
    def ids(self) -> Sequence[str]:
        return IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [Seen(target, text) for _, target, text in self.peer.said]

    @property
    def bot(self) -> Client | None:
        """The driver's connection, where it is logged in and in its channel."""
        alive = [one for one in self.peer.clients if one.welcome and not one.muted and CHANNEL in one.channels]
        return alive[-1] if alive else None

    def captured(self) -> Sequence[Captured]:
        latin = Captured("Latin letters", b":Alice!~alice@127.0.0.1 PRIVMSG #serai :gr\xfc\xdfe")
        return [latin, *(Captured(name, line.encode(), ignored) for name, line, ignored in _CAPTURED)]

    def malformed(self) -> Sequence[Malformed]:
        good = f"@msgid=m7 {_ALICE} PRIVMSG #serai :hello".encode()
        found = [*damaged(good, 1), *(replace(one, payload=str(one.payload).encode()) for one in texts())]
        own = [
            f":serai!~serai@127.0.0.1 {verb}".encode() for verb in ("JOIN", "NICK", "NICK :", "PART", "KICK #serai")
        ]
        bare = [command.encode() for command in ("001", "401", "433", "PONG", "PING", "KICK", "CAP", "PRIVMSG :")]
        found += [Malformed(f"it is no more than {line!r}", line) for line in (*own, *bare)]
        return [replace(one, ends=len(one.payload) > _LONGEST) for one in found]

    async def garble(self, payload: object) -> None:
        bot = self.bot
        assert bot is not None, "the driver is not connected"
        assert isinstance(payload, bytes)
        self._marks += 1
        bot.raw(payload + f"\r\nPING :mark-{self._marks}\r\n".encode())
        while self.bot is bot and ("PONG", f"mark-{self._marks}") not in bot.log:
            await asyncio.sleep(0.01)

    def payload(self, utterance: Utterance) -> object:
        to_all = utterance.chat == "1"
        sender, target = (utterance.user, CHANNEL) if to_all else (utterance.chat, self._nick)
        tag = utterance.message.replace("\\", "\\\\").replace(";", "\\:").replace(" ", "\\s")
        return f"@msgid={tag} :{sender}!~u@127.0.0.1 PRIVMSG {target} :{utterance.text}".encode()

    def echo(self, text: str) -> object:
        return f":{self._nick}!~serai@127.0.0.1 PRIVMSG {CHANNEL} :{text}".encode()

    @property
    def _nick(self) -> str:
        return self.bot.nick if self.bot is not None else "serai"

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        """IRC has no acknowledgement: a message is taken where the driver goes on without telling its sender that
        it was not. A PING behind each marks where it goes on."""
        bot = self.bot
        assert bot is not None, "the driver is not connected"
        marks = []
        for payload in payloads:
            assert isinstance(payload, bytes)
            self._marks += 1
            marks.append(("PONG", f"mark-{self._marks}"))
            bot.raw(payload + b"\r\n" + f"PING :mark-{self._marks}\r\n".encode())
        start = len(bot.log)
        async with asyncio.timeout(60):
            while marks[-1] not in bot.log:
                await asyncio.sleep(0.01)
        taken = []
        for mark in marks:
            end = bot.log.index(mark, start)
            taken.append(not any(words[0] == "NOTICE" for words in bot.log[start:end]))
            start = end
        return taken

    async def fault(self, fault: Fault) -> None:
        if fault == "refused":
            await self.peer.close()
            await asyncio.sleep(0.1)  # the driver notices
        else:
            self.peer.fault = fault

    async def logged_in(self) -> None:
        while self.bot is None:
            await asyncio.sleep(0.25)

    async def start_blank(self) -> None:
        await driver(self.peer, password=" ").run(Gateway())

    async def sever(self, how: Sever) -> None:
        bot = self.bot
        assert bot is not None, "the driver is not connected"
        if how == "silent":
            bot.muted = True
        elif how == "cut":
            bot.cut()
        else:
            bot.end("Closing link" if how == "closed_1000" else None)
        while self.bot is bot:
            await asyncio.sleep(0.25)

    async def revoke(self) -> None:
        self.peer.password = "fake-other-password"
        await self.sever("closed_1000")


def config(**changes: object) -> IrcConfig:
    """The settings of an account at a server on loopback."""
    fields: dict[str, object] = {"tls": False, "channels": (CHANNEL,), "password_env": "IRC_PASSWORD"}
    return IrcConfig.model_validate({"server": "127.0.0.1", "nick": "serai", "known_by": "nick"} | fields | changes)


def driver(peer: Peer, *, password: str | None = PASSWORD, **changes: object) -> Irc:
    """A driver whose server is the peer."""
    return Irc(ACCOUNT, config(port=peer.port, **changes), password, SeededEntropy())


@asynccontextmanager
async def rig() -> AsyncIterator[IrcRig]:
    """A driver, and a server that gives messages ids and knows everybody."""
    async with Peer(capabilities=("message-tags",)) as peer:
        peer.crowd |= {*IDS, CHANNEL}
        yield IrcRig(peer)
