"""A server of IRC on loopback, as far as the driver and a few people need one. It behaves like ngIRCd, which
`test_server.py` holds it against, and can besides tell messages' ids (IRCv3) and fail when it is told to.

async with Peer() as peer:
    ...  # peer.port
"""

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Final

from serai.testing.platform.rig import Fault

PASSWORD: Final = "fake-irc-password"
OPERATOR: Final = ("op", "fake-operator-password")
NAME: Final = "irc.test"
_NICK_SIGNS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789[]\\`_^{|}-")
_NICK_LENGTH: Final = 30

_LOGIN: Final = frozenset({"CAP", "PASS", "NICK", "USER", "PING", "PONG"})
_COMMANDS: Final = _LOGIN | {"JOIN", "KICK", "PRIVMSG", "NOTICE", "OPER", "KILL", "KLINE", "QUIT"}

_REFUSALS: Final[dict[Fault, str]] = {
    "rate_limited": "263 {nick} PRIVMSG :Please wait a while and try again.",
    "server_error": "400 {nick} PRIVMSG :Internal error",
    "rejected": "404 {nick} {target} :Cannot send to channel",
}


class Client:
    """One connection. `log` is every command that came, split into words; `muted` is a connection that is dead."""

    def __init__(self, peer: "Peer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peer = peer
        self._reader = reader
        self._writer = writer
        self._password = ""
        self.user = ""
        self._negotiating = False
        self.nick = ""
        self.welcome = False
        self.operator = False
        self.muted = False
        self.channels: set[str] = set()
        self.log: list[tuple[str, ...]] = []

    async def run(self) -> None:
        try:
            while data := await self._reader.readline():
                if self.muted:
                    continue
                if len(data) > 512:
                    self.end("Request too long")
                    return
                self.take(_words(data.decode().rstrip("\r\n")))
        except ConnectionError:
            pass
        finally:
            self._writer.close()
            self._peer.gone(self)

    def tell(self, text: str) -> None:
        """Sends a line, cut where it is over the limit."""
        tags = text[: text.index(" ") + 1] if text.startswith("@") else ""
        if not self.muted and not self._writer.is_closing():
            self._writer.write(tags.encode() + text[len(tags) :].encode()[:510] + b"\r\n")

    def raw(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._writer.write(data)

    def reply(self, text: str) -> None:
        self.tell(f":{NAME} {text}")

    def end(self, reason: str | None) -> None:
        """Ends the connection cleanly, with a word or without."""
        if reason is not None:
            self.tell(f"ERROR :{reason}")
        self._writer.close()

    def cut(self) -> None:
        self._writer.transport.abort()

    @property
    def prefix(self) -> str:
        return f":{self.nick}!~{self.user}@127.0.0.1"

    def take(self, words: tuple[str, ...]) -> None:
        """One command. An unknown one is a fault of the driver."""
        self.log.append(words)
        command, params = words[0], words[1:]
        meant: Callable[..., None] | None = (
            getattr(self, f"_{command.lower()}", None) if command in _COMMANDS else None
        )
        if meant is None or (not self.welcome and command not in _LOGIN):
            self._peer.faults.append(" ".join(words))
            return
        meant(*params)

    def _cap(self, verb: str, what: str = "") -> None:
        self._negotiating = verb != "END"
        if verb == "LS":
            self.reply(f"CAP * LS :{' '.join(self._peer.capabilities)}")
        elif verb == "REQ":
            known = set(what.split()) <= set(self._peer.capabilities)
            self.reply(f"CAP * {'ACK' if known else 'NAK'} :{what}")
        self._register()

    def _pass(self, password: str) -> None:
        self._password = password

    def _user(self, name: str, *_: str) -> None:
        self.user = name
        self._register()

    def _nick(self, nick: str) -> None:
        me = self.nick or "*"
        if len(nick) > _NICK_LENGTH or not set(nick.lower()) <= _NICK_SIGNS:
            self.reply(f"432 {me} {nick} :Erroneous nickname")
        elif (other := self._peer.find(nick)) is not None and other is not self:
            self.reply(f"433 {me} {nick} :Nickname already in use")
        else:
            old, self.nick = self.prefix, nick
            if self.welcome:
                for one in self._peer.near(self):
                    one.tell(f"{old} NICK :{nick}")
            self._register()

    def _register(self) -> None:
        if self.welcome or self._negotiating or not self.nick or not self.user:
            return
        if self._password != self._peer.password:
            self.end("Access denied: Bad password?")
            return
        for mask, reason in self._peer.lines.items():
            if fnmatchcase(self.prefix[1:], mask):
                self.end(f'Access denied: "{reason}" (K-Line)')
                return
        self.welcome = True
        self.reply(f"001 {self.nick} :Welcome to the Internet Relay Network {self.prefix[1:]}")
        self.reply(f"376 {self.nick} :End of MOTD command")

    def _join(self, channel: str) -> None:
        self._peer.channels.setdefault(channel.lower(), channel)
        self.channels.add(channel.lower())
        for one in self._peer.near(self, channel):
            one.tell(f"{self.prefix} JOIN :{channel}")
        self.reply(f"366 {self.nick} {channel} :End of NAMES list")

    def _kick(self, channel: str, nick: str, reason: str) -> None:
        channel = self._peer.channels[channel.lower()]
        for one in self._peer.near(self, channel):
            one.tell(f"{self.prefix} KICK {channel} {nick} :{reason}")
        if (out := self._peer.find(nick)) is not None:
            out.channels.discard(channel.lower())

    def _privmsg(self, target: str, text: str) -> None:
        self._peer.relay(self, "PRIVMSG", target, text)

    def _notice(self, target: str, text: str) -> None:
        self._peer.relay(self, "NOTICE", target, text)

    def _ping(self, token: str) -> None:
        if not self._peer.swallow():
            self.reply(f"PONG {NAME} :{token}")

    def _pong(self, token: str) -> None: ...

    def _oper(self, name: str, password: str) -> None:
        self.operator = (name, password) == OPERATOR
        self.reply(f"381 {self.nick} :You are now an IRC Operator" if self.operator else f"464 {self.nick} :No")

    def _kill(self, nick: str, reason: str) -> None:
        victim = self._peer.find(nick)
        if self.operator and victim is not None:
            victim.tell(f"{self.prefix} KILL {nick} :{reason}")
            victim.end(f"KILLed by {self.nick}: {reason}")

    def _kline(self, mask: str, _seconds: str, reason: str) -> None:
        if self.operator:
            self._peer.lines[mask] = reason

    def _quit(self, reason: str) -> None:
        for one in self._peer.near(self):
            if one is not self:
                one.tell(f'{self.prefix} QUIT :"{reason}"')
        self.end("Closing connection")

    def refuse(self, fault: Fault, target: str) -> None:
        self.reply(_REFUSALS[fault].format(nick=self.nick, target=target))


class Peer:
    """The server. `crowd` are people that are there without a connection; `faults` is what a client did wrong, and
    fails the test at the end. `fault` is what the next message of anybody meets."""

    def __init__(self, *, password: str = PASSWORD, capabilities: tuple[str, ...] = ("multi-prefix",)) -> None:
        self.password = password
        self.capabilities = capabilities
        self.clients: list[Client] = []
        self.crowd: set[str] = set()
        self.channels: dict[str, str] = {}
        self.lines: dict[str, str] = {}
        self.said: list[tuple[str, str, str]] = []
        self.faults: list[str] = []
        self.fault: Fault | None = None
        self.port = 0
        self._swallowing = False
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Peer":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        assert not self.faults, f"a client sent {self.faults}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Ends every connection, as a server does that stops."""
        if self._server is not None:
            self._server.close()
        for client in self.clients:
            client.end("Server going down")
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(self, reader, writer)
        self.clients.append(client)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await client.run()

    def gone(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)

    def find(self, nick: str) -> Client | None:
        return next((one for one in self.clients if one.nick.lower() == nick.lower()), None)

    def near(self, client: Client, channel: str | None = None) -> list[Client]:
        """Those who share a channel with somebody, that one included; or who are in a certain one."""
        shared = {channel.lower()} if channel is not None else client.channels
        return [one for one in self.clients if one is client or one.channels & shared]

    def relay(self, client: Client, command: str, target: str, text: str) -> None:
        """Passes a message on, unless it is to meet a fault."""
        fault, self.fault = (self.fault, None) if command == "PRIVMSG" else (None, self.fault)
        if fault in _REFUSALS:
            client.refuse(fault, target)
        elif fault == "timeout":
            self._swallowing = True
        elif fault is not None:
            client.cut()
        else:
            self._pass_on(client, command, target, text)

    def _pass_on(self, client: Client, command: str, target: str, text: str) -> None:
        known = self.find(target)
        members = [one for one in self.clients if target.lower() in one.channels]
        if known is None and not members and target.lower() not in self.crowd:
            client.reply(f"401 {client.nick} {target} :No such nick or channel name")
            return
        self.said.append((client.nick, target, text))
        for one in [known] if known is not None else members:
            if one is not client:
                one.tell(f"{client.prefix} {command} {self.channels.get(target.lower(), target)} :{text}")

    def swallow(self) -> bool:
        """Whether the confirmation of what was just said is not given."""
        swallowing, self._swallowing = self._swallowing, False
        return swallowing


def _words(line: str) -> tuple[str, ...]:
    """The words of a command; the last may hold blanks, behind a colon."""
    words = list(takewhile(lambda word: not word.startswith(":"), line.split(" ")))
    _, colon, last = line.partition(" :")
    return (*words, last) if colon else tuple(words)
