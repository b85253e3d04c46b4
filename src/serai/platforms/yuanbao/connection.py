"""One logged-in connection: requests, pings, and pushes that are acknowledged once they are stored."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final

import aiohttp
import structlog

from serai import __version__
from serai.core.error import CredentialsRefused, LoggedInElsewhere, SendTemporary, SendUnknown
from serai.platforms.yuanbao import wire
from serai.platforms.yuanbao.token import INSTANCE, Credential
from serai.platforms.yuanbao.wire import ACCESS, PROXY, Head, Malformed

_log = structlog.get_logger("yuanbao")

_ANSWER_S: Final = 30.0
_LOG_IN_S: Final = 10.0
_FIRST_PING_S: Final = 5.0
_LARGEST_FRAME: Final = 4 * 2**20

_FINE: Final = frozenset({0, 41101})
_STALE_TOKEN: Final = frozenset({41103, 41104, 41108})
BUSY: Final = frozenset({50400, 50503, 90001, 90003})
"""Worth another try."""

_ELSEWHERE: Final = frozenset({4014})
_FOR_GOOD: Final = frozenset({4012, 4013, 4018, 4019, 4021})


class StaleToken(ConnectionError):
    """Another token is needed."""


class Connection:
    """Sends requests and reads frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: Callable[[], str]) -> None:
        self._socket = socket
        self._name = name
        self._numbers = 0
        self._answers: dict[str, asyncio.Future[tuple[Head, bytes]]] = {}
        self._ping_s = _FIRST_PING_S

    async def log_in(self, credential: Credential) -> None:
        """Must be the first request. Raises StaleToken, CredentialsRefused, ConnectionError."""
        data = wire.log_in(credential.bot_id, credential.source, credential.token, __version__, INSTANCE)
        await self._write(Head(wire.REQUEST, "auth-bind", self._name(), ACCESS), data)
        try:
            async with asyncio.timeout(_LOG_IN_S):
                head, answer = await self._first_answer()
            number, text = wire.code(answer, "AuthBindRsp")
        except (Malformed, TypeError):
            raise self._ended() from None
        except TimeoutError:
            raise ConnectionError("Yuanbao did not answer the login") from None
        number = number or head.status
        if number in _FINE:
            return
        if number in _STALE_TOKEN:
            raise StaleToken(f"Yuanbao wants another token ({number})")
        if number in BUSY:
            raise ConnectionError(f"Yuanbao is busy ({number})")
        raise CredentialsRefused(f"Yuanbao does not let the bot in ({number} {text}); look it up in its app")

    async def _first_answer(self) -> tuple[Head, bytes]:
        while True:
            head, data = wire.parse(await self._socket.receive_bytes())
            if head.kind == wire.RESPONSE:
                return head, data

    async def pushes(self) -> AsyncIterator[tuple[Head, bytes] | None]:
        """Pushes in order; None for every other frame, as a sign of life.

        Raises ConnectionError, CredentialsRefused or LoggedInElsewhere at the end.
        """
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            try:
                head, data = wire.parse(message.data)
            except Malformed:
                _log.warning("a frame could not be read", bytes=len(message.data))
                continue
            if head.kind == wire.PUSH and head.cmd == "kickout":
                raise LoggedInElsewhere(_elsewhere(wire.kicked_out(data)))
            if head.kind == wire.PUSH:
                yield head, data
                continue
            self._settle(head, data)
            yield None
        raise self._ended()

    def _settle(self, head: Head, data: bytes) -> None:
        if head.kind == wire.RESPONSE and (waiting := self._answers.get(head.msg_id)) and not waiting.done():
            waiting.set_result((head, data))

    def _ended(self) -> Exception:
        code = self._socket.close_code
        if code in _ELSEWHERE:
            return LoggedInElsewhere(_elsewhere(""))
        if code in _FOR_GOOD:
            return CredentialsRefused(f"Yuanbao shut this bot out (close code {code}); look it up in its app")
        return ConnectionError(f"Yuanbao closed the connection ({code})")

    async def acknowledge(self, head: Head) -> None:
        """Tells that a push has arrived, where that is wanted."""
        if head.need_ack:
            await self._write(replace(head, kind=wire.ACK, need_ack=False, status=0), b"")

    async def ping(self) -> None:
        """Says that we are there as often as the server wants, for ever."""
        while True:
            await asyncio.sleep(self._ping_s)
            _, data = await self.ask("ping", b"", module=ACCESS)
            interval = wire.heart_interval(data)
            if interval > 1:
                self._ping_s = interval - 1.0

    async def ask(self, cmd: str, data: bytes, *, module: str = PROXY) -> tuple[Head, bytes]:
        """A request and its response. Raises SendTemporary where it surely did not go out, SendUnknown where no
        answer came."""
        if self._socket.closed:
            raise SendTemporary("Yuanbao is not connected")
        name = self._name()
        answer: asyncio.Future[tuple[Head, bytes]] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        try:
            await self._write(Head(wire.REQUEST, cmd, name, module), data)
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except (TimeoutError, OSError, RuntimeError) as error:
            raise SendUnknown(f"Yuanbao did not answer ({type(error).__name__})") from None
        finally:
            del self._answers[name]

    async def _write(self, head: Head, data: bytes) -> None:
        self._numbers += 1
        await self._socket.send_bytes(wire.frame(head, data, self._numbers))

    async def close(self) -> None:
        """Ends it; whoever waits for an answer learns that none will come."""
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        await self._socket.close()


async def connect(session: aiohttp.ClientSession, url: str, name: Callable[[], str]) -> Connection:
    """A connection that is not logged in yet. Raises ConnectionError."""
    try:
        socket = await session.ws_connect(
            url, max_msg_size=_LARGEST_FRAME, timeout=aiohttp.ClientWSTimeout(ws_close=2)
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(f"no connection to Yuanbao ({type(error).__name__})") from None
    return Connection(socket, name)


def _elsewhere(reason: str) -> str:
    said = f" ({reason})" if reason else ""
    return (
        f"the Yuanbao bot was connected by another program{said}; one bot has one connection: "
        "stop the other one, then run `serai reload`"
    )
