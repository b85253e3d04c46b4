"""The long connection: asked for, kept by the platform's rules, every event answered."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import structlog

from serai.core.error import CredentialsRefused, SendFailed
from serai.platforms.feishu.credential import Credential
from serai.platforms.feishu.fragment import Fragments
from serai.platforms.feishu.frame import CONTROL, DATA, Frame, Malformed, decode, encode
from serai.platforms.feishu.http import Http, Request
from serai.platforms.feishu.pace import Pace
from serai.platforms.feishu.wire import ClientConfig, Endpoint, EndpointReply
from serai.ports.clock import Entropy

_log = structlog.get_logger("feishu")

_PATH: Final = "/callback/ws/endpoint"
_REFUSED: Final = frozenset({403, 514})
_TOO_MANY: Final = 1000040350
_PONG_SECONDS: Final = 15.0
"""Within which a ping must be followed by some frame, else the connection is dead."""

_HANDSHAKE_SECONDS: Final = 15.0
_LARGEST_FRAME: Final = 16 * 1024 * 1024
_ENDS: Final = frozenset(
    {
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSMsgType.CLOSING,
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.ERROR,
    }
)
_CLOSING: Final = aiohttp.ClientWSTimeout(ws_close=1.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform is told about an event: 200 took it, anything else has it sent again. `data` is what a
    callback is answered with."""

    code: int = 200
    data: object | None = None

    def payload(self) -> bytes:
        document: dict[str, object] = {"code": self.code}
        if self.data is not None:
            document["data"] = base64.b64encode(msgspec.json.encode(self.data)).decode()
        return msgspec.json.encode(document)


class Connection:
    """One app's long connection. `hear` answers the events, in their order; `up` is called at each login, `alive` at
    each frame."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        http: Http,
        credential: Credential,
        entropy: Entropy,
        hear: Callable[[bytes], Awaitable[Answer]],
    ) -> None:
        self._session = session
        self._http = http
        self._credential = credential
        self._entropy = entropy
        self._hear = hear
        self._pace = Pace()

    async def run(self, up: Callable[[], None], alive: Callable[[], None]) -> None:
        """Keeps the connection until cancelled.

        Raises ConnectionError where there is none at first, or as many times as the platform says later;
        CredentialsRefused.
        """
        socket, service = await self._open()
        while True:
            up()
            try:
                await self._serve(socket, service, alive)
            finally:
                await socket.close()
            socket, service = await self._again()

    async def _again(self) -> tuple[aiohttp.ClientWebSocketResponse, int]:
        """The next connection: after a random moment, so that not all clients come at once, then at intervals."""
        pace, tries = self._pace, 0
        await asyncio.sleep(self._entropy.between(0, pace.nonce))
        while True:
            try:
                return await self._open()
            except ConnectionError:
                tries += 1
                if 0 <= pace.count <= tries:
                    raise
            await asyncio.sleep(pace.interval)

    async def _open(self) -> tuple[aiohttp.ClientWebSocketResponse, int]:
        """A connected socket and the number of the service that it is for."""
        endpoint = await self._endpoint()
        if endpoint.client_config is not None:
            self._pace = self._pace.told(endpoint.client_config)
        parts = urlsplit(endpoint.url)
        service = parse_qs(parts.query).get("service_id", [""])[0]
        if parts.scheme not in ("ws", "wss") or not service.isdigit():
            raise ConnectionError("Feishu named no usable address for the long connection")
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                socket = await self._session.ws_connect(
                    endpoint.url, timeout=_CLOSING, max_msg_size=_LARGEST_FRAME, autoping=True
                )
        except aiohttp.WSServerHandshakeError as error:
            status = error.headers.get("Handshake-Status") if error.headers else None
            if status == "403":
                raise CredentialsRefused(f"Feishu refuses the long connection; {self._credential.hint}") from None
            raise ConnectionError(f"Feishu did not open the long connection ({status or error.status})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(f"Feishu did not open the long connection ({type(error).__name__})") from None
        return socket, int(service)

    async def _endpoint(self) -> Endpoint:
        """The one-time address. Its query is secret."""
        request = Request("POST", _PATH, body=self._credential.login())
        try:
            reply = await self._http.ask(request)
            answer = msgspec.json.decode(reply.body, type=EndpointReply)
        except (SendFailed, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConnectionError(f"no address for the long connection ({type(error).__name__})") from None
        if answer.code in _REFUSED:
            raise CredentialsRefused(
                f"Feishu refuses the app's id or secret, or its long connection (code {answer.code}); "
                f"{self._credential.hint}, and that the app uses the long connection for events and callbacks"
            )
        if answer.code == _TOO_MANY:
            raise ConnectionError("too many connections of this app are open; each process of it takes one (of 50)")
        if answer.code or answer.data is None:
            raise ConnectionError(f"Feishu is busy (code {answer.code})")
        return answer.data

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, service: int, alive: Callable[[], None]) -> None:
        """Answers what comes until the connection ends, or nothing follows a ping."""
        fragments = Fragments(asyncio.get_running_loop().time)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(None) as patience:
                pinging = asyncio.create_task(self._ping(socket, service, patience))
                try:
                    while (message := await socket.receive()).type not in _ENDS:
                        patience.reschedule(None)
                        alive()
                        if message.type is aiohttp.WSMsgType.BINARY:
                            await self._take(socket, message.data, fragments)
                finally:
                    pinging.cancel()
                    await asyncio.gather(pinging, return_exceptions=True)

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse, service: int, patience: asyncio.Timeout) -> None:
        with suppress(ConnectionError):
            while True:
                if patience.when() is None:
                    patience.reschedule(asyncio.get_running_loop().time() + _PONG_SECONDS)
                await socket.send_bytes(encode(Frame(service, CONTROL, (("type", "ping"),))))
                await asyncio.sleep(self._pace.ping)

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, data: bytes, fragments: Fragments) -> None:
        try:
            frame = decode(data)
        except Malformed as error:
            _log.warning("a frame could not be read", reason=str(error))
            return
        kind = frame.header("type")
        if frame.method == CONTROL and kind == "pong":
            self._listen(frame.payload)
        if frame.method != DATA or kind not in ("event", "card"):
            return
        payload = fragments.join(frame)
        if payload is None:
            return
        begun = asyncio.get_running_loop().time()
        answer = await self._hear(payload)
        took = round((asyncio.get_running_loop().time() - begun) * 1000)
        headers = (*frame.headers, ("biz_rt", str(took)))
        await socket.send_bytes(encode(replace(frame, headers=headers, payload=answer.payload())))

    def _listen(self, payload: bytes) -> None:
        """A pong may bring new rules."""
        if not payload:
            return
        try:
            self._pace = self._pace.told(msgspec.json.decode(payload, type=ClientConfig))
        except (msgspec.DecodeError, UnicodeDecodeError):
            _log.warning("a pong could not be read")
