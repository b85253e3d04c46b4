"""One logged-in connection: requests and their answers over one WebSocket (WeCom AI bot, long connection)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
import msgspec
import structlog

from serai.core.error import CredentialsRefused, SendTemporary, SendUnknown
from serai.platforms.wecom.wire import Frame, parse_answer, parse_frame, request

_log = structlog.get_logger("wecom")

_ANSWER_SECONDS: Final = 5.0
_PING_SECONDS: Final = 30.0
_LARGEST_FRAME: Final = 4 * 2**20

BUSY: Final = frozenset({-1, 45009})
"""System busy, and too many calls: worth another try (WeCom's global error codes)."""


class Declined(Exception):
    """A request was answered with an error. Policy is the caller's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"WeCom answered {code}: {text}")
        self.code = code


class Connection:
    """Sends requests and reads frames. Of one `req_id` there is one request under way at most."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, token: Callable[[], str]) -> None:
        self._socket = socket
        self._token = token
        self._answers: dict[str, asyncio.Future[Frame]] = {}

    async def log_in(self, bot_id: str, secret: str) -> None:
        """Must be the first request; the answer is read here. Raises CredentialsRefused, ConnectionError."""
        await self._socket.send_str(request("aibot_subscribe", self._token(), {"bot_id": bot_id, "secret": secret}))
        async with asyncio.timeout(_ANSWER_SECONDS * 2):
            frame = parse_frame(await self._socket.receive_str())
        if frame.errcode in BUSY:
            raise ConnectionError(f"WeCom is busy ({frame.errcode})")
        if frame.errcode:
            raise CredentialsRefused(
                f"WeCom does not take the bot's id and secret (error {frame.errcode}); look them up in its console"
            )

    async def frames(self) -> AsyncIterator[Frame | None]:
        """Callbacks in order; None for every other frame, as a sign of life. Raises ConnectionError at the end."""
        async for message in self._socket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            try:
                frame = parse_frame(message.data)
            except msgspec.DecodeError:
                _log.warning("a frame could not be read", bytes=len(message.data))
                continue
            if frame.cmd:
                yield frame
                continue
            waiting = self._answers.get(frame.headers.req_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)
            yield None
        raise ConnectionError(f"WeCom closed the connection ({self._socket.close_code})")

    async def ping(self) -> None:
        """Says every half minute that we are there, for ever."""
        while True:
            await asyncio.sleep(_PING_SECONDS)
            await self._socket.send_str(request("ping", self._token()))

    async def ask(self, cmd: str, body: object, req_id: str = "") -> dict[str, Any]:
        """A request and its answer's body. `req_id` is a message's own where it is answered.

        Raises Declined; SendTemporary where the request surely did not go out, SendUnknown where no answer came.
        """
        req_id = req_id or self._token()
        while (earlier := self._answers.get(req_id)) is not None:
            await asyncio.wait({earlier})
            await asyncio.sleep(0)
        frame = await self._exchange(request(cmd, req_id, body), req_id)
        if frame.errcode:
            raise Declined(frame.errcode, frame.errmsg)
        return parse_answer(frame.body)

    async def _exchange(self, text: str, req_id: str) -> Frame:
        if self._socket.closed:
            raise SendTemporary("WeCom is not connected")
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[req_id] = answer
        try:
            await self._socket.send_str(text)
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await answer
        except (TimeoutError, OSError, RuntimeError) as error:
            raise SendUnknown(f"WeCom did not answer ({type(error).__name__})") from None
        finally:
            del self._answers[req_id]
            answer.cancel()  # whoever waits for this one to be over goes on

    async def close(self) -> None:
        """Ends it; whoever waits for an answer learns that none will come."""
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        await self._socket.close()


async def connect(session: aiohttp.ClientSession, url: str, token: Callable[[], str]) -> Connection:
    """A connection that is not logged in yet. Raises ConnectionError."""
    try:
        socket = await session.ws_connect(
            url, max_msg_size=_LARGEST_FRAME, timeout=aiohttp.ClientWSTimeout(ws_close=2)
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(f"no connection to WeCom ({type(error).__name__})") from None
    return Connection(socket, token)
