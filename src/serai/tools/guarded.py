"""Fetching what somebody else has chosen the address of (SPEC 14): never from this machine's own networks.

Names are resolved once, by us, and only addresses that are public are connected to; a redirect is looked at like a
new address.
"""

import asyncio
import ipaddress
import socket
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Final
from urllib.parse import unquote_to_bytes

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from serai.core.error import FetchFailed

_REDIRECTS_MOST: Final = 5
_SECONDS: Final = 60.0
_CHUNK: Final = 64 * 1024


class GuardedFetch:
    """A `ports.inbox.Fetch`. `allowed` are host names and addresses that the operator vouches for."""

    def __init__(self, allowed: frozenset[str] = frozenset()) -> None:
        self._allowed = allowed
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, limit: int) -> bytes:
        if url.startswith("data:"):
            return _within(_data(url), limit)
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._fetch(URL(url), limit)
        except ValueError:
            raise FetchFailed("its address is none") from None
        except TimeoutError:
            raise ConnectionError("its server is too slow") from None
        except aiohttp.ClientError as error:
            raise ConnectionError(f"its server cannot be reached ({type(error).__name__})") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _fetch(self, url: URL, limit: int) -> bytes:
        for _ in range(_REDIRECTS_MOST + 1):
            self._check(url)
            async with self._opened().get(url, allow_redirects=False) as answer:
                if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                    url = url.join(URL(answer.headers["Location"]))
                    continue
                if answer.status >= 500 or answer.status == 429:
                    raise ConnectionError(f"its server answers with {answer.status}")
                if answer.status != 200:
                    raise FetchFailed(f"its server answers with {answer.status}")
                return await _read(answer, limit)
        raise FetchFailed("its address leads on and on")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=_Public(self._allowed), use_dns_cache=False)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _check(self, url: URL) -> None:
        """An address that is written as a number is not resolved, so it is looked at here."""
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchFailed("its address is neither https: nor http:")
        if url.host not in self._allowed and is_forbidden(url.host):
            raise FetchFailed("its address lies in a private network")


class _Public(AbstractResolver):
    """Resolves names to public addresses only."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host not in self._allowed and any(is_forbidden(one["host"]) for one in found):
            raise FetchFailed("its address lies in a private network")
        return found

    async def close(self) -> None:
        await self._inner.close()


def is_forbidden(host: str) -> bool:
    """Whether a host is an address that is not public: private, loopback, link-local, metadata, multicast. False for
    names, which are resolved first.

    >>> [is_forbidden(host) for host in ("10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "9.9.9.9")]
    [True, True, True, True, False]
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    address = mapped or address
    return not address.is_global or address.is_multicast


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    if (answer.content_length or 0) > limit:
        raise _too_large(limit)
    data = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise _too_large(limit)
    return bytes(data)


def _data(url: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma:
        raise FetchFailed("its address is none")
    try:
        return b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
    except NotBase64:
        raise FetchFailed("its address is none") from None


def _within(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _too_large(limit: int) -> FetchFailed:
    return FetchFailed(f"it is larger than {limit / 1_000_000:g} MB")
