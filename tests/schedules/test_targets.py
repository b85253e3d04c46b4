"""What jobs have to say reaches its targets through their own accounts, in their owner's name (SPEC 9.5, 10.1)."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.process.home import write_env
from tests.process.peer import serving
from tests.schedules.cast import job
from tests.schedules.world import API_KEY, HOOK_SECRET, House, World, until, until_it, world

pytestmark = pytest.mark.slow

JOB = "0123456789ab"
CONTROL = "ba9876543210"
MANY = 1_000_000


def heard(on: World) -> set[tuple[str, str, str, str]]:
    """Account, chat, agent and text of everything that was taken."""
    return {(account, got.chat_id, got.agent, got.text) for account, one in on.receivers.items() for got in one.taken}


async def deliveries(house: House) -> dict[str, dict[str, Any]]:
    """What became of the targets of the job's only run, by account and chat."""
    [run] = (await house.get(f"/api/jobs/{JOB}/runs"))["data"]
    return {f"{one['target']['account']}:{one['target']['chat_id']}": one for one in run["deliveries"]}


async def test_one_failing_target_of_five_and_others_that_mean_nothing_stop_none(tmp_path: Path) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=404)

    app = web.Application()
    app.router.add_post("/{place:.*}", refuse)
    async with world(tmp_path, "default", "team", "night") as on, serving(app) as refusing:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        accounts = house.config["platforms"]["webhook"]["accounts"]
        accounts["refusing"] = {**accounts["team"], "secret_env": "HOOK_REFUSING", "callback_url": refusing}
        accounts["disabled"] = {**accounts["team"], "secret_env": "HOOK_DISABLED"}
        secrets = {f"HOOK_{name.upper()}": HOOK_SECRET + name[:1] * 4 for name in ("default", "team", "night")}
        write_env(house.home / ".env", {"API_KEY": API_KEY, "HOOK_REFUSING": HOOK_SECRET, **secrets})
        house.write()
        places = ("WebHook:r1", "webhook@team:r2", "webhook@refusing:r3", "webhook@team:r%3A4:t1", "webhook@night")
        nothing = ("webhook@disabled:r6", "webhook@nobody:r7", "telegram:8", "webhook@team:r2", "local")
        ops.write(job(JOB, deliver=[*places, *nothing]))
        await house.up()
        await until(lambda: len(heard(on)) == 4)
        text = "m-ops did it"
        assert heard(on) == {
            ("default", "r1", "ops", text),
            ("team", "r2", "ops", text),
            ("team", "r:4", "ops", text),
            ("night", "room", "ops", text),
        }

        async def settled() -> bool:
            return {one["state"] for one in (await deliveries(house)).values()} == {"sent", "dead"}

        await until_it(settled)
        found = await deliveries(house)
        states = {place: one["state"] for place, one in found.items()}
        assert states == {
            "default:r1": "sent",
            "team:r2": "sent",
            "refusing:r3": "dead",
            "team:r:4": "sent",
            "night:room": "sent",
        }
        assert found["team:r:4"]["target"]["thread_id"] == "t1"
        assert {one["target"]["agent_id"] for one in found.values()} == {"ops"}
        [run] = (await house.get(f"/api/jobs/{JOB}/runs"))["data"]
        assert run["state"] == "ok"
        for word in ("webhook@disabled:r6", "webhook@nobody:r7", "telegram:8"):
            assert any(word in problem for problem in run["problems"]), run["problems"]
        assert len(run["problems"]) == 3
        assert all(len(one.received) == len(one.taken) and not one.faults for one in on.receivers.values())


async def test_what_a_connection_cannot_take_waits_for_it_and_goes_through_no_other(tmp_path: Path) -> None:
    async with world(tmp_path, "default", "team", "alerts") as on:
        on.receivers["alerts"].refusals = MANY
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, deliver=["all", "webhook@alerts:other"]))
        await house.up()
        await on.receivers["alerts"].count(3)
        for account in ("default", "team"):
            await on.receivers[account].count(1)
        text = "m-ops did it"
        assert heard(on) == {("default", "room", "ops", text), ("team", "room", "ops", text)}
        waiting = await deliveries(house)
        assert {waiting[one]["state"] for one in ("alerts:room", "alerts:other")} <= {"new", "sending"}

        async def is_told() -> bool:
            return bool((await deliveries(house))["alerts:room"]["error"])

        await until_it(is_told)
        on.receivers["alerts"].refusals = 0
        await until(lambda: len(on.receivers["alerts"].taken) == 2)
        assert heard(on) == {
            ("default", "room", "ops", text),
            ("team", "room", "ops", text),
            ("alerts", "room", "ops", text),
            ("alerts", "other", "ops", text),
        }
        assert [len(on.receivers[one].received) for one in ("default", "team")] == [1, 1]
        assert len({got.delivery_id for got in on.receivers["alerts"].received}) == 2


async def test_a_list_that_means_no_place_fails_visibly_and_its_output_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path, "default") as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, deliver=["telegram:1", "webhook@nobody:2"]))
        await house.up()
        await until(lambda: bool(ops.outputs()))
        [run] = (await house.get(f"/api/jobs/{JOB}/runs"))["data"]
        assert run["deliveries"] == []
        assert all("no delivery target" in problem for problem in run["problems"])
        assert len(run["problems"]) == 2
        assert on.receivers["default"].received == []


async def test_an_agent_that_is_taken_away_during_its_run_is_not_spoken_for_by_another(tmp_path: Path) -> None:
    """The run ends on the configuration that it began with (SPEC 2.6): its answer is its agent's."""
    async with world(tmp_path, "default") as on:
        main, ops, lab = on.actor("main"), on.actor("ops"), on.actor("lab")
        house = on.house(main, ops, lab)
        origin = {"platform": "webhook", "chat_id": "r2", "agent_id": "lab"}
        ops.write(job(JOB, prompt="wait", deliver=["webhook:r1", "origin"], origin=origin))
        await house.up()
        await until(lambda: bool(on.recorder.of(ops)))
        agents = {name: one for name, one in house.config["agents"].items() if name != "ops"}
        house.write(agents=agents)

        async def is_gone() -> bool:
            return "ops" not in (await house.get("/ready"))["agents"]

        await until_it(is_gone)
        on.recorder.go.set()
        await until(lambda: bool(ops.outputs()))
        main.write(job(CONTROL, deliver="webhook:r3"))
        await until(lambda: {"r1", "r2", "r3"} <= {one[1] for one in heard(on)})
        assert {one for one in heard(on) if one[1] != "r3"} == {
            ("default", "r1", "ops", "m-ops did it"),
            ("default", "r2", "ops", "m-ops did it"),
        }


async def test_after_a_restart_without_its_agent_a_waiting_delivery_is_dead(tmp_path: Path) -> None:
    async with world(tmp_path, "default", "team") as on:
        on.receivers["team"].refusals = MANY
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, deliver=["webhook@team:r1"]))
        gateway = await house.up()
        await on.receivers["team"].count(1)
        assert await gateway.stop() == 0
        on.receivers["team"].refusals = 0
        house.write(agents={name: one for name, one in house.config["agents"].items() if name != "ops"})
        before = len(on.receivers["team"].received)
        await house.up()
        await until(lambda: house.rows("SELECT state FROM delivery") == [("dead",)])
        [(error,)] = house.rows("SELECT error FROM delivery")
        assert error == "no agent named `ops` is configured"
        assert len(on.receivers["team"].received) == before
        assert on.receivers["default"].received == []
