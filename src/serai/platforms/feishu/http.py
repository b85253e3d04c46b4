"""One HTTP request to the platform, and what its failing means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from serai.core.error import SendTemporary, SendUnknown

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)
_TRANSFER_TIMEOUT: Final = aiohttp.ClientTimeout(total=300, connect=10, sock_read=60)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `path` is already quoted; `body` is JSON; `form` makes the parts of a multipart body, anew for
    each try."""

    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: bytes | None = None
    form: Callable[[], aiohttp.FormData] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Requests to one installation (`address`) over the process's session."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def ask(self, request: Request, token: str | None = None, *, limit: int | None = None) -> Reply:
        """The answer, whatever its status; of a body, at most `limit` + 1 bytes where a limit is given.

        Raises SendTemporary where the request surely did not arrive, SendUnknown where it may have. Errors are not
        chained: their text may hold an address or a token.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if request.body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        url = URL(self._address + request.path, encoded=True)
        transfer = limit is not None or request.form is not None
        try:
            async with self._session.request(
                request.method,
                url.update_query(request.query) if request.query else url,
                data=request.form() if request.form else request.body,
                headers=headers,
                allow_redirects=False,
                timeout=_TRANSFER_TIMEOUT if transfer else _TIMEOUT,
            ) as response:
                body = await (response.read() if limit is None else _read(response, limit))
                return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise SendTemporary(f"no connection to Feishu ({type(error).__name__})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SendUnknown(f"Feishu was asked and did not answer ({type(error).__name__})") from None


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, or as much of it as shows that it is larger than the limit."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)
