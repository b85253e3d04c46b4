"""The configuration changes while jobs run: these end as they began, the next ones are as it says now (SPEC 2.6)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.schedules.cast import Actor, job
from tests.schedules.world import House, until, until_it, world

pytestmark = pytest.mark.slow

JOB = "0123456789ab"
CONTROL = "ba9876543210"
JOBS = [f"{number:012x}" for number in range(1, 6)]


async def the_job(house: House, id: str, agent: str) -> dict[str, Any]:
    found: dict[str, Any] = await house.get(f"/api/jobs/{id}?agent={agent}")
    return found


async def test_jobs_of_an_agent_that_is_taken_away_run_no_more_until_it_is_back(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        main, ops = on.actor("main"), on.actor("ops")
        house = on.house(main, ops)
        agents = house.config["agents"]
        ops.write(job(JOB, "every 1s", prompt="wait"))
        main.write(job(CONTROL, "every 1s"))
        await house.up()
        await until(lambda: bool(on.recorder.of(ops)))
        house.write(agents={"main": agents["main"]})

        async def is_gone() -> bool:
            return not any(one["agent"] == "ops" for one in (await house.get("/api/jobs"))["data"])

        await until_it(is_gone)
        on.recorder.go.set()
        await until(lambda: len(ops.outputs()) == 1)
        ran, control = house.ran(ops, JOB), len(house.ran(main, CONTROL))
        await until(lambda: len(house.ran(main, CONTROL)) >= control + 3)
        assert house.ran(ops, JOB) == ran
        house.write(agents=agents)
        await until(lambda: len(house.ran(ops, JOB)) > len(ran))
        await house.settles(ops, JOB)
        await house.settles(main, CONTROL)


async def test_an_agent_that_moves_during_a_run_leaves_its_output_where_it_began(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        moved = on.actor("ops", home=tmp_path / "elsewhere")
        (moved.home / "SOUL.md").write_text("You live elsewhere now.\n")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, "every 1s", prompt="wait"))
        moved.write(job(JOB, "every 1s", prompt="go on"))
        await house.up()
        await until(lambda: bool(on.recorder.of(ops)))
        settings = house.config["agents"]["ops"]
        house.write(agents={**house.config["agents"], "ops": {**settings, "home_dir": str(moved.home)}})
        await until(lambda: bool(house.ran(moved, JOB)))
        on.recorder.go.set()
        await until(lambda: bool(ops.outputs()) and len(moved.outputs()) >= 2)
        assert len(ops.outputs()) == len(house.ran(ops, JOB)) == 1
        assert ops.soul in on.recorder.of(ops)[0].raw
        assert all("You live elsewhere now." in one.raw for one in on.recorder.of(ops)[1:])
        assert all(one.user_text == "go on" for one in on.recorder.of(ops)[1:])
        await house.settles(moved, JOB)


async def test_another_time_zone_counts_for_jobs_that_name_none_and_repeats_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        house.write(cron={"timezone": "Asia/Tokyo"})
        daily, own, once, often = JOBS[:4]
        hour = (datetime.now(UTC).hour + 3) % 24  # not now in either zone
        ops.write(
            job(daily, f"0 {hour} * * *"),
            job(own, f"0 {hour} * * *", timezone="Asia/Tokyo"),
            job(once, "1s"),
            job(often, "every 1s"),
        )
        await house.up()
        await until(lambda: bool(house.ran(ops, once)) and bool(house.ran(ops, often)))
        before = await the_job(house, daily, "ops")
        assert before["zone"] == "Asia/Tokyo"
        house.write(cron={"timezone": "UTC"})

        async def is_in_force() -> bool:
            return (await the_job(house, daily, "ops"))["next_run_at"] % 86400 == hour * 3600

        await until_it(is_in_force)
        assert (await the_job(house, daily, "ops"))["zone"] == "UTC"
        assert (await the_job(house, own, "ops"))["next_run_at"] == before["next_run_at"]
        ran = len(house.ran(ops, often))
        await until(lambda: len(house.ran(ops, often)) >= ran + 3)
        assert len(house.ran(ops, once)) == 1
        await house.settles(ops, often)


async def test_more_places_let_those_that_wait_begin_and_fewer_stop_none(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        house.write(cron={"max_parallel_jobs": 1})
        ops.write(*(job(id, "1s", prompt="wait") for id in JOBS))
        await house.up()
        await until(lambda: len(on.recorder.of(ops)) == 1)
        assert await states(house, ops) == ["running", *["waiting"] * 4]
        house.write(cron={"max_parallel_jobs": 3})
        await until(lambda: len(on.recorder.of(ops)) == 3)
        house.write(cron={"max_parallel_jobs": 1})
        assert (await house.serai("reload"))[0] == 0
        assert await states(house, ops) == ["running"] * 3 + ["waiting"] * 2
        on.recorder.go.set()
        await until(lambda: len(ops.outputs()) == 5)
        assert [len(house.ran(ops, id)) for id in JOBS] == [1] * 5


async def test_a_job_that_waits_for_a_place_and_is_taken_away_does_not_run(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        house.write(cron={"max_parallel_jobs": 1})
        first, second, third = JOBS[:3]
        ops.write(*(job(id, "1s", prompt="wait") for id in (first, second, third)))
        await house.up()
        await until(lambda: len(on.recorder.of(ops)) == 1)
        assert await states(house, ops) == ["running", "waiting", "waiting"]
        waiting = [one["id"] for one in (await house.get("/api/jobs"))["data"] if one["state"] == "waiting"]
        assert (await house.api("DELETE", f"/api/jobs/{waiting[0]}?agent=ops"))[0] == 200
        on.recorder.go.set()
        await until(lambda: bool(house.ran(ops, waiting[1])) and len(ops.outputs()) == 2)
        assert house.ran(ops, waiting[0]) == []


async def states(house: House, actor: Actor) -> list[str]:
    return sorted(one["state"] for one in (await house.get("/api/jobs"))["data"] if one["agent"] == actor.id)


async def test_jobs_of_a_disabled_or_stopped_agent_are_missed_and_nobody_speaks_for_it(tmp_path: Path) -> None:
    async with world(tmp_path, "default") as on:
        main, ops, lab = on.actor("main"), on.actor("ops"), on.actor("lab")
        house = on.house(main, ops, lab, more={"lab": {"enabled_toolsets": ["nonsense"]}})
        for one in (ops, lab):
            one.write(job(JOB, "every 1s", deliver="webhook"))
        await house.up()
        await until(lambda: bool(house.ran(ops, JOB)) and bool(house.missed(lab, JOB)))
        assert "unknown toolset" in house.missed(lab, JOB)[0][2]
        assert (await house.serai("agent", "stop", "ops"))[0] == 0
        await until(lambda: any("stopped" in why for _, _, why in house.missed(ops, JOB)))
        ran = len(house.ran(ops, JOB))
        assert (await house.serai("agent", "start", "ops"))[0] == 0
        await until(lambda: len(house.ran(ops, JOB)) > ran)
        await house.settles(ops, JOB)
        await house.settles(lab, JOB)
        assert house.ran(lab, JOB) == []
        assert on.recorder.of(lab) == []
        await on.receivers["default"].count(1)
        assert {got.agent for got in on.receivers["default"].received} == {"ops"}
