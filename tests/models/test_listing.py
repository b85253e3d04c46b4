"""Asking an endpoint for its models: what is told, what is not, and what is wrong (SPEC 12 `doctor`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from serai.core.error import ModelFailed, ModelUnreachable, NoModel
from serai.core.profile import Endpoint
from serai.models.listing import KeyRefused, listed
from serai.models.session import make_session
from tests.port import reserved
from tests.process.peer import serving

KEY = "fake-key-of-the-endpoint"


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with make_session() as one:
        yield one


async def ask(status: int, body: str, path: str = "/v1") -> list[str] | None:
    """What comes of a server that answers any question so."""
    asked: list[web.BaseRequest] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=status, text=body, headers={"Location": "http://127.0.0.1:1/"})

    app = web.Application()
    app.router.add_get("/{place:.*}", answer)
    async with serving(app) as address, session() as one:
        try:
            return await listed(one, Endpoint("m", f"{address}{path}", key_name="K"), KEY)
        finally:
            assert [request.path for request in asked] == [f"{path.partition('?')[0].rstrip('/')}/models"]
            assert asked[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/deep/er/v1", "/v1?version=2"])
async def test_the_names_are_told_wherever_the_endpoint_lies(path: str) -> None:
    body = '{"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b"}]}'
    assert await ask(200, body, path) == ["a", "b"]


async def test_a_long_list_is_read_to_its_end() -> None:
    names = [f"model-number-{n}" for n in range(20_000)]
    body = '{"data": [' + ", ".join(f'{{"id": "{name}"}}' for name in names) + "]}"
    assert await ask(200, body) == names


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, "not here"), (405, ""), (302, ""), (200, "<html>"), (200, "[]"), (200, '{"data": [{}]}')],
)
async def test_who_does_not_tell_is_not_wrong(status: int, body: str) -> None:
    assert await ask(status, body) is None


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_told_from_everything_else(status: int) -> None:
    with pytest.raises(KeyRefused, match=f"status {status}") as caught:
        await ask(status, f'{{"error": {{"message": "wrong key {KEY}"}}}}')
    assert KEY not in str(caught.value)


async def test_a_failure_is_told_without_the_key() -> None:
    with pytest.raises(ModelFailed, match="status 500") as caught:
        await ask(500, f"I fell over {KEY}")
    assert KEY not in str(caught.value)


async def test_nobody_there() -> None:
    with reserved() as port:
        async with session() as one:
            with pytest.raises(ModelUnreachable, match="Connection refused"):
                await listed(one, Endpoint("m", f"http://127.0.0.1:{port}/v1"), None)
    async with session() as one:
        with pytest.raises(NoModel):
            await listed(one, Endpoint("m", "ftp://nowhere"), None)
