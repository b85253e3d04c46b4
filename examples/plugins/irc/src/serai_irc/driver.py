"""The IRC driver: one account is one connection to one network."""

import asyncio
from typing import Final

import structlog

from serai.core.delivery import Delivery
from serai.core.error import Busy, Refused, SendTemporary, Startup, StorageFailed
from serai.core.ids import Account
from serai.platforms import Surroundings
from serai.ports.clock import Entropy
from serai.ports.platform import Capabilities, Link, Sent
from serai_irc.config import IrcConfig
from serai_irc.connection import Connection
from serai_irc.convert import inbound
from serai_irc.login import log_in
from serai_irc.outgoing import TEXT_LIMIT, lines
from serai_irc.wire import Line, folded

_log = structlog.get_logger("irc")

_LOOK_SECONDS: Final = 30.0
"""After which the server is asked for a sign of life, lost channels are joined and the own nick is asked for."""

_NOT_LET_IN: Final = frozenset({"405", "471", "473", "474", "475", "476", "477"})
"""Answers to a JOIN: too many channels, full, by invitation, banned, with a key, no such name, registered only."""

_CAPABILITIES: Final = Capabilities(
    text_limit=TEXT_LIMIT, text_unit="byte", names_wait=False, silence_s=3 * _LOOK_SECONDS
)


class Irc:
    """One account. Raises Startup for a blank password, and for one that cannot be sent."""

    def __init__(self, account: Account, config: IrcConfig, password: str | None, entropy: Entropy) -> None:
        if password is not None and (not password.strip() or any(sign in password for sign in "\r\n\0")):
            raise Startup(f"platform `{account}`: the password is blank or has several lines; set one, or none")
        self._account = account
        self._config = config
        self._password = password
        self._entropy = entropy
        self._connection: Connection | None = None
        self._nick = ""
        self._joined: set[str] = set()

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Irc":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        config = IrcConfig.model_validate(surroundings.settings.settings)
        name = config.password_env
        password = surroundings.secrets.get(None, name) if name is not None else None
        return cls(surroundings.settings.account, config, password, surroundings.entropy)

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def run(self, link: Link) -> None:
        """Is in its channels until cancelled. Raises ConnectionError, Startup, CredentialsRefused."""
        connection = await Connection.opened(self._config)
        farewell = ""
        looking: asyncio.Task[None] | None = None
        try:
            self._nick = await log_in(connection, self._config, self._password)
            self._joined.clear()
            self._connection = connection
            looking = asyncio.create_task(self._look_after(connection))
            link.up(self._nick)
            while True:
                await self._take(connection, link, await connection.line())
        except asyncio.CancelledError:
            farewell = "Serai stops here"
            raise
        finally:
            self._connection = None
            if looking is not None:
                looking.cancel()
            connection.close(farewell)

    async def send(self, delivery: Delivery) -> Sent:
        """Says one delivery. Sent means that the server took it; IRC does not tell whether anybody read it.

        Raises SendTemporary (no connection, or the server wants it later), SendPermanent (nobody of that name, no
        right to speak there, too long) or SendUnknown (written, and the connection ended).
        """
        said = lines(delivery, self._nick or self._config.nick)
        if self._connection is None:
            raise SendTemporary("there is no connection to the server")
        await self._connection.say(delivery.target.chat_id, said)
        return Sent()

    async def _look_after(self, connection: Connection) -> None:
        while True:
            for channel in self._config.channels:
                if folded(channel) not in self._joined:
                    connection.write("JOIN", channel)
            if self._nick != self._config.nick:
                connection.write("NICK", self._config.nick)
            connection.ping()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _take(self, connection: Connection, link: Link, line: Line) -> None:
        link.alive()
        if line.command == "ERROR":
            raise ConnectionError(f"the server ended the connection: {line.param(-1)}")
        if line.command == "PRIVMSG":
            await self._receive(connection, link, line)
        elif line.command == "KICK" and folded(line.param(1)) == folded(self._nick):
            self._joined.discard(folded(line.param(0)))
            _log.warning("thrown out of a channel", account=str(self._account), channel=line.param(0))
        elif line.command in _NOT_LET_IN and folded(line.param(1)) not in self._joined:
            _log.warning("not let into a channel", account=str(self._account), channel=line.param(1))
        elif folded(line.nick) == folded(self._nick):
            self._note_own(link, line)

    def _note_own(self, link: Link, line: Line) -> None:
        """What became of the bot itself."""
        if line.command == "JOIN":
            self._joined.add(folded(line.param(0)))
        elif line.command == "PART":
            self._joined.discard(folded(line.param(0)))
        elif line.command == "NICK" and line.param(0):
            self._nick = line.param(0)
            link.up(self._nick)

    async def _receive(self, connection: Connection, link: Link, line: Line) -> None:
        """Hands a message over. Nobody sends it again, so whoever wrote it is told that it was not taken."""
        message = inbound(self._account, line, self._nick, self._config.known_by, self._entropy.token())
        if message is None:
            return
        try:
            await link.receive(message)
        except Refused as error:
            _log.info("a message was refused", account=str(self._account), reason=str(error))
        except (Busy, StorageFailed) as error:
            _log.warning("a message was not taken", account=str(self._account), reason=str(error))
            connection.complain(line.nick, "Your last message was not taken. Please send it again later.")
