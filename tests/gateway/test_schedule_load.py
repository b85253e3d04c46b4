"""1,000 jobs due in the same second, on a real loop with a store on disk; and 10,000 that are not (SPEC 9.3).

What is slow here may be the machine: the best of several tries counts, without the time for which the loop's thread
waited for a processor.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from serai.app.garbage import collect_between_turns
from serai.app.schedule import job_files
from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.gateway.supervisor import watch_loop
from serai.ports.jobs import JobFolder, ScriptResult
from serai.ports.model import ModelRequest
from serai.ports.slots import SlotRow
from serai.stores.sqlite.store import open_store
from serai.testing.clock import SeededEntropy
from serai.testing.jobs import MemoryJobs
from serai.testing.model import Fail, ScriptedModel
from tests.gateway.stage import Stage, snapshot
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

TRIES = 4
WITHIN_S, STALL_S = 1.0, 0.05
SLOW_MACHINE = 5
"""So many times slower may a machine be with the whole; for a stall there is no such allowance."""

EARLY_S, TICK_S = 60.0, 0.02

DUE = "2024-01-01T00:00:00+00:00"
AT = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
HANGS, FAILS, BROKEN = (JobId(f"{n:012x}") for n in range(3))


@dataclass
class Measured:
    """In seconds: `late` from the slot to a run's claim, the longest of all; `done` to the end of the last run;
    `stall` for which the loop was late. All without what the loop's thread waited for a processor."""

    late: float
    done: float
    stall: float
    states: dict[JobId, str]


def on_a_real_loop(work: Coroutine[Any, Any, Measured]) -> Measured:
    """On uvloop where that is installed, as the gateway does."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        new_event_loop = asyncio.new_event_loop  # type: ignore[assignment]
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def answer(request: ModelRequest) -> str | Fail:
    return Fail(400) if request.messages[-1].text == FAILS else "done"


def thousand_jobs(agents: list[AgentId], files: MemoryJobs, crons: dict[AgentId, Path]) -> None:
    """Ten jobs for each of a hundred agents."""
    files.scripts |= {"hangs.sh": None, "broken.sh": ScriptResult("", "it ended with 127")}
    scripts = {HANGS: "hangs.sh", BROKEN: "broken.sh"}
    names = [JobId(f"{n:012x}") for n in range(1000)]
    jobs = [Job(name, DUE, name, script=scripts.get(name), deliver=(f"fake:{name}",)) for name in names]
    for n, agent in enumerate(agents):
        files.put(crons[agent], *jobs[n * 10 : n * 10 + 10])


async def burst(path: Path, parallel: int) -> Measured:
    agents = [AgentId(f"a{n:03}") for n in range(100)]
    config = snapshot(*agents, cron=CronPolicy(max_parallel_jobs=parallel))
    files, store = MemoryJobs(), open_store(path)
    crons = {agent: config.agents[agent].cron for agent in agents}
    thousand_jobs(agents, files, crons)
    start = AT - EARLY_S - (asyncio.get_running_loop().time() - 1000.0)
    one = Stage(ScriptedModel(answer), config, store=store, files=files, start=start)
    async with one.running(schedules=True):
        async with asyncio.timeout(PATIENCE_S / 2):
            while len(await one.jobs.all()) < 1000:
                await asyncio.sleep(TICK_S)
        one.clock.advance(AT - 0.5 - one.clock.now())
        await one.schedules.scheduler.look()
        tidying = asyncio.create_task(collect_between_turns(lambda: one.lanes.in_flight))  # as the gateway does
        pulse: list[Beat] = []
        watch = asyncio.create_task(feel(pulse, one.clock.now))
        async with asyncio.timeout(PATIENCE_S):
            while sum(count for (_, state), count in one.meter.jobs.items() if state != "missed") < 999:
                await asyncio.sleep(TICK_S)
        watch.cancel()
        tidying.cancel()
        rows = await rows_of(one, crons)
    await store.close()
    late = max(row.claimed_at or 0.0 for row in rows.values())
    done = max(row.ended_at for row in rows.values() if row.ended_at is not None)
    stall = max(after.at - before.at - TICK_S - (after.waited - before.waited) for before, after in pairwise(pulse))
    states = {job: row.state for job, row in rows.items()}
    return Measured(since_due(late, pulse), since_due(done, pulse), stall, states)


@dataclass
class Beat:
    """When the loop came to a timer, and how long its thread had waited for a processor until then. In seconds."""

    at: float
    waited: float


async def feel(pulse: list[Beat], now: Callable[[], float]) -> None:
    """Notes the loop's beats, for ever."""
    while True:
        pulse.append(Beat(now(), waited_s()))
        await asyncio.sleep(TICK_S)


