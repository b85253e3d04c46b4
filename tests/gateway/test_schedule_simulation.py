"""Jobs of gateways that die at any moment: one run for each slot that is due, nothing twice, nothing silently missed.

Time is virtual, chance is seeded. What should have been due is told by an oracle that knows only the schedules.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from serai.core.cron import CronPolicy
from serai.core.ids import AgentId, JobId
from serai.core.job import Job
from serai.core.snapshot import Snapshot
from serai.ports.slots import SlotRow
from serai.testing.clock import virtual_time
from tests.gateway.dying import START, Gateway, World, at_once, slots_of
from tests.gateway.stage import snapshot

OPS, LAB = AgentId("ops"), AgentId("lab")
PARALLEL = 3
_QUIET = 3600.0

ARRANGEMENTS = ("one agent", "one home, two agents", "a symbolic link", "a clone", "two gateways")


def jobs(seed: int) -> list[Job]:
    """Some of every kind; what the model does stands behind the job's id in its prompt."""
    kinds: list[tuple[str, str, dict[str, object]]] = [
        ("every 10m", "answers", {}),
        ("every 7m", "slow", {}),
        ("*/15 * * * *", "fails", {"timezone": "Europe/Berlin"}),
        ("30 2 * * *", "answers", {"timezone": "Europe/Berlin"}),
        ("0 */2 * * *", "answers", {"timezone": "America/Santiago"}),
        ("*/20 1-3 * * *", "slow", {"timezone": "Australia/Lord_Howe"}),
        ("90m", "answers", {}),
        ("2024-03-31T03:30:00+02:00", "answers", {}),
        ("every 13m", "slow", {"workdir": "site"}),
        ("every 17m", "slow", {"workdir": "./site/"}),
        ("every 25m", "answers", {"script": "good.sh"}),
        ("every 40m", "answers", {"script": "bad.sh"}),
        ("every 2h", "hangs", {}),
        ("every 3h", "answers", {"script": "hangs.sh"}),
        ("every 11m", "answers", {"repeat": 5}),
    ]
    made = []
    for n, (schedule, behaviour, fields) in enumerate(kinds):
        name = JobId(f"{seed:04x}{n:08x}")
        job = Job(name, schedule, f"{name} {behaviour}", deliver=(f"fake:{name}",))
        made.append(replace(job, **fields))  # type: ignore[arg-type]
    return made


@dataclass
class Home:
    """A directory of jobs, who owns it, and the gateways that reach it."""

    cron: Path
    owner: AgentId
    gateways: list[Gateway]


def arranged(name: str, world: World, tmp_path: Path, seed: int) -> list[Home]:
    """Agents, files and gateways of an arrangement."""
    config = snapshot("ops", "lab", cron=CronPolicy(max_parallel_jobs=PARALLEL))
    ops, lab = config.agents[OPS].cron, config.agents[LAB].cron
    world.files.put(ops, *jobs(seed))
    if name == "one home, two agents":
        config = _changed(config, LAB, home=config.agents[OPS].home, schedules="the agent `ops` runs them")
    elif name == "a symbolic link":
        world.files.links[lab] = ops
    gateways = [Gateway(world, tmp_path / "one.db", config)]
    homes = [Home(ops, OPS, gateways)]
    if name == "a clone":
        world.files.put(lab, *jobs(seed))
        homes.append(Home(lab, LAB, gateways))
    if name == "two gateways":
        gateways.append(Gateway(world, tmp_path / "two.db", config))
    return homes


def _changed(config: Snapshot, agent: AgentId, **changes: object) -> Snapshot:
    profile = replace(config.agents[agent], **changes)  # type: ignore[arg-type]
    return replace(config, agents=MappingProxyType({**config.agents, agent: profile}))


async def takes_over(world: World, gateways: list[Gateway], until: float) -> None:
    """Somebody adopts the directory for one gateway or the other, now and then."""
    while world.now() < until:
        await asyncio.sleep(world.random.uniform(600, 9000))
        stage = world.random.choice(gateways).stage
        if stage is not None and OPS in stage.schedules.jobs._agenda.desks:
            await stage.jobs.adopt(OPS)


async def simulated(name: str, tmp_path: Path, seed: int, hours: float) -> int:
    world = World(seed)
    homes = arranged(name, world, tmp_path, seed)
    gateways = homes[0].gateways
    until = START + hours * 3600
    async with asyncio.TaskGroup() as group:
        for one in gateways:
            group.create_task(one.lives_and_dies(until, quiet=_QUIET))
        if len(gateways) > 1:
            group.create_task(takes_over(world, gateways, until))
    total = 0
    for home in homes:
        total += await proved(world, home)
    return total


