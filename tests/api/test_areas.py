"""Areas: resources that are imported and made when somebody first asks for one of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import pytest
from aiohttp.web_request import BaseRequest
from yarl import URL

from serai.api.path import Area, Call, Paths, Resource
from serai.api.reply import Reply
from tests.api.stage import OPS_KEY, serving


@dataclass(frozen=True)
class FakeRequest:
    """A request as far as its path goes."""

    raw_path: str

    @property
    def rel_url(self) -> URL:
        return URL(self.raw_path, encoded=True)


async def nothing(_: Call) -> Reply:
    return Reply(204, b"")


def served(path: str) -> Resource:
    return Resource(path, {"GET": nothing})


class Maker:
    """Counts how often the resources are made."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths
        self.made = 0

    def __call__(self) -> Sequence[Resource]:
        self.made += 1
        return [served(path) for path in self.paths]


async def find(paths: Paths, path: str) -> str | None:
    request = cast("BaseRequest", FakeRequest(path))
    found = paths.find(request)
    while isinstance(found, Area):
        await paths.make(found)
        found = paths.find(request)
    return found[0].path if found else None


@pytest.mark.parametrize("path", ["/", "/v1/chat", "/v1/run", "/v1/runsome", "/v1", "/x/v1/runs", "/V1/runs"])
async def test_paths_elsewhere_do_not_make_an_area(path: str) -> None:
    make = Maker("/v1/runs")
    paths = Paths([served("/v1/chat"), Area(["/v1/runs"], make)])
    assert await find(paths, path) == (path if path == "/v1/chat" else None)
    assert make.made == 0


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/runs", "/v1/runs"),
        ("/v1/runs?limit=1", "/v1/runs"),
        ("/v1/runs/7", "/v1/runs/{id}"),
        ("/v1/runs/7/none", None),
    ],
)
async def test_the_first_request_makes_an_area_and_no_later_one(path: str, found: str | None) -> None:
    make = Maker("/v1/runs", "/v1/runs/{id}")
    paths = Paths([Area(["/v1/runs"], make)])
    assert await asyncio.gather(*(find(paths, path) for _ in range(3))) == [found] * 3
    assert make.made == 1


async def test_what_is_in_an_area_goes_before_placeholders() -> None:
    paths = Paths([served("/{platform}/{account}"), Area(["/api/usage"], Maker("/api/usage"))])
    assert await find(paths, "/api/usage") == "/api/usage"
    assert await find(paths, "/webhook/default") == "/{platform}/{account}"


async def test_an_area_that_could_not_be_made_is_tried_again() -> None:
    tries: list[Callable[[], Sequence[Resource]]] = [Maker("/a/b"), Maker("/a")]

    def make() -> Sequence[Resource]:
        if len(tries) == 2:
            tries.pop()
            raise ImportError("no memory left")
        return tries[0]()

    paths = Paths([Area(["/a"], make)])
    with pytest.raises(ImportError):
        await find(paths, "/a/b")
    assert await find(paths, "/a/b") == "/a/b"


async def test_an_area_is_as_guarded_as_everything_else() -> None:
    async with serving() as stage:
        assert (await stage.call("GET", "/api/agents", key=None)).status == 401
        assert (await stage.call("GET", "/api/agents", key=OPS_KEY)).status == 200
        refused = await stage.call("PUT", "/api/agents", key=OPS_KEY)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
