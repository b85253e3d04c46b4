"""Files that came with messages."""

from typing import Final

import aiohttp
from telegram.error import BadRequest, TelegramError

from serai.core.error import FetchFailed
from serai.core.message import Attachment
from serai.platforms.telegram.client import Client

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, connect=10)
_CHUNK: Final = 64 * 1024


async def fetch(client: Client, session: aiohttp.ClientSession, attachment: Attachment, limit: int) -> bytes:
    """The file's bytes. Raises FetchFailed for one that is larger than `limit`, gone or refused; nothing is chained,
    for the file's address holds the token."""
    if attachment.ref is None:
        raise FetchFailed("it did not come through Telegram")
    if (attachment.size or 0) > limit:
        raise FetchFailed(_too_large(attachment.size, limit))
    try:
        file = await client.get_file(attachment.ref)
    except BadRequest as error:
        too_big = "file is too big" in str(error).lower()
        raise FetchFailed("bots can fetch 20 MB at most" if too_big else f"Telegram refuses it: {error}") from None
    except TelegramError as error:
        raise FetchFailed(f"Telegram did not tell where it is ({type(error).__name__})") from None
    if (file.file_size or 0) > limit:
        raise FetchFailed(_too_large(file.file_size, limit))
    if not file.file_path:
        raise FetchFailed("Telegram does not tell where it is")
    return await _read(session, file.file_path, limit)


async def _read(session: aiohttp.ClientSession, address: str, limit: int) -> bytes:
    data = bytearray()
    try:
        async with session.get(address, timeout=_TIMEOUT, allow_redirects=False) as response:
            if response.status >= 500:
                raise ConnectionError(f"Telegram answered with {response.status}")
            if response.status != 200:
                raise FetchFailed(f"Telegram answered with {response.status}")
            async for chunk in response.content.iter_chunked(_CHUNK):
                data += chunk
                if len(data) > limit:
                    raise FetchFailed(_too_large(None, limit))
    except ValueError:
        raise FetchFailed("it has no address") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(f"it could not be fetched ({type(error).__name__})") from None
    return bytes(data)


def _too_large(size: int | None, limit: int) -> str:
    return f"it has {size or 'more'} bytes; at most {limit} are taken"