async def proved(world: World, home: Home) -> int:
    """Checks one home. Returns how many slots there were."""
    folder, total = world.files.folders[world.files.links.get(home.cron, home.cron)], 0
    seen: Counter[tuple[str, float]] = Counter()
    for gateway in home.gateways:
        spans, site = list[tuple[float, float]](), list[tuple[float, float]]()
        for job in folder.jobs:
            rows = await gateway.history(str(home.cron), job.id)
            claimed = [row for row in rows if row.run is not None]
            seen.update((job.id, row.at) for row in claimed)
            runs = [(row.claimed_at or 0.0, row.ended_at or float("inf")) for row in claimed]
            assert at_once(runs) <= 1, f"{job.schedule}: it overlapped itself"
            spans += runs
            site += runs if job.workdir else []
            assert {row.agent for row in claimed} <= {home.owner}
            told(world, home, job, claimed)
            if len(home.gateways) == 1:
                total += settled(gateway, home, job, rows)
                asked_for(world, home, job, claimed)
        assert at_once(site) <= 1, "two jobs worked in one directory"
        assert at_once(spans) <= PARALLEL
    assert max(seen.values()) == 1, f"slots ran twice: {[slot for slot, runs in seen.items() if runs > 1]}"
    return total or len(seen)


def settled(gateway: Gateway, home: Home, job: Job, rows: list[SlotRow]) -> int:
    """Every slot was claimed or is covered by a gap; there was no burst after a start."""
    [since] = {at for key, ats in gateway.sinces.items() if key[:2] == (str(home.cron), job.id) for at in ats}
    end = gateway.lives[-1][1]
    claimed, gaps = (
        {row.at for row in rows if row.run},
        [(row.at, row.until or row.at) for row in rows if not row.run],
    )
    slots = slots_of(job, since, end - 1)
    waiting = gateway.waiting.get((str(home.cron), job.id))
    assert claimed <= set(slots), f"{job.schedule}: it ran when nothing was due"
    if job.repeat is not None:
        assert len(claimed) <= job.repeat
        slots = [slot for slot in slots if slot <= max(claimed)] if len(claimed) == job.repeat else slots
    for slot in slots:
        missed = any(first <= slot <= last for first, last in gaps)
        assert (slot in claimed) + missed + (slot == waiting) == 1, f"{job.schedule}: {slot} of {since}"
    for began, _ in gateway.lives:
        late = [row for row in rows if row.run and row.at < began <= (row.claimed_at or 0.0)]
        assert len(late) <= 1, f"{job.schedule}: a burst after a start"
    return len(slots)


def asked_for(world: World, home: Home, job: Job, claimed: list[SlotRow]) -> None:
    """The model was asked within a run alone, by the right agent, and once unless the run was interrupted."""
    asked = [one for one in world.asked if one.job == job.id and one.agent == home.owner]
    assert {one.model for one in asked} <= {f"m-{home.owner}"}
    deaths = [end for one in home.gateways for _, end in one.lives]
    begins = {row.claimed_at for row in claimed}
    for row in claimed:
        begin, end = row.claimed_at or 0.0, row.ended_at or float("inf")
        at_end = begin == end or end not in begins  # else it is the next run that asks
        during = [one for one in asked if begin <= one.at < end or (one.at == end and at_end)]
        died = sum(begin <= death <= end for death in deaths)
        assert len(during) <= 1 + died, f"{job.schedule}: a run asked {len(during)} times"
        assert during or row.state != "ok" or not at_end
        asked = [one for one in asked if one not in during]
    assert not asked, f"{job.schedule}: the model was asked outside of its runs"


def told(world: World, home: Home, job: Job, claimed: list[SlotRow]) -> None:
    """Each run that ended has left its text in the owner's folder, and one delivery for its one target."""
    for row in claimed:
        if row.state in ("ok", "failed"):
            assert [one.target.chat_id for one in row.deliveries] == [job.id]
            assert {one.target.agent_id for one in row.deliveries} == {home.owner}
            assert row.output is not None
            assert (home.cron, job.id, row.output) in world.files.outputs
    sent = Counter(one.id for one in world.peer.sent)
    assert max(sent.values(), default=1) == 1


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_each_due_slot_has_one_run_however_its_home_is_reached(name: str, tmp_path: Path) -> None:
    seed = 1 + ARRANGEMENTS.index(name)
    print(f"{name}: seed {seed}")
    assert _run(name, tmp_path, seed, hours=4) > 60


@pytest.mark.prove
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_10_000_slots_have_one_run_each_however_their_home_is_reached(name: str, tmp_path: Path) -> None:
    total = seed = 0
    while total < 10_000 / len(ARRANGEMENTS):
        seed += 1
        (tmp_path / str(seed)).mkdir()
        found = _run(name, tmp_path / str(seed), 1000 * seed + ARRANGEMENTS.index(name), hours=30)
        total += found
        print(f"{name}: seed {1000 * seed + ARRANGEMENTS.index(name)}: {found} slots")


def _run(name: str, tmp_path: Path, seed: int, hours: float) -> int:
    return virtual_time(simulated)(name, tmp_path, seed, hours)
