"""HEAD, OPTIONS and methods that are not for a path (SPEC 11.1)."""

from pathlib import Path

import aiohttp
import pytest

from tests.api.hosted import OPS, whole
from tests.api.stage import request, serving

PAGE = "https://chat.example.org"
PATHS = ("/v1/models", "/v1/chat/completions", "/api/sessions/x", "/health", "/ready", "/metrics", "/webhook/work")


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_tells_its_methods_and_means_it(path: str) -> None:
    async with serving() as stage:
        told = await stage.call("OPTIONS", path, key=None)
        assert (told.status, told.body) == (204, b"")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            refused = (await stage.send(request(method, path, b"", [("Connection", "close")]))).status == 405
            assert refused == (method not in told.headers["allow"].split(", ")), method


async def test_a_method_that_is_not_for_a_path_is_refused_in_the_one_shape() -> None:
    async with serving() as stage:
        answer = await stage.call("PUT", "/v1/models")
        assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_listed_page_may_read_that_there_is_nothing() -> None:
    async with serving(cors_origins=frozenset({PAGE})) as stage:
        answer = await stage.call("GET", "/v1/nothing", Origin=PAGE)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, PAGE)
        assert "access-control-allow-origin" not in (await stage.call("GET", "/v1/nothing")).headers


async def test_a_page_may_send_the_number_of_its_last_event() -> None:
    async with serving(cors_origins=frozenset({PAGE})) as stage:
        asked = {"Origin": PAGE, "Access_Control_Request_Method": "GET"}
        told = await stage.call("OPTIONS", "/api/events", key=None, **asked)
    assert "Last-Event-ID" in told.headers["access-control-allow-headers"].split(", ")


async def test_head_answers_every_get_without_a_body_streams_too(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        session = await gateway.says("hello", "trip")
        for path in ("/api/sessions", f"/api/sessions/{session}", "/api/events", "/api/agents"):
            async with (
                aiohttp.ClientSession(gateway.hosted.url, headers={"Authorization": f"Bearer {OPS}"}) as client,
                client.head(path) as head,
            ):
                assert head.status == 200, path
                assert await head.read() == b""
