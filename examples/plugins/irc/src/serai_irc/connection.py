"""One connection to a server: opened, logged in, read, written to."""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Final

from serai.core.error import SendFailed, SendPermanent, SendTemporary, SendUnknown, Startup
from serai_irc.config import IrcConfig
from serai_irc.pace import Pace
from serai_irc.wire import Line, encode, folded, parse

_CONNECT_SECONDS: Final = 30.0
_CONFIRM_SECONDS: Final = 30.0
_LONGEST: Final = 16384
"""Bytes of a line with its tags; the standard has under 9,000."""

_LATER: Final = frozenset({"263", "400", "437", "439"})
"""Refusals that pass: try again, unknown error, unavailable for now, too many targets in a short time."""

_NO_REFUSAL: Final = frozenset({"433", "471", "473", "474", "475"})
"""What answers a NICK or a JOIN, never a message."""


class Connection:
    """Lines in and out. What is said is confirmed by the answer to a PING behind it, for servers answer in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pace: Pace) -> None:
        self._reader = reader
        self._writer = writer
        self._pace = pace
        self._turn = asyncio.Lock()
        self._tokens = count(1)
        self._waiting: tuple[str, asyncio.Future[None]] | None = None
        self._target = ""
        self._refusal: Line | None = None
        self._over = False

    @classmethod
    async def opened(cls, config: IrcConfig) -> "Connection":
        """A connection on which nothing was said yet. Raises ConnectionError, Startup."""
        host, port = config.address
        try:
            context = ssl.create_default_context(cafile=config.ca_file) if config.tls else None
        except OSError as error:
            raise Startup(f"`ca_file` cannot be used: {error.strerror or error}") from None
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_LONGEST)
        except OSError as error:
            raise ConnectionError(f"no connection to {host}, port {port}: {error or type(error).__name__}") from None
        return cls(reader, writer, Pace(config.line_interval_s))

    async def line(self) -> Line:
        """The next line. A PING is answered. Raises ConnectionError when the server has ended the connection."""
        while True:
            try:
                line = parse(await self._reader.readuntil(b"\n"))
            except asyncio.IncompleteReadError:
                raise ConnectionError("the server ended the connection") from None
            except asyncio.LimitOverrunError:
                raise ConnectionError("the server sent a line without an end") from None
            except OSError as error:
                raise ConnectionError(f"the connection is broken ({type(error).__name__})") from None
            if line is not None:
                self._note(line)
                return line

    def write(self, command: str, *params: str) -> None:
        """Sends a line at once. Raises ValueError as `encode`."""
        self._writer.write(encode(command, *params))

    def ping(self) -> None:
        """Asks for a sign of life."""
        self.write("PING", "alive")

    def complain(self, nick: str, text: str) -> None:
        """Tells a person something about what they said, where that does not take longer."""
        if self._pace.spare():
            with suppress(ValueError):  # that is no nick
                self.write("NOTICE", nick, text)

    async def say(self, target: str, lines: Sequence[bytes]) -> None:
        """Sends lines to one target, one after another, and waits for the server to have taken them.

        Raises SendTemporary, SendPermanent or SendUnknown.
        """
        async with self._turn:
            written = False
            for line in lines:
                await self._pace.turn()
                if self._over:
                    raise self._lost(written)
                if not written:
                    self._target, self._refusal = folded(target), None
                written = True
                self._writer.write(line)
            await self._confirmed()
            if self._refusal is not None:
                raise _refused(self._refusal)

    async def _confirmed(self) -> None:
        token = f"said-{next(self._tokens)}"
        answered = asyncio.get_running_loop().create_future()
        self._waiting = token, answered
        self.write("PING", token)
        try:
            async with asyncio.timeout(_CONFIRM_SECONDS):
                await answered
        except TimeoutError:
            raise SendUnknown(f"the server did not confirm it within {_CONFIRM_SECONDS:g} s") from None
        finally:
            self._waiting, self._target = None, ""

    def _note(self, line: Line) -> None:
        """Answers, and keeps what the server says to what is being said."""
        if line.command == "PING":
            with suppress(ValueError):  # longer than an answer can be
                self.write("PONG", line.param(-1))
        elif line.command == "PONG":
            self._confirm(line.param(-1))
        elif self._refusal is None and self._target and _refuses(line, self._target):
            self._refusal = line

    def _confirm(self, token: str) -> None:
        if self._waiting is not None and self._waiting[0] == token and not self._waiting[1].done():
            self._waiting[1].set_result(None)

    def _lost(self, written: bool) -> SendFailed:
        return SendUnknown("the connection ended") if written else SendTemporary("the connection ended")

    def close(self, farewell: str = "") -> None:
        """Ends it without waiting; what is being said has an unknown outcome."""
        if self._over:
            return
        self._over = True
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(self._lost(written=True))
        if farewell and not self._writer.is_closing():
            self.write("QUIT", farewell)
        self._writer.close()


def _refuses(line: Line, target: str) -> bool:
    """Whether a line says that a message to `target` was not taken."""
    error = line.command.isdigit() and "400" <= line.command < "600" and line.command not in _NO_REFUSAL
    return (error or line.command in _LATER) and folded(line.param(1)) in (target, "privmsg")


def _refused(line: Line) -> SendFailed:
    text = f"the server refused it: {line.param(-1)} ({line.command})"
    return SendTemporary(text) if line.command in _LATER else SendPermanent(text)
