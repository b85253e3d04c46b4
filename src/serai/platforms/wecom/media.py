"""Files of WeCom: enciphered ones that came with a message, and ours in chunks (WeCom AI bot, long connection)."""

import base64
import binascii
import hashlib
from typing import Final

import aiohttp

from serai.core.error import FetchFailed
from serai.platforms.wecom.connection import Connection
from serai.platforms.wecom.wire import Media

_CHUNK: Final = 512 * 1024
_BLOCK: Final = 32
_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, connect=10)

MISSING: Final = "files of WeCom need a library that is not installed (cryptography)"
IMAGE_MOST: Final = 10 * 2**20
FILE_MOST: Final = 20 * 2**20


async def fetch(session: aiohttp.ClientSession, media: Media, limit: int) -> bytes:
    """A file that came with a message, deciphered. Raises FetchFailed, ConnectionError."""
    try:
        async with session.get(media.url, timeout=_TIMEOUT) as response:
            if response.status >= 500:
                raise ConnectionError(f"WeCom answered {response.status}")
            if response.status != 200:
                raise FetchFailed(f"WeCom does not give the file any more ({response.status})")
            if (response.content_length or 0) > limit + _BLOCK:
                raise FetchFailed(f"the file is larger than {limit} bytes")
            data = bytearray()
            async for piece in response.content.iter_chunked(1 << 16):
                data += piece
                if len(data) > limit + _BLOCK:
                    raise FetchFailed(f"the file is larger than {limit} bytes")
    except ValueError:
        raise FetchFailed("the file has no address") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionError(f"the file could not be fetched ({type(error).__name__})") from None
    return decipher(bytes(data), media.aeskey) if media.aeskey else bytes(data)


def decipher(data: bytes, key: str) -> bytes:
    """AES-256-CBC; the first 16 bytes of the key are the vector, and the padding counts in blocks of 32 bytes.

    Raises FetchFailed for what was not enciphered so, and where the library is missing.
    """
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise FetchFailed(MISSING) from None
    try:
        raw = base64.b64decode(key + "=" * (-len(key) % 4))
        machine = Cipher(algorithms.AES256(raw), modes.CBC(raw[:16])).decryptor()
        plain = machine.update(data) + machine.finalize()
    except (ValueError, binascii.Error):
        raise FetchFailed("the file could not be deciphered") from None
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise FetchFailed("the file could not be deciphered")
    return plain[:-padding]


async def upload(connection: Connection, kind: str, name: str, data: bytes) -> str:
    """Hands a file over and returns the name under which it can be sent. Raises as `Connection.ask`."""
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)] or [b""]
    begun = await connection.ask(
        "aibot_upload_media_init",
        {
            "type": kind,
            "filename": name,
            "total_size": len(data),
            "total_chunks": len(chunks),
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        },
    )
    upload_id = str(begun["upload_id"])
    for index, chunk in enumerate(chunks):  # from 0, as the vendor's client does
        body = {"upload_id": upload_id, "chunk_index": index, "base64_data": base64.b64encode(chunk).decode()}
        await connection.ask("aibot_upload_media_chunk", body)
    done = await connection.ask("aibot_upload_media_finish", {"upload_id": upload_id})
    return str(done["media_id"])
