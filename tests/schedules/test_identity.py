"""A job belongs to the agent in whose folder it lies, whatever else is written anywhere (SPEC 9.1, 9.4)."""

from pathlib import Path
from shutil import copyfile

import pytest

from tests.schedules.cast import Actor, job
from tests.schedules.world import House, World, until, world

pytestmark = pytest.mark.slow

ONE = "0123456789ab"
OTHER = "ba9876543210"
BOTH = (ONE, OTHER)


def assert_own_runs(on: World, house: House, actors: list[Actor]) -> None:
    """Every request, output, delivery and session is that of the owner of its directory."""
    for actor in actors:
        asked = on.recorder.of(actor)
        assert asked
        for one in asked:
            assert one.headers["authorization"] == f"Bearer {actor.key}"
            assert one.path == f"/{actor.endpoint}/v1/chat/completions"
            assert actor.soul in one.raw
            assert actor.memory in one.raw
            strangers = [other for other in actors if other.id != actor.id]
            assert not [
                word for other in strangers for word in (other.soul, other.memory, other.key) if word in one.raw
            ]
        assert actor.outputs()
        assert all(f"{actor.model} did it" in text for text in actor.outputs())
        said = [got for got in on.receivers["default"].received if got.agent == actor.id]
        assert {(got.chat_id, got.text) for got in said} == {("room", f"{actor.model} did it")}
    known = {f"agent:{one.id}:cron:dm:{id}" for one in actors for id in BOTH}
    cron = {label for label in house.labels() if ":cron:" in label}
    assert cron <= known
    assert {label.split(":")[1] for label in cron} == {one.id for one in actors}
    assert on.receivers["default"].faults == []


async def test_each_of_three_agents_runs_what_lies_in_its_folder(tmp_path: Path) -> None:
    """A job that names another agent, a file that was copied byte for byte, and one id in all homes."""
    async with world(tmp_path, "default") as on:
        main, ops, lab = on.actor("main", "own"), on.actor("ops"), on.actor("lab")
        house = on.house(main, ops, lab)
        origin = {"platform": "webhook", "chat_id": "room", "agent_id": "lab"}
        ops.write(job(ONE, agent_id="lab", deliver="origin", origin=origin), job(OTHER, "2s"))
        copyfile(ops.file, _made(lab))
        copyfile(ops.file, _made(main))
        await house.up()
        await until(lambda: all(len(one.outputs()) == 2 for one in (main, ops, lab)))
        await on.receivers["default"].count(3)
        assert len(on.receivers["default"].received) == 3
        assert_own_runs(on, house, [main, ops, lab])
        assert lab.file.read_bytes() == ops.file.read_bytes()
        warned = [event for event in house.log() if "`agent_id` is ignored" in event.get("problem", "")]
        assert {(event["agent"], event["level"]) for event in warned} == {
            (one.id, "warning") for one in (main, ops, lab)
        }
        assert any("`agent_id` is ignored" in text for text in await house.problems("ops"))


async def test_a_cloned_agent_has_no_jobs_and_runs_copied_ones_as_itself(tmp_path: Path) -> None:
    async with world(tmp_path, "default") as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(ONE, deliver="webhook:room"))
        twin = Actor("twin", house.home / "agents" / "twin", "ops-own")
        endpoint = ("--base-url", f"{on.model}/{twin.endpoint}/v1", "--api-key-env", twin.key_name)
        code, said = await house.serai(
            "agent", "add", "twin", "--from-profile", "ops", "--model", twin.model, *endpoint
        )
        assert (code, "Cloned" in said) == (0, True), said
        assert not twin.file.exists()
        assert ops.soul in (twin.home / "SOUL.md").read_text()
        twin.furnish()
        copyfile(ops.file, _made(twin))
        await house.up()
        await until(lambda: bool(ops.outputs() and twin.outputs()))
        await on.receivers["default"].count(2)
        assert_own_runs(on, house, [ops, twin])


async def test_the_model_that_a_job_names_is_asked_with_its_owners_key_alone(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops, lab = on.actor("ops"), on.actor("lab", "own")
        house = on.house(on.actor("main"), ops, lab)
        ops.write(job(ONE, model=lab.model))
        await house.up()
        await until(lambda: bool(ops.outputs()))
        [asked] = on.recorder.asked
        assert asked.body["model"] == lab.model
        assert (asked.path, asked.headers["authorization"]) == ("/shared/v1/chat/completions", f"Bearer {ops.key}")
        assert ops.soul in asked.raw


def _made(actor: Actor) -> Path:
    """The path of a jobs file whose folder is there."""
    actor.cron.mkdir(exist_ok=True)
    return actor.file
