"""Models, probes, route test, platforms' callbacks (SPEC 4.6, 11.2, 11.6, 13.1, 16.3)."""

import asyncio

import openai
import pytest
from openai.types import Model

from serai.api.services import Readiness
from serai.core.source import Source
from serai.ports.platform import HttpReply
from tests.api.stage import ADMIN_KEY, BROKEN, LOCAL_TOKEN, OPS_KEY, request, serving


async def test_models_are_the_agents_that_the_key_may_use() -> None:
    async with serving() as stage, stage.client() as client, stage.client(OPS_KEY) as ops:
        listed = [model async for model in client.models.list()]
        fewer = [model.id async for model in ops.models.list()]
        envelope = (await stage.call("GET", "/v1/models")).json
    assert [model.id for model in listed] == ["default", "main", "ops"]
    assert fewer == ["default", "ops"]
    assert all(Model.model_validate(model.model_dump(), strict=True).owned_by == "serai" for model in listed)
    assert (envelope["object"], envelope["has_more"], envelope["next"]) == ("list", False, None)


async def test_one_model_is_found_by_its_id() -> None:
    async with serving(model_aliases=frozenset({"gpt-4o"})) as stage, stage.client(OPS_KEY) as client:
        for name in ("ops", "default", "gpt-4o"):
            assert (await client.models.retrieve(name)).id == name
        for name in ("main", BROKEN, "gpt-9", "a/b", "ä"):
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve(name)


async def test_a_query_is_no_part_of_the_path() -> None:
    async with serving() as stage:
        assert (await stage.call("GET", "/v1/models?limit=1")).status == 200
        assert (await stage.call("GET", "/v1/models/ops?x=y")).json["id"] == "ops"
        assert (await stage.call("GET", "/v1/models/%6Fps")).json["id"] == "ops"
        assert (await stage.call("GET", "http://localhost/v1/models")).status == 200


async def test_health_is_for_everybody() -> None:
    async with serving() as stage:
        answer = await stage.send(request("GET", "/health", host="10.0.0.7:8642"))
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_head_answers_without_a_body() -> None:
    async with serving() as stage:
        both = request("HEAD", "/health") + request("GET", "/health")
        first, _, second = (await _everything(stage.port, both)).partition(b"\r\n\r\n")
    assert b"Content-Length: 15" in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_readiness_is_the_status_and_its_details_are_for_admins() -> None:
    async with serving() as stage:
        known = await stage.call("GET", "/ready", key=ADMIN_KEY)
        other = await stage.call("GET", "/ready", key=OPS_KEY)
        stranger = await stage.send(request("GET", "/ready", host="10.0.0.7"))
        stage.readiness = Readiness(False, {"ready": False, "reasons": {"store": "full"}})
        unready = await stage.call("GET", "/ready", key=ADMIN_KEY)
    assert (known.status, known.json["accounts"]) == (200, {"webhook@work": "running"})
    assert (stranger.status, stranger.json) == (other.status, other.json) == (200, {"ready": True})
    assert (unready.status, unready.json["reasons"]) == (503, {"store": "full"})


async def test_metrics_are_prometheus_text_for_admins() -> None:
    async with serving() as stage:
        answer = await stage.call("GET", "/metrics", key=ADMIN_KEY)
        assert (await stage.call("GET", "/metrics", key=OPS_KEY)).error["code"] == "admin_required"
        assert (await stage.call("GET", "/metrics", key=None)).status == 401
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.body == b"serai_turns_total 1.0\n"


async def test_a_route_test_explains_the_decision() -> None:
    fields = {
        "platform": "Discord",
        "account": "work",
        "chat_id": 100,
        "chat_type": "thread",
        "user_id": "u",
        "roles": ["1", 2],
        "thread_id": "t",
        "topic_id": None,
        "parent_chat_id": "",
        "is_bot": True,
        "agent_id": "ops",
    }
    async with serving() as stage:
        answer = await stage.call("POST", "/api/routes/test", fields, key=ADMIN_KEY)
        assert (await stage.call("POST", "/api/routes/test", {"platform": "x"}, key=LOCAL_TOKEN)).status == 200
    tried = {"route": 1, "line": 7, "agent": "main", "failed": "chat_id", "wanted": ["100"], "got": ["99"]}
    assert answer.json == {
        "agent": "ops",
        "reason": "route",
        "route": 2,
        "line": 8,
        "plugin": None,
        "refused": None,
        "considered": [tried],
    }
    assert stage.explained[0] == Source(
        "discord",
        "work",
        chat_id="100",
        chat_type="thread",
        user_id="u",
        roles=("1", "2"),
        thread_id="t",
        is_bot=True,
        agent_id="ops",
    )


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "platform", "missing_required_parameter"),
        ({"platform": ""}, "platform", "invalid_value"),
        ({"platform": "x", "chatid": "1"}, "chatid", "unknown_parameter"),
        ({"platform": "x", "chat_type": "pm"}, "chat_type", "invalid_value"),
        ({"platform": "x", "roles": "1"}, "roles", "invalid_value"),
        ({"platform": "x", "chat_id": 1.5}, "chat_id", "invalid_value"),
    ],
)
async def test_a_route_test_names_the_wrong_field(body: dict[str, object], param: str, code: str) -> None:
    async with serving() as stage:
        answer = await stage.call("POST", "/api/routes/test", body, key=ADMIN_KEY)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, param, code)


async def test_a_platform_gets_its_request_unread_and_without_our_guards() -> None:
    data = request(
        "POST", "/webhook/work", b"\x00raw", [("Webhook-Id", "1"), ("webhook-id", "2"), ("Origin", "x")], "evil"
    )
    async with serving() as stage:
        answer = await stage.send(data)
    assert (answer.status, answer.json) == (202, {"accepted": True})
    (got,) = stage.endpoint.requests
    assert got.body == b"\x00raw"
    assert (got.headers["webhook-id"], got.headers["host"]) == ("1, 2", "evil")


async def test_a_platforms_refusal_has_the_one_shape() -> None:
    async with serving() as stage:
        stage.endpoint.reply = HttpReply(429, code="busy", text="too many", retry_after=1.5)
        answer = await stage.call("POST", "/webhook/work", b"", key=None)
    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (429, "busy", "2")


async def test_a_platforms_body_is_bounded() -> None:
    async with serving() as stage:
        assert (await stage.call("POST", "/webhook/work", b"x" * (10 * 2**20 + 1), key=None)).status == 413
    assert stage.endpoint.requests == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "OPTIONS, POST"),
        ("DELETE", "/v1/models", "GET, HEAD, OPTIONS"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("PUT", "/webhook/work", "OPTIONS, POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allowed: str) -> None:
    async with serving() as stage:
        answer = await stage.call(method, path)
        options = await stage.call("OPTIONS", "/v1/models")
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert answer.error["code"] == "method_not_allowed"
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_every_answer_is_dated_and_tells_no_version() -> None:
    async with serving() as stage:
        answer = await stage.call("GET", "/health")
        stage.clock.advance(61)
        later = await stage.call("GET", "/health")
    assert answer.headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert later.headers["date"] == "Tue, 14 Nov 2023 22:14:21 GMT"
    assert answer.headers["server"] == "serai"


async def _everything(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data.replace(b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nConnection: close\r\n"))
    answer = await reader.read()
    writer.close()
    return answer
