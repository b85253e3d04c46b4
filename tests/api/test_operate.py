"""Operating the gateway over HTTP: reload, stopping and starting agents (SPEC 2.6, 7.6, 16.3, 16.6)."""

import pytest

from serai.core.change import BadConfiguration, Change
from serai.core.snapshot import Problem
from tests.api.stage import ADMIN_KEY, ALL_KEY, LOCAL_TOKEN, OPS, serving

PATHS = ("/api/reload", "/api/agents/ops/stop", "/api/agents/ops/start")


async def test_a_reload_tells_what_has_changed() -> None:
    async with serving() as stage:
        stage.reloaded = Change(("routes changed",), ("api_server.port",), ("a notice",))
        for key in (ADMIN_KEY, LOCAL_TOKEN):
            answer = await stage.call("POST", "/api/reload", key=key)
            assert (answer.status, answer.json) == (
                200,
                {
                    "object": "reload",
                    "changed": ["routes changed"],
                    "needs_restart": ["api_server.port"],
                    "notices": ["a notice"],
                },
            )


async def test_a_reload_that_finds_problems_lists_them_in_the_error() -> None:
    async with serving() as stage:
        problem = Problem("gateway", "unknown key", "rutes", line=3, nearest="routes")
        stage.reloaded = BadConfiguration([problem])
        answer = await stage.call("POST", "/api/reload", key=ADMIN_KEY)
    error = answer.json["error"]
    assert (answer.status, error["type"], error["code"]) == (422, "invalid_request_error", "invalid_configuration")
    assert "config.yaml:3: rutes: unknown key (did you mean `routes`?)" in error["message"]
    assert error["problems"] == [
        {
            "scope": "gateway",
            "text": "unknown key",
            "path": "rutes",
            "file": "config.yaml",
            "line": 3,
            "nearest": "routes",
            "subject": None,
        }
    ]


@pytest.mark.parametrize("path", PATHS)
async def test_only_admins_may(path: str) -> None:
    async with serving() as stage:
        assert (await stage.call("POST", path, key=ALL_KEY)).error["code"] == "admin_required"
        assert (await stage.call("POST", path, key=None)).status == 401
        assert (await stage.call("GET", path, key=ADMIN_KEY)).status == 405
        assert stage.switched == []


async def test_an_agent_is_stopped_and_started() -> None:
    async with serving() as stage:
        stopped = await stage.call("POST", "/api/agents/ops/stop", key=ADMIN_KEY)
        started = await stage.call("POST", "/api/agents/ops/start", key=ADMIN_KEY)
        assert stage.switched == [(OPS, "stop"), (OPS, "start")]
    assert (stopped.status, stopped.json["object"], stopped.json["id"]) == (200, "agent", "ops")
    assert stopped.json["stopped"] is True
    assert "is stopped" in stopped.json["refusal"]
    assert started.json["stopped"] is False


async def test_an_unknown_agent_cannot_be_stopped() -> None:
    async with serving() as stage:
        answer = await stage.call("POST", "/api/agents/ghost/stop", key=ADMIN_KEY)
        assert (answer.status, answer.error["code"]) == (404, "agent_not_found")
        assert stage.switched == []
