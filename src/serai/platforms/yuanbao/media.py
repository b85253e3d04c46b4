"""Files that came with messages: their addresses name a resource, whose real address the API tells."""

from typing import Final

import aiohttp
import msgspec
from yarl import URL

from serai.core.error import FetchFailed, SeraiError
from serai.platforms.yuanbao.token import Tokens

_PATH: Final = "/api/resource/v1/download"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, connect=10)


class _Place(msgspec.Struct):
    url: str = ""
    realUrl: str = ""  # noqa: N815  the wire's own name


class _Reply(msgspec.Struct):
    code: int = 0
    data: _Place | None = None
    url: str = ""


async def fetch(session: aiohttp.ClientSession, tokens: Tokens, api_url: str, address: str, limit: int) -> bytes:
    """The bytes of a file. Raises FetchFailed, ConnectionError."""
    try:
        found = await _resolved(session, tokens, api_url, URL(address))
        async with session.get(found, timeout=_TIMEOUT) as response:
            if response.status >= 500:
                raise ConnectionError(f"Yuanbao answered {response.status}")
            if response.status != 200:
                raise FetchFailed(f"Yuanbao does not give the file ({response.status})")
            return await _bounded(response, limit)
    except ValueError:
        raise FetchFailed("the file has no address") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(f"the file could not be fetched ({type(error).__name__})") from None


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    data = bytearray()
    if (response.content_length or 0) <= limit:
        async for piece in response.content.iter_chunked(1 << 16):
            data += piece
            if len(data) > limit:
                break
        else:
            return bytes(data)
    raise FetchFailed(f"the file is larger than {limit} bytes")


async def _resolved(session: aiohttp.ClientSession, tokens: Tokens, api_url: str, address: URL) -> str:
    resource = address.query.get("resourceId")
    if not resource:
        return str(address)
    for _ in range(2):
        try:
            headers = (await tokens.get()).headers()
        except SeraiError as error:
            raise FetchFailed(str(error)) from None
        async with session.get(
            api_url + _PATH, params={"resourceId": resource}, headers=headers, timeout=_TIMEOUT
        ) as response:
            if response.status == 401:
                tokens.forget()
                continue
            reply = msgspec.json.decode(await response.read(), type=_Reply)
            place = reply.data or _Place()
            if reply.code == 0 and (real := place.url or place.realUrl or reply.url):
                return real
            raise FetchFailed(f"Yuanbao does not give the file (code {reply.code})")
    raise FetchFailed("Yuanbao does not give the file to this bot")
