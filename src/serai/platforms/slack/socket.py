"""Socket Mode: one WebSocket after another, the next one opened before the last is taken away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import aiohttp
import msgspec
import structlog

from serai.core.error import CredentialsRefused
from serai.platforms.slack.wire import Envelope, acknowledgement, parse

_log = structlog.get_logger("slack")

_PING_S: Final = 20.0
_LARGEST_FRAME: Final = 16 * 2**20

Handle = Callable[[Envelope], Awaitable[bool]]
"""Takes what came, and says whether it may be acknowledged."""


class Socket:
    """The connection of one app."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: Callable[[], Awaitable[str]],
        up: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        self._session = session
        self._address = address
        self._up = up
        self._alive = alive

    async def run(self, handle: Handle) -> None:
        """Reads until a socket ends that no other has replaced. Raises ConnectionError, CredentialsRefused."""
        reading: set[asyncio.Task[None]] = set()

        async def read() -> None:
            await self._read(await self._open(), handle, replace)

        def replace() -> None:
            reading.add(asyncio.create_task(read()))

        replace()
        try:
            while reading:
                done, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
                reading -= done
                for task in done:
                    task.result()
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        address = await self._address()
        try:
            return await self._session.ws_connect(
                address,
                autoping=False,
                max_msg_size=_LARGEST_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=2),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(f"no socket to Slack ({type(error).__name__})") from None

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, handle: Handle, replace: Callable[[], None]
    ) -> None:
        """One socket's frames. Slack tells before it takes one away: the next is opened while this one is read on.

        Raises ConnectionError where it ends without that.
        """
        pinging, replaced = asyncio.create_task(_ping(socket)), False
        try:
            async for frame in self._frames(socket):
                if frame.type == "hello":
                    self._up()
                elif frame.type == "disconnect":
                    _refuse_switched_off(frame)
                    if not replaced:
                        replace()
                    replaced = True
                elif await handle(frame) and frame.envelope_id:
                    await socket.send_str(acknowledgement(frame))
        finally:
            pinging.cancel()
            await asyncio.shield(socket.close())
        if not replaced:
            raise ConnectionError(f"Slack closed the socket ({socket.close_code})")

    async def _frames(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[Envelope]:
        async for message in socket:
            self._alive()
            if message.type is aiohttp.WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                try:
                    yield parse(message.data)
                except msgspec.DecodeError:
                    _log.warning("a frame could not be read", bytes=len(message.data))


def _refuse_switched_off(frame: Envelope) -> None:
    if frame.reason == "link_disabled":
        raise CredentialsRefused("Socket Mode is switched off for this app; switch it on at api.slack.com/apps")


async def _ping(socket: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        await asyncio.sleep(_PING_S)
        await socket.ping()
