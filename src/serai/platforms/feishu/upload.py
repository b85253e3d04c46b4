"""Files that are sent: uploaded first, then named by their key."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final, Literal

import aiohttp
import msgspec

from serai.core.delivery import Enclosure
from serai.core.error import SendPermanent
from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.render import plain

FILE_LIMIT: Final = 30 * 1024 * 1024
_IMAGE_LIMIT: Final = 10 * 1024 * 1024
_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"})
_TYPES: Final = {
    ".opus": "opus",
    ".mp4": "mp4",
    ".pdf": "pdf",
    ".doc": "doc",
    ".docx": "doc",
    ".xls": "xls",
    ".xlsx": "xls",
    ".ppt": "ppt",
    ".pptx": "ppt",
}


class _ImageKey(msgspec.Struct, frozen=True):
    image_key: str


class _ImageReply(msgspec.Struct, frozen=True):
    data: _ImageKey


class _FileKey(msgspec.Struct, frozen=True):
    file_key: str


class _FileReply(msgspec.Struct, frozen=True):
    data: _FileKey


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that the platform has; `kind` is the kind of message that shows it."""

    key: str
    kind: Literal["image", "file", "audio", "media"]


class Uploads:
    """One app's uploads."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def upload(self, enclosure: Enclosure) -> Uploaded:
        """Uploads a file. Raises SendPermanent for one that is gone, empty or too large, else as any call."""
        data = await asyncio.to_thread(_contents, Path(enclosure.path))
        if enclosure.media_type in _IMAGES and len(data) <= _IMAGE_LIMIT:
            image = await self._api.upload(path("im", "v1", "images"), _image_form(data, enclosure), _ImageReply)
            return Uploaded(image.data.image_key, "image")
        kind = _TYPES.get(PurePath(enclosure.name).suffix.lower(), "stream")
        file = await self._api.upload(path("im", "v1", "files"), _file_form(data, enclosure, kind), _FileReply)
        return Uploaded(file.data.file_key, "audio" if kind == "opus" else "media" if kind == "mp4" else "file")


def content_of(file: Uploaded) -> str:
    """The content of the message that shows a file."""
    name = "image_key" if file.kind == "image" else "file_key"
    return msgspec.json.encode({name: file.key}).decode()


def _contents(where: Path) -> bytes:
    try:
        size = where.stat().st_size
        if not 0 < size <= FILE_LIMIT:
            raise SendPermanent(f"a file must have 1 to {FILE_LIMIT} bytes to be sent, this one has {size}")
        return where.read_bytes()
    except OSError as error:
        raise SendPermanent(f"the file cannot be read ({type(error).__name__})") from None


def _image_form(data: bytes, enclosure: Enclosure) -> Callable[[], aiohttp.FormData]:
    def form() -> aiohttp.FormData:
        parts = aiohttp.FormData()
        parts.add_field("image_type", "message")
        parts.add_field("image", data, filename=plain(enclosure.name), content_type=enclosure.media_type)
        return parts

    return form


def _file_form(data: bytes, enclosure: Enclosure, kind: str) -> Callable[[], aiohttp.FormData]:
    def form() -> aiohttp.FormData:
        parts = aiohttp.FormData()
        parts.add_field("file_type", kind)
        parts.add_field("file_name", plain(enclosure.name))
        parts.add_field("file", data, filename=plain(enclosure.name), content_type="application/octet-stream")
        return parts

    return form
