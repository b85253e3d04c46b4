"""A gateway that stood still for a while: no burst, nothing twice, nothing lost without a word (SPEC 9.3)."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.schedules.cast import job
from tests.schedules.world import until, world

pytestmark = pytest.mark.slow

SECOND = "0123456789ab"
FOURTH = "0123456789ac"
ONCE = "0123456789ad"
FROZEN_SECONDS = 9


async def test_after_a_standstill_each_job_runs_once_and_the_other_slots_are_missed(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        gateway = await house.up()
        ops.write(job(SECOND, "every 1s"), job(FOURTH, "every 4s"))
        await until(lambda: len(house.ran(ops, SECOND)) >= 2)
        ops.write(job(SECOND, "every 1s"), job(FOURTH, "every 4s"), job(ONCE, "5s"))
        await until(lambda: bool(house.rows("SELECT 1 FROM job WHERE job = ?", ONCE)))
        gateway.freeze()
        frozen = time.time()
        await asyncio.sleep(FROZEN_SECONDS)
        asked = len(on.recorder.asked)
        thawed = time.time()
        gateway.thaw()
        await until(lambda: any(at > thawed for at in house.ran(ops, SECOND)))

        [gap] = [one for one in house.missed(ops, SECOND) if one[0] <= frozen + 1 and thawed - 2 <= one[1]]
        assert gap[2] == "its time had passed when the gateway came to it"
        await house.settles(ops, SECOND)
        await until(lambda: len([at for at in house.ran(ops, FOURTH) if at > frozen]) >= 2)
        assert min(at for at in house.ran(ops, FOURTH) if at > frozen) >= thawed - 4
        await until(lambda: bool(house.ran(ops, ONCE)))
        assert [frozen < at < thawed for at in house.ran(ops, ONCE)] == [True]
        assert asked < len(on.recorder.asked) <= sum(len(house.ran(ops, one)) for one in (SECOND, FOURTH, ONCE))
