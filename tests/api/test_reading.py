"""/api/agents, /api/deliveries, /api/usage (SPEC 5.5, 11.6, 16.3)."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from serai.api import document as documents
from serai.cli.view import agent_document
from serai.core.error import SendPermanent
from serai.core.ids import MAIN
from serai.core.profile import AgentProfile
from serai.core.snapshot import ApiSettings
from tests.api.hosted import LAB, OPERATOR, OPS, Whole, whole
from tests.api.stage import HOME, snapshot


async def test_a_key_sees_its_own_agents_and_an_admin_where_they_live(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        listed = await gateway.get("/api/agents", OPERATOR)
        (own,) = (await gateway.get("/api/agents"))["data"]
        assert await gateway.get("/api/agents/ops") == own
        assert await gateway.code("GET", "/api/agents/lab") == (404, "agent_not_found")
        assert await gateway.code("GET", "/api/agents/nobody", key=OPERATOR) == (404, "agent_not_found")
        whole_agent = await gateway.get("/api/agents/ops", OPERATOR)
    assert (listed["object"], listed["has_more"], listed["next"]) == ("list", False, None)
    assert [(one["id"], one["default"], one["routes"]) for one in listed["data"]] == [
        ("lab", False, [2]),
        ("main", True, []),
        ("ops", False, [1]),
    ]
    private = ("base_url", "api_key_env", "fallback", "home")
    assert [own[name] for name in private] == [None] * 4
    assert whole_agent["base_url"] == "http://127.0.0.1:1/v1"
    assert whole_agent["home"] == str(tmp_path / "home" / "agents" / "ops")
    assert {name: value for name, value in own.items() if name not in private}.items() <= whole_agent.items()


def test_the_command_line_prints_agents_with_the_same_fields() -> None:
    profile = AgentProfile(MAIN, HOME)
    known = snapshot(ApiSettings())
    (told,) = documents.agents([profile], known, whole=True)
    written = {"name": None, "provider": None, "base_url": None, "api_key_env": None}
    assert set(agent_document(profile, known, written)) == set(msgspec.to_builtins(told))


async def test_a_stopped_agent_says_why_it_does_not_answer(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.call("POST", "/api/agents/ops/stop", key=OPERATOR)
        assert "is stopped" in (await gateway.get("/api/agents/ops"))["refusal"]


async def test_deliveries_are_listed_for_admins_and_sent_again(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        chat = gateway.hosted.connection()
        chat.fails(SendPermanent("the chat is gone"))
        await chat.says("hello", chat="ops-room")
        dead = await _settled(gateway, "dead")
        await chat.says("hello", chat="lab-room")
        await chat.answer()
        sent = await _settled(gateway, "sent")
        assert (dead["agent"], dead["error"]) == ("ops", "the chat is gone")
        assert await gateway.get(f"/api/deliveries/{dead['id']}", OPERATOR) == dead
        first = await gateway.get("/api/deliveries?limit=1", OPERATOR)
        rest = await gateway.get(f"/api/deliveries?before={first['next']}", OPERATOR)
        assert sorted(one["id"] for one in first["data"] + rest["data"]) == sorted([dead["id"], sent["id"]])
        assert (first["has_more"], rest["has_more"]) == (True, False)
        assert (await gateway.get("/api/deliveries?agent=ops", OPERATOR))["data"] == [dead]
        assert (await gateway.get("/api/deliveries?platform=telegram", OPERATOR))["data"] == []
        status, renewed = await gateway.call("POST", f"/api/deliveries/{dead['id']}/retry", key=OPERATOR)
        assert (status, renewed["state"]) == (200, "new")
        answer = await chat.answer()
        assert answer.id == dead["id"]
        again = await gateway.code("POST", f"/api/deliveries/{sent['id']}/retry", key=OPERATOR)
        assert again == (409, "not_retriable")


async def test_a_text_is_sent_to_chats_and_each_target_has_a_result(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        chat = gateway.hosted.connection()
        body = {"target": ["webhook:ops-room", "WEBHOOK:lab-room:5", "nowhere:1"], "text": "hello", "agent": "ops"}
        status, answer = await gateway.call("POST", "/api/deliveries", body, key=OPERATOR)
        arrived = {
            (one.target.chat_id, one.target.thread_id, one.agent) for one in [await chat.answer() for _ in "ab"]
        }
        first, second, third = answer["data"]
        sent = await gateway.get(f"/api/deliveries/{first['deliveries'][0]}", OPERATOR)
        one = await gateway.call("POST", "/api/deliveries", {"target": "webhook:1", "text": "x"}, key=OPERATOR)
        unknown = {"target": "webhook:1", "text": "x", "agent": "nobody"}
        refused = (await gateway.call("POST", "/api/deliveries", unknown, key=OPERATOR))[1]["data"]
    assert (status, answer["object"], answer["has_more"], answer["next"]) == (202, "list", False, None)
    assert arrived == {("ops-room", None, "ops"), ("lab-room", "5", "ops")}
    assert (first["target"], first["agent_id"], first["error"]) == ("webhook:ops-room", "ops", None)
    assert (second["target"], len(second["deliveries"])) == ("webhook:lab-room:5", 1)
    assert third == {
        "object": "dispatched",
        "target": "nowhere:1",
        "agent_id": "ops",
        "deliveries": [],
        "error": "no platform `nowhere` is configured",
    }
    assert (sent["agent"], sent["target"]["agent_id"], sent["text"]) == ("ops", "ops", "hello")
    assert one[1]["data"][0]["agent_id"] is None
    assert [(r["deliveries"], r["error"]) for r in refused] == [([], "no agent named `nobody` is configured")]


async def test_deliveries_are_no_business_of_other_keys(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/d"), ("POST", "/d/retry")):
            assert await gateway.code(method, f"/api/deliveries{path}") == (403, "admin_required")
        for method, path in (("GET", "/d"), ("POST", "/d/retry")):
            unknown = await gateway.code(method, f"/api/deliveries{path}", key=OPERATOR)
            assert unknown == (404, "delivery_not_found")


async def test_usage_is_summed_up_by_what_was_asked(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        for key in (OPS, OPS, LAB):
            await gateway.says("hello", key=key)
        (own,) = (await gateway.get("/api/usage"))["data"]
        by_agent = (await gateway.get("/api/usage?by=agent&days=1", OPERATOR))["data"]
        (total,) = (await gateway.get("/api/usage?by=model", OPERATOR))["data"]
        (of_lab,) = (await gateway.get("/api/usage?agent=lab&by=agent", OPERATOR))["data"]
        assert await gateway.code("GET", "/api/usage?agent=lab") == (404, "agent_not_found")
        assert await gateway.code("GET", "/api/usage?by=moon") == (400, "invalid_value")
    assert (own["object"], own["agent"], own["model"], own["turns"]) == ("usage", "ops", "m", 2)
    assert set(own) == {
        "object",
        "day",
        "agent",
        "model",
        "turns",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "reasoning_tokens",
    }
    assert {one["agent"]: one["turns"] for one in by_agent} == {"ops": 2, "lab": 1}
    assert "day" not in by_agent[0]
    assert (total["model"], total["turns"]) == ("m", 3)
    assert of_lab["turns"] == 1


async def _settled(gateway: Whole, state: str) -> Any:
    """The first delivery that has come to that state."""
    while not (found := (await gateway.get(f"/api/deliveries?state={state}", OPERATOR))["data"]):
        await asyncio.sleep(0.01)
    return found[0]


async def test_a_page_behind_no_delivery_is_refused(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        for _ in range(3):
            await gateway.call("POST", "/api/deliveries", {"target": "webhook:1", "text": "x"}, OPERATOR)
        assert await gateway.code("GET", "/api/deliveries?before=bogus", key=OPERATOR) == (400, "invalid_value")
        first = await gateway.get("/api/deliveries?limit=2", OPERATOR)
        rest = await gateway.get(f"/api/deliveries?limit=2&before={first['next']}", OPERATOR)
    assert (len(first["data"]), len(rest["data"]), rest["has_more"]) == (2, 1, False)


async def test_platforms_are_meant_in_any_case(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.hosted.connection().says("hello", chat="ops-room")
        await _settled(gateway, "sent")
        for kind in ("deliveries", "sessions"):
            one, other = [
                (await gateway.get(f"/api/{kind}?platform={name}", OPERATOR))["data"]
                for name in ("webhook", "WEBHOOK")
            ]
            assert len(one) == 1
            assert one == other
        session = await gateway.says("hello")
        for name in ("api_server", "API_Server"):
            assert [one["id"] for one in (await gateway.get(f"/api/sessions?platform={name}"))["data"]] == [session]
        assert (await gateway.get("/api/sessions?platform=Webhook"))["data"] == []


async def test_what_the_gateway_itself_sends_is_no_agents(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        await gateway.call("POST", "/api/deliveries", {"target": "webhook:1", "text": "x"}, OPERATOR)
        (own,) = (await gateway.get("/api/deliveries", OPERATOR))["data"]
        await gateway.call("POST", "/api/deliveries", {"target": "webhook:1", "text": "x", "agent": "lab"}, OPERATOR)
        (theirs, _) = (await gateway.get("/api/deliveries", OPERATOR))["data"]
    assert (own["agent"], own["target"]["agent_id"]) == (None, None)
    assert (theirs["agent"], theirs["target"]["agent_id"]) == ("lab", "lab")
