"""Fetching by addresses that strangers chose (SPEC 14). Loopback is the private network of these tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from serai.core.error import FetchFailed
from serai.tools.guarded import GuardedFetch, is_forbidden


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """A file at /file, redirects to it and elsewhere, failures. Gives the address, by number."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/file":
                return web.Response(body=b"x" * 1000)
            case "/stream":
                response = web.StreamResponse()
                await response.prepare(request)
                for _ in range(10):
                    await response.write(b"x" * 100)
                return response
            case "/hop":
                return web.Response(status=302, headers={"Location": "/file"})
            case "/round":
                return web.Response(status=302, headers={"Location": "/round"})
            case "/inside":
                return web.Response(status=302, headers={"Location": f"http://127.0.0.2:{request.url.port}/file"})
            case "/busy":
                return web.Response(status=503)
            case _:
                return web.Response(status=404)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def fetching(*allowed: str) -> AsyncIterator[GuardedFetch]:
    fetch = GuardedFetch(frozenset(allowed))
    try:
        yield fetch
    finally:
        await fetch.close()


async def test_a_file_is_fetched_within_its_limit() -> None:
    async with server() as url, fetching("127.0.0.1") as fetch:
        for path in ("/file", "/stream", "/hop"):
            assert await fetch(url + path, 1000) == b"x" * 1000
            with pytest.raises(FetchFailed, match="larger than"):
                await fetch(url + path, 999)


async def test_what_is_not_there_is_told_and_what_may_come_back_can_be_tried_again() -> None:
    async with server() as url, fetching("127.0.0.1") as fetch:
        with pytest.raises(FetchFailed, match="404"):
            await fetch(url + "/nothing", 1000)
        with pytest.raises(FetchFailed, match="on and on"):
            await fetch(url + "/round", 1000)
        with pytest.raises(ConnectionError, match="503"):
            await fetch(url + "/busy", 1000)
    with pytest.raises(ConnectionError, match="cannot be reached"):
        async with fetching("127.0.0.1") as fetch:
            await fetch(url + "/file", 1000)


async def test_no_private_address_is_asked_by_number_by_name_or_by_redirect() -> None:
    async with server() as url, fetching() as fetch:
        port = url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"):
            with pytest.raises((FetchFailed, ConnectionError), match=r"private network|cannot be reached|is none"):
                await fetch(f"http://{host}:{port}/file", 1000)
    async with server() as url, fetching("127.0.0.1") as fetch:
        with pytest.raises(FetchFailed, match="private network"):
            await fetch(url + "/inside", 1000)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://files.example/a", "gopher://x", "http://", "no address"]
)
async def test_other_kinds_of_addresses_are_refused(url: str) -> None:
    async with fetching() as fetch:
        with pytest.raises(FetchFailed):
            await fetch(url, 1000)


async def test_data_in_the_address_needs_no_network() -> None:
    async with fetching() as fetch:
        assert await fetch("data:text/plain;base64,aGVsbG8=", 5) == b"hello"
        assert await fetch("data:,a%20b", 5) == b"a b"
        for wrong in ("data:text/plain", "data:;base64,???"):
            with pytest.raises(FetchFailed):
                await fetch(wrong, 5)
        with pytest.raises(FetchFailed, match="larger"):
            await fetch("data:,abcdef", 5)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "fe80::1%eth0",
        "fd00::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert is_forbidden(address)
