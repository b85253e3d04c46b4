"""The page and its files: read once, served with the rules that keep everything else out (SPEC 14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import PurePath
from typing import Final

from aiohttp import hdrs

from serai.api.error import ApiError
from serai.api.path import Call
from serai.api.reply import Reply

PAGE: Final = "index.html"

_KINDS: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_RULES: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-cache"),
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file. `tag` changes with its content."""

    kind: str
    content: bytes
    tag: str


@cache
def assets() -> Mapping[str, Asset]:
    """All files of the page, by name."""
    folder = files("serai.web") / "static"
    return {entry.name: _asset(entry.name, entry.read_bytes()) for entry in folder.iterdir() if entry.is_file()}


def known(parts: tuple[str, ...]) -> bool:
    """Whether there is a file of that name beside the page."""
    return parts[0] in assets() and parts[0] != PAGE


async def page(call: Call) -> Reply:
    """GET /."""
    return _served(call, PAGE)


async def file(call: Call) -> Reply:
    """GET /web/{file}. Raises ApiError 404."""
    return _served(call, call.parts[0])


def _served(call: Call, name: str) -> Reply:
    asset = assets().get(name)
    if asset is None:
        raise ApiError(404, "not_found", "There is nothing at this path.")
    lines = (*_RULES, ("ETag", asset.tag))
    if call.request.headers.get(hdrs.IF_NONE_MATCH) == asset.tag:
        return Reply(304, b"", kind=asset.kind, lines=lines)
    return Reply(200, asset.content, kind=asset.kind, lines=lines)


def _asset(name: str, content: bytes) -> Asset:
    tag = blake2b(content, digest_size=12).hexdigest()
    return Asset(_KINDS.get(PurePath(name).suffix, "application/octet-stream"), content, f'"{tag}"')
