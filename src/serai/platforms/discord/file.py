"""The bytes of files that came with messages."""

from typing import Final

import aiohttp
import discord

from serai.core.error import FetchFailed

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, connect=10, sock_read=30)
_PIECE: Final = 64 * 1024


async def download(session: aiohttp.ClientSession, file: discord.Attachment, limit: int) -> bytes:
    """A file of at most `limit` bytes. Raises FetchFailed."""
    if file.size > limit:
        raise FetchFailed(f"the file has {file.size} bytes; {limit} are taken")
    # Errors are not chained: their text may hold the file's signed address.
    try:
        async with session.get(file.url, timeout=_TIMEOUT, allow_redirects=False) as response:
            if response.status != 200:
                raise FetchFailed(f"Discord answered {response.status} for the file")
            return await _read(response, limit)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise FetchFailed(f"the file could not be read ({type(error).__name__})") from None


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        data += piece
        if len(data) > limit:
            raise FetchFailed(f"the file is larger than {limit} bytes")
    return bytes(data)
