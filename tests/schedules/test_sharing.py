"""One folder of jobs that several agents or gateways reach: one runs it, the others say so (SPEC 2.2, 9.1)."""

import asyncio
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.schedules.cast import Actor, job
from tests.schedules.world import House, World, until, until_it, world

pytestmark = pytest.mark.slow

JOB = "0123456789ab"
CONTROL = "ba9876543210"
STOPS_SECONDS = 5.0
"""A gateway that has lost a directory runs none of its jobs any more by then (SPEC 16.4)."""


def tenants(on: World, arrangement: str) -> tuple[Actor, Actor]:
    """Two agents with one folder of jobs."""
    shared = on.folder / "shared"
    first, second = on.actor("ops", home=shared), on.actor("lab", home=shared)
    if arrangement == "link to the home":
        second = Actor("lab", on.folder / "link")
        second.home.symlink_to(shared)
    elif arrangement == "link to the folder":
        second = on.actor("lab", home=on.folder / "other")
        first.cron.mkdir()
        second.cron.symlink_to(first.cron)
    for one in (first, second):
        one.furnish()
    secrets = [one for one in (first, second) if one.home.resolve() == shared]
    (shared / ".env").write_text("".join(f"{one.key_name}={one.key}\n" for one in secrets))
    return first, second


ARRANGEMENTS = ("one home", "link to the home", "link to the folder")


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
async def test_a_shared_folder_rests_and_that_is_told_everywhere(arrangement: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        main, (ops, lab) = on.actor("main"), tenants(on, arrangement)
        house = on.house(main, ops, lab)
        ops.write(job(JOB, "every 1s"))
        main.write(job(CONTROL, "every 1s"))
        gateway = await house.up()
        await until(lambda: len(house.ran(main, CONTROL)) >= 3)
        assert house.ran(ops, JOB) == []
        assert on.recorder.of(ops) == on.recorder.of(lab) == []
        for said in (gateway.errors(), (await house.serai("config", "check"))[1]):
            assert "share the schedules" in said
            assert "exactly one of them must set cron_owner: true" in said
        for agent in ("ops", "lab"):
            assert "share the schedules" in (await house.serai("agent", "show", agent))[1]
            assert any("share the schedules" in text for text in await house.problems(agent))
            added = {"agent": agent, "schedule": "1s", "prompt": "x"}
            status, document = await house.api("POST", "/api/jobs", added)
            assert (status, document["error"]["code"]) == (409, "jobs_off")
        assert {one["state"] for one in (await house.get("/api/jobs"))["data"] if one["id"] == JOB} == {"off"}


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
async def test_the_owner_of_a_shared_folder_runs_each_slot_once(arrangement: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        main, (ops, lab) = on.actor("main"), tenants(on, arrangement)
        house = on.house(main, ops, lab, more={"lab": {"cron_owner": True}})
        ops.write(job(JOB, "every 1s"))
        await house.up()
        await until(lambda: len(lab.outputs()) >= 3)
        slots = house.ran(lab, JOB)
        assert on.recorder.of(ops) == []
        assert len(on.recorder.of(lab)) in (len(slots), len(slots) - 1)
        assert {asked.headers["authorization"] for asked in on.recorder.asked} == {f"Bearer {lab.key}"}
        assert len(set(slots)) == len(slots)
        assert {label for label in house.labels() if JOB in label} == {f"agent:lab:cron:dm:{JOB}"}
        assert "share the schedules" in (await house.serai("agent", "show", "ops"))[1]
        assert "share the schedules" not in (await house.serai("agent", "show", "lab"))[1]


async def test_a_link_that_is_made_under_a_running_gateway_makes_nothing_run_twice(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        main, ops = on.actor("main"), on.actor("ops")
        house = on.house(main, ops)
        ops.write(job(JOB, "every 1s"))
        await house.up()
        await until(lambda: bool(house.ran(ops, JOB)))
        shutil.rmtree(main.cron)
        main.cron.symlink_to(ops.cron)

        async def is_told() -> bool:
            return any("has the same directory" in text for text in await house.problems("main"))

        await until_it(is_told)
        before = len(house.ran(ops, JOB))
        await until(lambda: len(house.ran(ops, JOB)) >= before + 2)
        assert on.recorder.of(main) == []


async def two_houses(on: World, ops: Actor, lab: Actor) -> tuple[House, House]:
    """Two gateways, each with an agent of its own that lives in the same home."""
    first, second = on.house(ops, name="first"), on.house(lab, name="second")
    await first.up()
    return first, second


async def adopt(house: House, agent: str, how: str) -> None:
    if how == "command":
        code, said = await house.serai("cron", "adopt", agent)
        assert code == 0, said
    else:
        assert (await house.api("POST", "/api/jobs/adopt", {"agent": agent}))[0] == 200


@pytest.mark.parametrize("how", ["command", "request"])
async def test_of_two_gateways_one_runs_a_home_until_the_other_adopts_it(how: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        shared = on.folder / "shared"
        ops, lab = on.actor("ops", home=shared), on.actor("lab", home=shared)
        (shared / ".env").write_text("".join(f"{one.key_name}={one.key}\n" for one in (ops, lab)))
        first, second = await two_houses(on, ops, lab)
        ops.write(job(JOB, "every 1s"))
        await until(lambda: bool(first.ran(ops, JOB)))
        await second.up()

        async def second_says_so() -> bool:
            return any("another gateway schedules this directory" in text for text in await second.problems("lab"))

        await until_it(second_says_so)
        reasons = [event["reason"] for event in second.log() if event["event"] == "an agent's schedules are off"]
        assert reasons == ["another gateway schedules this directory; `serai cron adopt lab` takes it over"]
        [shown] = (await second.get("/api/jobs"))["data"]
        assert (shown["state"], shown["off"]) == ("off", reasons[0])
        assert (await second.api("POST", "/api/jobs", {"agent": "lab", "schedule": "1s", "prompt": "x"}))[0] == 409
        assert (await second.api("POST", f"/api/jobs/{JOB}/run?agent=lab"))[0] == 409
        before = len(first.ran(ops, JOB))
        await until(lambda: len(first.ran(ops, JOB)) >= before + 2)
        assert on.recorder.of(lab) == []

        assert reasons[0] in (await second.serai("cron", "list"))[1]
        await adopt(second, "lab", how)
        adopted = time.time()
        await until(lambda: len(second.ran(lab, JOB)) >= 3)
        await asyncio.sleep(max(0.0, adopted + STOPS_SECONDS - time.time()))
        ended = first.ran(ops, JOB)
        assert ended[-1] <= adopted + STOPS_SECONDS

        async def first_says_so() -> bool:
            return any("another gateway schedules" in text for text in await first.problems("ops"))

        await until_it(first_says_so)
        more = len(second.ran(lab, JOB))
        await until(lambda: len(second.ran(lab, JOB)) >= more + 2)
        assert first.ran(ops, JOB) == ended
        slots = ended + second.ran(lab, JOB)
        assert len(set(slots)) == len(slots)
        await until(lambda: silent(first.settled(ops, JOB) + second.settled(lab, JOB)) <= 0)


def silent(settled: list[tuple[float, float]]) -> float:
    """The most seconds between two settled slots of `every 1s` about which nobody says anything."""
    settled = sorted(settled)
    return max(after[0] - before[1] - 1 for before, after in pairwise(settled))
