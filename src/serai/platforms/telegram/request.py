"""The library's requests, made over the process's own HTTP session.

So that no other pool of connections is kept, no library logs addresses (they hold the token), and it is known of each
failure whether the request had been written.
"""

import io
from typing import Any, Final

import aiohttp
import msgspec
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData

_READ_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 10.0
_UPLOAD_SECONDS: Final = 300.0
_NOT_CONNECTED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, RuntimeError)
"""The last one is what a closed session raises."""


class Limited(TelegramError):
    """429: not before `seconds` have passed."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("Telegram limits the rate")
        self.seconds = seconds


class NotConnected(NetworkError):
    """There was no connection, so nothing was sent."""


class Unanswered(NetworkError):
    """The request was under way and no answer came."""


class Failing(NetworkError):
    """Telegram fails on its own account (5xx), or answers what is no answer."""


class _Parameters(msgspec.Struct, frozen=True):
    retry_after: float | None = None


class _Refusal(msgspec.Struct, frozen=True):
    parameters: _Parameters = _Parameters()


class _Answer(msgspec.Struct, frozen=True):
    ok: bool
    result: msgspec.Raw = msgspec.Raw()


_REFUSAL: Final = msgspec.json.Decoder(_Refusal)
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Request(BaseRequest):
    """Makes requests for the library."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @property
    def read_timeout(self) -> float:
        return _READ_SECONDS

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Status and body. Raises Limited, NotConnected, Unanswered, Failing."""
        del write_timeout, connect_timeout, pool_timeout  # one bound for the whole is enough
        seconds = read_timeout if isinstance(read_timeout, int | float) else _READ_SECONDS
        if request_data is not None and request_data.contains_files:
            seconds = _UPLOAD_SECONDS
        timeout = aiohttp.ClientTimeout(total=seconds, connect=_CONNECT_SECONDS)
        # Errors are not chained: their text may hold the address, and it the token.
        try:
            async with self._session.request(
                method, url, data=_form(request_data), timeout=timeout, allow_redirects=False
            ) as response:
                status, body = response.status, await response.read()
        except _NOT_CONNECTED as error:
            raise NotConnected(f"no connection to the Bot API ({type(error).__name__})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unanswered(f"the Bot API did not answer ({type(error).__name__})") from None
        _check(status, body)
        return status, body


def _form(request_data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    form = aiohttp.FormData()
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, media_type) in request_data.multipart_data.items():
        body = io.BytesIO(content) if isinstance(content, bytes) else content  # large bytes would be written at once
        form.add_field(name, body, filename=filename, content_type=media_type)
    return form


def _check(status: int, body: bytes) -> None:
    """Raises Limited, Failing, Unanswered or BadRequest for what the library would not tell apart, or would log."""
    if status == 429:
        raise Limited(_seconds(body))
    if status == 504:
        raise Unanswered("the Bot API was answered with 504")
    if status == 413:
        raise BadRequest("the file is too large for the Bot API")
    if status >= 500 or 300 <= status < 400:
        raise Failing(f"the Bot API answered with {status}")
    if not _is_answer(status, body):
        if 200 <= status < 300:
            raise Unanswered("the Bot API answered with what is no answer") from None
        raise Failing(f"the Bot API answered with {status}, and not as it does") from None


def _is_answer(status: int, body: bytes) -> bool:
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return bool(bytes(answer.result)) or not (answer.ok and status < 300)


def _seconds(body: bytes) -> float | None:
    try:
        return _REFUSAL.decode(body).parameters.retry_after
    except msgspec.MsgspecError:
        return None
