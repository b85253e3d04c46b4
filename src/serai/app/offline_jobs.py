"""Jobs for commands, whether or not a gateway runs: the files, and what the database remembers (SPEC 9.1, 12)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from serai.app.system import SystemClock, SystemEntropy
from serai.config.layout import Layout
from serai.config.secret import LoadedSecrets
from serai.core.error import Startup
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, InputId, JobId
from serai.core.schedule import parse_schedule
from serai.core.snapshot import AccountSettings, Snapshot
from serai.gateway.activity import Activity
from serai.gateway.delivery.targets import Targets
from serai.gateway.meter import Meter
from serai.gateway.schedule.agenda import Agenda
from serai.gateway.schedule.entry import Entry
from serai.gateway.schedule.jobs import Jobs
from serai.gateway.schedule.missed import Missed
from serai.gateway.state import State
from serai.jobs.disk import DiskJobs
from serai.ports.home_chat import Correspondent, HomeChats
from serai.ports.slots import Active, JobMark, Left, Sighting, SlotRow, Slots
from serai.stores.sqlite.store import open_store
from serai.web.driver import ACCOUNT, STANDING

NO_GATEWAY: Final = "no gateway runs, and only a gateway runs jobs; start it with `serai up`"


class IdleSlots(Slots):
    """The memory of schedules while no gateway runs: nothing begins, so the time of new jobs does not either.

    `kept` is the database's, None where there is none yet.
    """

    def __init__(self, kept: Slots | None) -> None:
        self._kept = kept
        self._seen: dict[str, dict[JobId, JobMark]] = {}

    async def store_name(self) -> str:
        return await self._kept.store_name() if self._kept else ""

    async def marks(self, directory: str) -> Mapping[JobId, JobMark]:
        kept = await self._kept.marks(directory) if self._kept else {}
        return {**kept, **self._seen.get(directory, {})}

    async def see(self, directory: str, sightings: Sequence[Sighting]) -> None:
        """As if their time began now, but not for anybody else: it does when a gateway sees them."""
        known = await self.marks(directory)
        seen = self._seen.setdefault(directory, {})
        for one in sightings:
            before = known.get(one.job, JobMark("", one.since, one.since))
            moment = (before.since, before.decided) if before.key == one.key else (one.since, one.since)
            runs = 0 if one.anew else before.runs
            seen[one.job] = JobMark(one.key, *moment, runs, before.owner, one.written)

    async def give(self, directory: str, job: JobId, owner: str, now: float) -> None:  # noqa: ARG002 - the port's
        raise Startup(NO_GATEWAY)

    async def miss(self, *_: object) -> None:
        raise Startup(NO_GATEWAY)

    async def pass_over(self, directory: str, until: float) -> None:
        if self._kept:
            await self._kept.pass_over(directory, until)

    async def active(self) -> Sequence[Active]:
        return await self._kept.active() if self._kept else ()

    async def history(
        self, directory: str, job: JobId, *, limit: int = 50, before: float | None = None
    ) -> Sequence[SlotRow]:
        return await self._kept.history(directory, job, limit=limit, before=before) if self._kept else ()

    async def run(self, directory: str, job: JobId, run: InputId) -> SlotRow | None:
        return await self._kept.run(directory, job, run) if self._kept else None

    async def latest(self, directory: str, jobs: Sequence[JobId]) -> Mapping[JobId, SlotRow]:
        return await self._kept.latest(directory, jobs) if self._kept else {}

    async def left(self, limit: int = 100, without: Collection[str] = ()) -> Sequence[Left]:  # noqa: ARG002 - the port's
        return ()

    async def kept(self, run: InputId, output: str) -> None:  # noqa: ARG002 - the port's
        raise Startup(NO_GATEWAY)

    async def forget(self, directory: str, job: JobId) -> None:
        if self._kept:
            await self._kept.forget(directory, job)


class IdleFiles(DiskJobs):
    """Job files that get no owner by being looked at."""

    async def own(self, cron: Path, store: str) -> str:  # noqa: ARG002 - the port's
        return store


class IdlePlanner:
    """Looks at the files, and runs nothing."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    async def look(self) -> None:
        await self._agenda.refresh()

    async def begin_now(self, entry: Entry, once: str | None = None) -> InputId:  # noqa: ARG002 - the port's
        raise Startup(NO_GATEWAY)


class NoChats(HomeChats):
    """Where nothing is stored, no home chat was chosen."""

    async def chosen(self) -> Mapping[Account, HomeChat]:
        return {}

    async def chat_type(self, *_: object) -> str | None:
        return None

    async def correspondent(self, connection: Account, chat: str) -> Correspondent | None:  # noqa: ARG002 - the port's
        return None


@asynccontextmanager
async def offline_jobs(layout: Layout, snapshot: Snapshot, *, make: bool = False) -> AsyncIterator[Jobs]:
    """The jobs as their files have them now. `make` makes the database where there is none yet.

    Raises Startup, StorageFailed.
    """
    opened = open_store(layout.database) if make or layout.database.exists() else None
    try:
        state, clock, slots = (
            State(snapshot, LoadedSecrets({})),
            SystemClock(),
            IdleSlots(opened.slots if opened else None),
        )
        if opened:
            state.stop(await opened.stopped())
        files = IdleFiles(parse_schedule, SystemEntropy())
        missed = Missed(slots, Meter(), Activity(), clock)
        agenda = Agenda(state, files, slots, missed, clock, logs=False)
        await agenda.refresh()
        yield Jobs(state, agenda, IdlePlanner(agenda), files, slots, clock)
    finally:
        if opened is not None:
            await opened.close()


def accounts(snapshot: Snapshot) -> Mapping[Account, AccountSettings]:
    """All connections that a gateway would have."""
    return {ACCOUNT: STANDING, **snapshot.accounts}


async def home_chats(layout: Layout, snapshot: Snapshot) -> Mapping[Account, HomeChat]:
    """Every account's home chat, chosen or configured. Raises Startup, StorageFailed."""
    opened = open_store(layout.database) if layout.database.exists() else None
    try:
        state = State(snapshot, LoadedSecrets({}), {ACCOUNT: STANDING})
        return await Targets(state, opened.home_chats if opened else NoChats()).homes()
    finally:
        if opened is not None:
            await opened.close()
