"""The gateway is told to stop while jobs run (SPEC 15): it ends, and everything is as the next one needs it."""

import signal
from pathlib import Path

import pytest

from tests.schedules.cast import job
from tests.schedules.world import House, until, world

pytestmark = pytest.mark.slow

JOB = "0123456789ab"


def stops(house: House) -> int:
    """How often a gateway of this home has begun to stop."""
    return sum(one["event"] == "the gateway stops" for one in house.log())


async def test_it_stops_although_a_slot_waits_for_the_run_that_ends_last(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, "every 1s", prompt="wait"))
        for round in range(1, 5):
            gateway = await house.up()
            await until(lambda round=round: len(on.recorder.asked) == round)  # type: ignore[misc]
            await until(lambda: bool(house.missed(ops, JOB)))
            gateway.process.send_signal(signal.SIGTERM)
            await until(lambda round=round: stops(house) == round)  # type: ignore[misc]
            on.recorder.go.set()
            assert await gateway.ended() == 0
            on.recorder.go.clear()
        assert house.rows("SELECT count(*) FROM turn WHERE state = 'running'") == [(0,)]
        assert len(house.ran(ops, JOB)) == len(on.recorder.asked) == 4


async def test_a_second_signal_ends_it_at_once_and_the_run_goes_on_at_the_next_start(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, "1s", prompt="wait"))
        gateway = await house.up()
        await until(lambda: bool(on.recorder.asked))
        gateway.process.send_signal(signal.SIGINT)
        await until(lambda: "Ctrl-C again stops at once" in gateway.errors())
        gateway.process.send_signal(signal.SIGINT)
        assert await gateway.ended() == -signal.SIGINT
        on.recorder.go.set()
        await house.up()
        await until(lambda: ops.outputs() == ["m-ops did it\n"])
        assert len(house.ran(ops, JOB)) == 1
