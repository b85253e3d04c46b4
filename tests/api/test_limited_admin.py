"""An admin key of some agents sees what is theirs, whoever's it is, and nothing of other agents (SPEC 11.1, 11.7)."""

from pathlib import Path
from typing import Any

from serai.api.operator.event import event
from serai.core.activity import Settled, Switched
from serai.core.ids import AgentId, DeliveryId
from serai.core.principal import Principal
from tests.api.call import SESSION_CALLS, job_calls
from tests.api.hosted import DEPUTY, LAB, OPERATOR, OPS, Whole, whole
from tests.api.test_job_runs import ran
from tests.api.test_jobs import made

TEXT = {"target": "webhook:1", "text": "The build is green."}


async def sent(gateway: Whole, key: str = OPERATOR, **more: Any) -> str:
    """The id of a delivery that was asked for."""
    status, answer = await gateway.call("POST", "/api/deliveries", {**TEXT, **more}, key)
    assert status == 202, answer
    (name,) = answer["data"][0]["deliveries"]
    return str(name)


async def listed(gateway: Whole, path: str, key: str = DEPUTY) -> set[str]:
    return {one["id"] for one in (await gateway.get(path, key))["data"]}


async def test_a_job_of_another_agent_is_not_there_for_it(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        theirs, ours = await made(gateway, LAB, agent="lab"), await made(gateway)
        run = await ran(gateway, theirs, LAB)
        for method, path, body in job_calls(run):
            for agent in ("", "?agent=lab"):
                answer = await gateway.code(method, path.format(theirs["id"]) + agent, body, DEPUTY)
                assert answer == (404, "job_not_found")
        assert await gateway.get(f"/api/jobs/{ours['id']}", DEPUTY) == ours
        assert (await ran(gateway, ours, DEPUTY))["state"] == "ok"
        assert await listed(gateway, "/api/jobs") == {ours["id"]}


async def test_it_sends_as_its_own_agents_and_as_the_gateway(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        for agent in ("lab", "main", "nobody"):
            answer = await gateway.call("POST", "/api/deliveries", {**TEXT, "agent": agent}, DEPUTY)
            assert (answer[0], answer[1]["error"]["code"]) == (403, "unauthorised")
            assert answer[1]["error"]["param"] == "agent"
        await sent(gateway, DEPUTY, agent="ops")
        await sent(gateway, DEPUTY)
        arrived = {(await gateway.hosted.connection().answer()).agent for _ in "ab"}
    assert arrived == {"ops", ""}


async def test_deliveries_of_other_agents_are_not_there_for_it(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        theirs = await sent(gateway, agent="lab")
        seen = {await sent(gateway, agent="ops"), await sent(gateway)}
        assert await listed(gateway, "/api/deliveries") == seen
        assert await listed(gateway, "/api/deliveries?agent=lab") == set()
        assert await listed(gateway, "/api/deliveries", OPERATOR) == {theirs, *seen}
        for method, path in (("GET", "/api/deliveries/{}"), ("POST", "/api/deliveries/{}/retry")):
            assert await gateway.code(method, path.format(theirs), None, DEPUTY) == (404, "delivery_not_found")
        for name in seen:
            assert (await gateway.get(f"/api/deliveries/{name}", DEPUTY))["id"] == name


async def test_sessions_of_other_agents_are_not_there_for_it(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        theirs, ours = await gateway.says("hello", key=LAB), await gateway.says("hello", key=OPS)
        assert await listed(gateway, "/api/sessions") == {ours}
        assert await listed(gateway, "/api/sessions?agent=lab") == set()
        for method, path, body in SESSION_CALLS:
            place = f"/api/sessions/{theirs}{path}"
            assert await gateway.code(method, place, body, DEPUTY) == (404, "session_not_found")
        assert (await gateway.get(f"/api/sessions/{ours}", DEPUTY))["owner"] == "ops"


async def test_it_stops_and_starts_its_own_agents_alone(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        for switch in ("stop", "start"):
            path = f"/api/agents/{{}}/{switch}"
            assert await gateway.code("POST", path.format("lab"), None, DEPUTY) == (404, "agent_not_found")
            assert (await gateway.call("POST", path.format("ops"), None, DEPUTY))[0] == 200


async def test_it_hears_of_its_own_agents_and_of_the_gateways_texts() -> None:
    deputy = Principal("deputy", frozenset({AgentId("ops")}), admin=True)
    other = Principal("ops", frozenset({AgentId("ops")}))
    for agent, admins, others in (("lab", False, False), ("ops", True, True), ("", True, False)):
        settled = Settled(AgentId(agent), DeliveryId("dlv_1"), "webhook", "default", "1", "sent", None)
        assert (event(settled, deputy) is not None, event(settled, other) is not None) == (admins, others)
    assert event(Switched(AgentId("lab"), True), deputy) is None
