"""A whole gateway in memory, in virtual time: scripted model, fake platform, store without a file."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from serai.agent.fallback import Fallback, RetryBudget
from serai.agent.loop import AgentLoop
from serai.agent.prompt import PromptSource
from serai.app.schedule import make_schedules
from serai.core.error import FetchFailed
from serai.core.ids import Account, AgentId, InputId, LaneId, SessionId
from serai.core.live import LivePolicy
from serai.core.message import InputBody, Message
from serai.core.principal import LOCAL, Principal
from serai.core.profile import AgentProfile, Endpoint
from serai.core.route import Route, RouteTable
from serai.core.snapshot import Access, AccountSettings, Snapshot
from serai.core.source import Source
from serai.engines.local import LocalEngine
from serai.gateway.activity import Activity
from serai.gateway.answer.draft import Means
from serai.gateway.answer.drafts import Drafts
from serai.gateway.answer.presence import Presence
from serai.gateway.approval.approvals import Approvals
from serai.gateway.approval.asking import Asking
from serai.gateway.chat.commands import Commands
from serai.gateway.chat.intake import Intake
from serai.gateway.connection.switchboard import Switchboard
from serai.gateway.delivery.histories import Histories
from serai.gateway.delivery.outbox import Outbox
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.delivery.targets import Targets
from serai.gateway.hooks import AgentHooks
from serai.gateway.lane.door import Door
from serai.gateway.lane.fair import FairShare
from serai.gateway.lane.lanes import Lanes
from serai.gateway.meter import Meter
from serai.gateway.request.lasting import Lasting
from serai.gateway.request.run import Ask, Run, Runs
from serai.gateway.request.sending import Sending
from serai.gateway.resolver import Resolver
from serai.gateway.state import State
from serai.gateway.supervisor import wake_unfinished
from serai.gateway.turn.enclosed import Enclosed
from serai.gateway.turn.errand import Errands
from serai.gateway.turn.history import History
from serai.gateway.turn.workshop import Workshop
from serai.plugins.hooks import PluginHooks
from serai.ports.hooks import Choice
from serai.ports.job_book import JobBook
from serai.ports.model import Model
from serai.ports.platform import Platform
from serai.ports.tool import Tool, Toolbox
from serai.stores.sqlite.store import SqliteStore
from serai.testing.clock import EPOCH, SeededEntropy, VirtualClock
from serai.testing.jobs import MemoryJobs
from serai.testing.platform.fake import FakePlatform
from tests.stores.test_sqlite import memory_store

OPEN = Access(open=True)


class NoSecrets:
    """Secrets of agents that need none."""

    def get(self, _reader: AgentId | None, name: str) -> str:
        raise KeyError(name)

    def values(self) -> Sequence[str]:
        return ()


class FakeInbox:
    """Keeps files in memory."""

    def __init__(self) -> None:
        self.files: dict[tuple[AgentId, str], bytes] = {}
        self.full = False

    async def read(self, profile: AgentProfile, path: str, most: int) -> bytes | None:
        return self.files.get((profile.id, path))

    async def keep(self, profile: AgentProfile, path: str, data: bytes) -> None:
        if self.full:
            raise FetchFailed("it could not be kept: the disk is full")
        self.files[profile.id, path] = data


async def fetch(url: str, limit: int) -> bytes:
    """The bytes of `data:` addresses; nothing else can be reached."""
    if not url.startswith("data:"):
        raise ConnectionError("there is no network here")
    return b64decode(url.partition(",")[2])


class FakeHooks(PluginHooks):
    """One plugin that always chooses `choice`, counting how often it was asked; none without a choice."""

    def __init__(self, choice: str | None = None) -> None:
        super().__init__([])
        self.choice = choice
        self.asked: list[tuple[str | None, str | None]] = []
        if choice is not None:
            self.used = frozenset({"select_agent"})

    async def select_agent(self, source: Source, route_match: str | None) -> Choice | None:
        self.asked.append((source.message_id, route_match))
        return Choice(self.choice, "fake") if self.choice else None


@dataclass
class FakeToolbox:
    """The same tools for every agent."""

    available: Mapping[str, Tool] = field(default_factory=dict)

    def names(self) -> Sequence[str]:
        return ("fake",)

    def tools(self, _profile: AgentProfile) -> Mapping[str, Tool]:
        return self.available


def snapshot(*agents: str, **changes: object) -> Snapshot:
    """Agents `main` and those named, each with a model called `m-<agent>`; one open fake platform, where each message
    has a turn of its own."""
    profiles = {
        AgentId(name): AgentProfile(
            AgentId(name), Path("/nonexistent") / name, (Endpoint(f"m-{name}", "http://127.0.0.1:1/v1"),)
        )
        for name in ("main", *agents)
    }
    made = Snapshot(
        revision="test",
        home=Path("/nonexistent"),
        agents=profiles,
        routes=RouteTable([]),
        accounts={Account("fake"): AccountSettings(Account("fake"), OPEN, merge=False)},
        live=LivePolicy(busy_mode="queue"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def routes(*entries: tuple[Mapping[str, str], str]) -> RouteTable:
    return RouteTable(
        Route(n, {key: frozenset({value}) for key, value in match.items()}, AgentId(agent), line=n)
        for n, (match, agent) in enumerate(entries, start=1)
    )


class Stage:
    """The parts of one gateway, wired as `serai.app` wires them. `toolbox` makes one around the jobs, where the tools
    of the agents are not to be fakes."""

    def __init__(
        self,
        model: Model,
        config: Snapshot | None = None,
        *,
        store: SqliteStore | None = None,
        platforms: Sequence[Platform] | None = None,
        tools: Mapping[str, Tool] | None = None,
        hooks: PluginHooks | None = None,
        state: State | None = None,
        inbox: FakeInbox | None = None,
        files: MemoryJobs | None = None,
        toolbox: Callable[[Callable[[], JobBook]], Toolbox] | None = None,
        seed: int = 7,
        start: float = EPOCH,
    ) -> None:
        inbox = inbox or FakeInbox()
        self.state = state or State(config or snapshot(), NoSecrets())
        self.store = store or memory_store()
        self.engine, self.meter, self.activity = LocalEngine(), Meter(), Activity()
        self.clock, self.entropy = VirtualClock(start), SeededEntropy(seed)
        self.hooks = hooks or FakeHooks()
        self.platforms: Sequence[Platform] = [FakePlatform()] if platforms is None else platforms
        self.fake = next((one for one in self.platforms if isinstance(one, FakePlatform)), None) or FakePlatform()
        self.switchboard = Switchboard(self.entropy)
        for platform in self.platforms:
            self.switchboard.add(platform)
        self.agent_hooks = AgentHooks(self.hooks, self.state)
        self.outbox = Outbox(
            self.state,
            self.store,
            self.engine,
            self.switchboard.platform,
            self.meter,
            self.clock,
            self.entropy,
            self.agent_hooks,
        )
        self.fair = FairShare(lambda: self.state.snapshot)
        budget = RetryBudget(tries=3, seconds=60.0)
        means = Means(self.store, self.engine, self.clock, self.entropy, self.outbox.split, self.outbox.grow)
        self.approvals = Approvals(self.state, self.store, self.engine, self.clock, self.agent_hooks, self.outbox)
        self.files = files or MemoryJobs()
        self.targets = Targets(self.state, self.store.home_chats)
        parcels = Parcels(self.outbox.split, self.outbox.takes, self.entropy)
        histories = Histories(self.state, self.store.home_chats, self.clock, self.entropy)
        workshop = Workshop(
            state=self.state,
            store=self.store,
            engine=self.engine,
            loop=AgentLoop(Fallback(model, self.entropy, budget), self.hooks),
            prompts=PromptSource(),
            toolbox=toolbox(lambda: self.jobs) if toolbox is not None else FakeToolbox(tools or {}),
            history=History(),
            meter=self.meter,
            clock=self.clock,
            entropy=self.entropy,
            parcels=parcels,
            drafts=Drafts(means, self.state, self.switchboard.platform),
            presence=Presence(self.switchboard.platform),
            asking=Asking(means, self.state, self.agent_hooks, self.outbox, self.approvals),
            enclosed=Enclosed(self.state, self.switchboard.platform, inbox, fetch),
            errands=Errands(self.state, self.store, self.files, self.targets, histories, parcels, self.meter),
            hooks=self.agent_hooks,
            activity=self.activity,
        )
        self.lanes = Lanes(workshop, self.fair)
        self.resolver = Resolver(lambda: self.state.snapshot, self.hooks)
        self.door = door = Door(
            self.state,
            self.store,
            self.engine,
            self.lanes,
            self.resolver,
            self.meter,
            self.clock,
            self.entropy,
            self.agent_hooks,
        )
        self.sending = Sending(door, self.targets, histories, parcels)
        self.schedules = make_schedules(door, self.files, self.store.slots, self.activity)
        self.jobs = self.schedules.jobs
        commands = Commands(door, parcels, self.approvals, self.targets, self.jobs)
        self.intake, self.runs = Intake(door, commands, self.approvals), Runs(door)
        self.lasting = Lasting(door, self.runs, self.store.records)

    @asynccontextmanager
    async def running(
        self, *, recover: bool = False, schedules: bool = False, grace: float = 0
    ) -> AsyncIterator["Stage"]:
        """Runs engine and connections for the block, and `schedules` where they are wanted; what runs `grace` seconds
        after its end is given back, as at a shutdown."""
        tasks = [
            asyncio.create_task(self.engine.run(self._drain)),
            asyncio.create_task(self.switchboard.run(self.intake.receive)),
        ]
        await asyncio.sleep(0)
        if recover:
            left = await self.store.recover(frozenset(), self.clock.now())
            await self.lasting.resume()
            wake_unfinished(self.engine, left)
        if schedules:
            tasks += [
                asyncio.create_task(self.schedules.keeping.run()),
                asyncio.create_task(self.schedules.scheduler.run()),
            ]
        try:
            yield self
        finally:
            await self._stop(tasks, grace)

    async def _stop(self, tasks: Sequence[asyncio.Task[None]], grace: float) -> None:
        """As `app.gateway` does it."""
        self.schedules.scheduler.close()
        await self.lanes.close(grace)
        await self.lasting.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.door.close()
        await self.lanes.give_back()

    async def _drain(self, key: str) -> None:
        kind, first, rest = key.split(":", 2)
        if kind == "turn":
            await self.lanes.drain(AgentId(first), LaneId(int(rest)))
        else:
            account, chat = rest.split(":", 1)
            await self.outbox.drain(Account(first, account), chat)

    async def ask(
        self,
        text: str,
        agent: str | None = None,
        *,
        principal: Principal = LOCAL,
        session: str | None = None,
        idempotency: str | None = None,
        body: str = "body",
        stream: bool = False,
    ) -> Run:
        source = Source("api_server", agent_id=AgentId(agent) if agent else None)
        return await self.runs.start(
            Ask(
                source,
                InputBody(Message("user", text), stream=stream),
                principal,
                session=SessionId(session) if session else None,
                idempotency_key=idempotency,
                route_digest=agent or "",
                body_digest=body,
            )
        )

    async def settled(self, input_id: InputId) -> None:
        """Waits until the input's turn has ended."""
        while await self.store.outcome(input_id) is None:
            await asyncio.sleep(1)
