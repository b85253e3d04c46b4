"""Logging in: the capabilities that are wanted, the password, a nick that is free."""

import asyncio
from collections.abc import Iterator
from typing import Final

from serai.core.error import CredentialsRefused
from serai_irc.config import IrcConfig
from serai_irc.connection import Connection
from serai_irc.wire import Line

_SECONDS: Final = 60.0
_WANTED: Final = frozenset({"account-tag", "message-tags"})
_NICK_TAKEN: Final = frozenset({"433", "436", "437"})


async def log_in(connection: Connection, config: IrcConfig, password: str | None) -> str:
    """The nick as which the server has taken the bot. Where its own is taken, another is tried.

    Raises ConnectionError, and CredentialsRefused for what another try does not change.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            return await _Login(connection, config).run(password)
    except TimeoutError:
        raise ConnectionError(f"the server did not log the bot in within {_SECONDS:g} s") from None


class _Login:
    def __init__(self, connection: Connection, config: IrcConfig) -> None:
        self._connection = connection
        self._config = config
        self._nicks = _nicks(config.nick)
        self._offered: set[str] = set()

    async def run(self, password: str | None) -> str:
        self._connection.write("CAP", "LS", "302")
        if password is not None:
            self._connection.write("PASS", password)
        self._connection.write("NICK", next(self._nicks))
        self._connection.write("USER", "serai", "0", "*", "Serai")
        while (line := await self._connection.line()).command != "001":
            self._meet(line)
        self._check_capabilities()
        return line.param(0)

    def _meet(self, line: Line) -> None:
        if line.command == "CAP":
            self._capabilities(line)
        elif line.command in _NICK_TAKEN:
            self._another_nick()
        elif line.command == "432":
            raise CredentialsRefused(f"the server does not take the nick: {line.param(-1)}; choose another `nick`")
        elif line.command == "464":
            raise _bad_password()
        elif line.command == "465":
            raise _banned(line.param(-1))
        elif line.command == "ERROR":
            raise _turned_away(line.param(-1))

    def _capabilities(self, line: Line) -> None:
        if line.param(1) == "LS":
            self._offered.update(name.partition("=")[0] for name in line.param(-1).split())
            if line.param(2) == "*":
                return  # more of them follow
            wanted = sorted(_WANTED & self._offered)
            self._connection.write("CAP", *(["REQ", " ".join(wanted)] if wanted else ["END"]))
        elif line.param(1) in ("ACK", "NAK"):
            if line.param(1) == "NAK":
                self._offered.clear()
            self._connection.write("CAP", "END")

    def _check_capabilities(self) -> None:
        if self._config.known_by == "account" and "account-tag" not in self._offered:
            raise CredentialsRefused("the server does not tell people's accounts; set `known_by` to host or nick")

    def _another_nick(self) -> None:
        nick = next(self._nicks, None)
        if nick is None:
            raise ConnectionError(f"the nick `{self._config.nick}` is taken, and so are those like it")
        self._connection.write("NICK", nick)


def _nicks(nick: str) -> Iterator[str]:
    """The nick, and what comes nearest without being longer than a server may allow (9, RFC 1459)."""
    yield nick
    for end in ("_", "__", *map(str, range(2, 6))):
        yield nick[: max(len(nick), 9) - len(end)] + end


def _turned_away(reason: str) -> Exception:
    """ngIRCd has no number for a wrong password or a ban; it denies the access, and says why."""
    if not reason.startswith("Access denied"):
        return ConnectionError(f"the server turned the bot away: {reason}")
    if "password" in reason.lower():
        return _bad_password()
    return _banned(reason)


def _bad_password() -> CredentialsRefused:
    return CredentialsRefused("the server refuses the password; change the value that `password_env` names")


def _banned(reason: str) -> CredentialsRefused:
    return CredentialsRefused(f"the server does not let the bot in: {reason}; ask its operators")