def since_due(at: float, pulse: list[Beat]) -> float:
    """Seconds from the slot to a moment, but for those beats' waits that lie between them."""
    between = [beat.waited for beat in pulse if AT <= beat.at <= at] or [0.0]
    return at - AT - (between[-1] - between[0])


def waited_s() -> float:
    """Seconds for which this thread has waited for a processor so far; 0 where the system does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


async def rows_of(one: Stage, crons: dict[AgentId, Path]) -> dict[JobId, SlotRow]:
    rows: dict[JobId, SlotRow] = {}
    for cron in crons.values():
        rows |= await one.store.slots.latest(str(cron), [job.id for job in one.files.folders[cron].jobs])
    return rows


@pytest.mark.parametrize("parallel", [64, 1000])
def test_1_000_jobs_of_one_second_start_within_it_and_the_loop_goes_on(tmp_path: Path, parallel: int) -> None:
    tries = []
    for n in range(TRIES):
        measured = on_a_real_loop(burst(tmp_path / f"{n}.db", parallel))
        tries.append(measured)
        print(
            f"{parallel} at once: the last began after {measured.late:.3f} s, ended after {measured.done:.3f} s;"
            f" the loop was late by {measured.stall * 1000:.0f} ms at most"
        )
        assert {job: state for job, state in measured.states.items() if state != "ok"} == {
            HANGS: "running",
            FAILS: "failed",
            BROKEN: "failed",
        }
        if measured.late < WITHIN_S and measured.stall < STALL_S:
            return
    assert min(one.late for one in tries) < WITHIN_S * SLOW_MACHINE
    assert min(one.stall for one in tries) < STALL_S


def test_10_000_jobs_that_are_not_due_cost_next_to_nothing(tmp_path: Path) -> None:
    """1,000 agents with ten jobs each, on the disk: what the processor does for them in half a minute."""
    homes = {AgentId(f"a{n:04}"): tmp_path / f"a{n:04}" for n in range(1000)}
    listed = [{"id": f"{n:012x}", "schedule": f"{n} 3 1 1 *", "prompt": "look around"} for n in range(10)]
    for home in homes.values():
        (home / "cron").mkdir(parents=True)
        (home / "cron" / "jobs.json").write_text(json.dumps({"jobs": listed}))
    costs = []
    for n in range(2):
        cost = asyncio.run(idle(homes, tmp_path / f"{n}.db", seconds=10.0))
        costs.append(cost)
        print(f"10,000 jobs in 1,000 files cost {cost * 100:.2f} % of a processor while none is due")
        if cost < 0.005 * SLOW_MACHINE:
            return
        for home in homes.values():
            (home / "cron" / ".owner").unlink()
    raise AssertionError(f"each time more than that: {costs}")


async def idle(homes: dict[AgentId, Path], path: Path, seconds: float) -> float:
    config = snapshot()
    profile = config.agents[AgentId("main")]
    agents = {agent: replace(profile, id=agent, home=home) for agent, home in homes.items()}
    store, files, settled = open_store(path), job_files(SeededEntropy()), asyncio.Event()
    look = files.look

    async def noting(known: Mapping[Path, JobFolder | None]) -> Mapping[Path, JobFolder]:
        changed = await look(known)
        if not changed:
            settled.set()
        return changed

    files.look = noting  # type: ignore[method-assign]
    one = Stage(
        ScriptedModel([]),
        replace(config, agents=MappingProxyType(agents)),
        store=store,
        files=files,  # type: ignore[arg-type]
        start=AT - (asyncio.get_running_loop().time() - 1000.0),
    )
    async with one.running(schedules=True):
        tidying = asyncio.create_task(collect_between_turns(lambda: one.lanes.in_flight))  # as the gateway does
        watch = asyncio.create_task(watch_loop(one.meter))
        async with asyncio.timeout(PATIENCE_S):
            await settled.wait()  # all were taken over, and files that were just made are believed not to change
        assert len(await one.jobs.all()) == 10_000
        print(f"taking them over, the loop was late by {one.meter.stall_seconds_max * 1000:.0f} ms at most")
        watch.cancel()
        before, began = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        cost = (time.process_time() - before) / (time.monotonic() - began)
        tidying.cancel()
    await store.close()
    return cost
