"""Files in and out, over the authenticated media endpoints (Matrix 1.11); those of encrypted rooms are encrypted."""

import asyncio
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
from nio import UploadResponse
from nio.crypto import decrypt_attachment, encrypt_attachment
from nio.exceptions import EncryptionError
from yarl import URL

from serai.core.delivery import Enclosure
from serai.core.error import FetchFailed, SendPermanent, SendTemporary
from serai.platforms.matrix.client import Client
from serai.platforms.matrix.fault import Broken, send_failed
from serai.platforms.matrix.wire import FileRef, Malformed, parse_ref

ENCLOSURE_BYTES: Final = 50 * 1024 * 1024
"""The largest file that is sent; Synapse's own default. A homeserver may take less."""

_FETCH_TIMEOUT: Final = aiohttp.ClientTimeout(total=300, connect=10, sock_read=30)
_CHUNK: Final = 64 * 1024


async def upload(client: Client, enclosure: Enclosure, *, encrypted: bool) -> tuple[int, dict[str, Any]]:
    """Gives the homeserver a file; returns its size and what an event says about where it is. Raises SendPermanent,
    SendTemporary: a file without its message is not sent."""
    data = await asyncio.to_thread(_read, enclosure)
    body, keys = await asyncio.to_thread(encrypt_attachment, data) if encrypted else (data, {})
    media_type = "application/octet-stream" if encrypted else enclosure.media_type
    name = None if encrypted else enclosure.name
    try:
        response, _ = await client.upload(lambda *_: body, media_type, name, filesize=len(body))
    except Broken as error:
        raise SendTemporary(f"the file could not be uploaded ({type(error).__name__})") from None
    if not isinstance(response, UploadResponse):
        raise send_failed(response)
    where = {"file": {**keys, "url": response.content_uri}} if encrypted else {"url": response.content_uri}
    return len(data), where


async def download(session: aiohttp.ClientSession, homeserver: str, token: str, ref: str, limit: int) -> bytes:
    """A file that came with a message, decrypted. Raises FetchFailed."""
    try:
        file = parse_ref(ref)
        url = _address(homeserver, file.url)
    except Malformed as error:
        raise FetchFailed(str(error)) from None
    try:
        data = await _read_all(session, url, token, limit)
    except Broken as error:
        raise FetchFailed(f"the homeserver did not give the file ({type(error).__name__})") from None
    if file.key is None:
        return data
    return await asyncio.to_thread(_decrypted, data, file)


async def _read_all(session: aiohttp.ClientSession, url: URL, token: str, limit: int) -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    async with session.get(url, headers=headers, timeout=_FETCH_TIMEOUT, allow_redirects=False) as response:
        if response.status != 200:
            raise FetchFailed(f"the homeserver answered with {response.status} when asked for the file")
        if (response.content_length or 0) > limit:
            raise FetchFailed(f"the file is larger than {limit} bytes")
        data = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) > limit:
                raise FetchFailed(f"the file is larger than {limit} bytes")
        return bytes(data)


def _address(homeserver: str, mxc: str) -> URL:
    """Where the homeserver has `mxc://<server>/<media id>`. Raises Malformed."""
    parts = urlsplit(mxc)
    media = parts.path.removeprefix("/")
    if parts.scheme != "mxc" or not parts.netloc or not media or "/" in media or media in (".", ".."):
        raise Malformed("not an mxc:// address")
    path = f"/_matrix/client/v1/media/download/{quote(parts.netloc, safe='')}/{quote(media, safe='')}"
    return URL(homeserver + path, encoded=True)


def _decrypted(data: bytes, file: FileRef) -> bytes:
    try:
        opened: bytes = decrypt_attachment(data, file.key or "", file.sha256 or "", file.iv or "")
    except (EncryptionError, ValueError):
        raise FetchFailed("the file does not fit its key: it was changed on the way") from None
    return opened


def _read(enclosure: Enclosure) -> bytes:
    path = Path(enclosure.path)
    try:
        if path.stat().st_size > ENCLOSURE_BYTES:
            raise SendPermanent(f"the file is larger than {ENCLOSURE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise SendPermanent(f"the file cannot be read ({type(error).__name__})") from None
