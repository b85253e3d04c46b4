"""The composition root: builds a gateway from a loaded configuration, runs it, stops it."""

import asyncio
import secrets as chance
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import structlog

from serai.agent.fallback import Fallback
from serai.agent.loop import AgentLoop
from serai.agent.prompt import PromptSource
from serai.api.server import Server
from serai.api.services import Readiness, Services
from serai.app.approval import RunApprovals
from serai.app.connect import Connector
from serai.app.control import Control, prepare_agents
from serai.app.demo import DemoToolbox
from serai.app.reload import Reading, Reloader
from serai.app.schedule import job_check, job_files, make_schedules
from serai.app.system import SystemClock, SystemEntropy
from serai.config.layout import Layout
from serai.core.delivery import Delivery
from serai.core.error import SeraiError
from serai.core.ids import Account, AgentId, DeliveryId, LaneId
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
from serai.gateway.key import chat_key
from serai.gateway.lane.door import Door
from serai.gateway.lane.fair import FairShare
from serai.gateway.lane.lanes import Lanes
from serai.gateway.meter import Meter
from serai.gateway.request.lasting import Lasting
from serai.gateway.request.run import Runs
from serai.gateway.request.sending import Sending
from serai.gateway.request.sessions import Sessions
from serai.gateway.resolver import Resolver
from serai.gateway.state import State
from serai.gateway.supervisor import prune, sweep, wake_unfinished, watch_loop
from serai.gateway.turn.enclosed import Enclosed
from serai.gateway.turn.errand import Errands
from serai.gateway.turn.history import History
from serai.gateway.turn.workshop import Workshop
from serai.models.openai_chat import OpenAIChat, Timeouts
from serai.plugins.hooks import PluginHooks
from serai.plugins.load import load_plugins
from serai.ports.clock import Clock
from serai.ports.jobs import JobFiles
from serai.ports.model import Model
from serai.ports.platform import HttpEndpoint, HttpReply, HttpRequest, Platform
from serai.ports.slots import Slots
from serai.ports.store import Store
from serai.ports.tool import Toolbox
from serai.stores.sqlite.archive import SqliteArchive
from serai.stores.sqlite.store import open_store
from serai.tools.guarded import GuardedFetch
from serai.tools.inbox import WorkspaceInbox
from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox
from serai.web.hub import Turns
from serai.web.site import Site

_log = structlog.get_logger("gateway")

_GRACE_SECONDS: Final = 10.0
"""For which running turns may go on when the gateway is told to stop."""


def _unchanged(part: Any) -> Any:
    return part


@dataclass(frozen=True, slots=True)
class Wrapping:
    """Puts something of a test's own around a part: a crash point, a recorder."""

    clock: Callable[[Clock], Clock] = _unchanged
    store: Callable[[Store], Store] = _unchanged
    model: Callable[[Model], Model] = _unchanged
    toolbox: Callable[[Toolbox], Toolbox] = _unchanged
    platform: Callable[[Platform], Platform] = _unchanged
    files: Callable[[JobFiles], JobFiles] = _unchanged
    slots: Callable[[Slots], Slots] = _unchanged


class Gateway:
    """One running gateway."""

    def __init__(
        self,
        layout: Layout,
        reading: Reading,
        state: State,
        session: aiohttp.ClientSession,
        wrapping: Wrapping | None = None,
    ) -> None:
        """Builds everything; opens the store. Raises Startup, StorageFailed."""
        wrap = wrapping or Wrapping()
        self._state = state
        self._clock, self._entropy = wrap.clock(SystemClock()), SystemEntropy()
        self._meter = Meter()
        self._activity = Activity(self._clock.now())
        self._engine = LocalEngine()
        self._switchboard = Switchboard(self._entropy)
        self._threads = AgentThreads()
        self._fetch = GuardedFetch()
        prepare_agents(state.snapshot)
        self.token = chance.token_urlsafe(32)
        state.hide(self.token)
        opened = open_store(layout.database)
        self._store: Store = wrap.store(opened)
        self._archive = SqliteArchive(layout.database)
        hooks = PluginHooks(load_plugins(state.snapshot.plugins, layout.plugins))
        agent_hooks = AgentHooks(hooks, state)
        self._outbox = Outbox(
            state,
            self._store,
            self._engine,
            self._switchboard.platform,
            self._meter,
            self._clock,
            self._entropy,
            agent_hooks,
            self._activity,
        )
        model: Model = wrap.model(OpenAIChat(session, state.held_secrets, Timeouts(), hide=state.clean))
        fair = FairShare(lambda: state.snapshot)
        means = Means(self._store, self._engine, self._clock, self._entropy, self._outbox.split, self._outbox.grow)
        self._approvals = Approvals(state, self._store, self._engine, self._clock, agent_hooks, self._outbox)
        targets, files = Targets(state, opened.home_chats), wrap.files(job_files(self._entropy))
        self._check_job = job_check(state, targets, files)
        parcels = Parcels(self._outbox.split, self._outbox.takes, self._entropy)
        histories = Histories(state, opened.home_chats, self._clock, self._entropy)
        workshop = Workshop(
            state=state,
            store=self._store,
            engine=self._engine,
            loop=AgentLoop(Fallback(model, self._entropy), hooks),
            prompts=PromptSource(),
            toolbox=DemoToolbox(wrap.toolbox(BuiltinToolbox(self._threads, lambda: self._schedules.jobs))),
            history=History(),
            meter=self._meter,
            clock=self._clock,
            entropy=self._entropy,
            parcels=parcels,
            drafts=Drafts(means, state, self._switchboard.platform),
            presence=Presence(self._switchboard.platform),
            asking=Asking(means, state, agent_hooks, self._outbox, self._approvals),
            enclosed=Enclosed(state, self._switchboard.platform, WorkspaceInbox(self._threads), self._fetch),
            errands=Errands(state, self._store, files, targets, histories, parcels, self._meter),
            hooks=agent_hooks,
            activity=self._activity,
        )
        self._lanes = Lanes(workshop, fair)
        self._resolver = Resolver(lambda: state.snapshot, hooks)
        self._door = door = Door(
            state,
            self._store,
            self._engine,
            self._lanes,
            self._resolver,
            self._meter,
            self._clock,
            self._entropy,
            agent_hooks,
        )
        self._schedules = make_schedules(door, files, wrap.slots(opened.slots), self._activity)
        self._sending = Sending(door, targets, histories, parcels)
        commands = Commands(door, parcels, self._approvals, targets, self._schedules.jobs)
        self._intake = Intake(door, commands, self._approvals)
        connector = Connector(self._switchboard, session, self._clock, self._entropy, layout, wrap.platform)
        connector.connect(connector.make(state.snapshot, state.secrets, state.snapshot.accounts))
        self._control = Control(state, self._store, self._lanes, fair, connector, self._clock, self._activity)
        self._reloader = Reloader(reading, layout.config, state.configured, self._control.adopt, self._activity)
        turns = Turns(self._engine.subscribe, self._store.outcome, self._lanes.stop)
        self._site = Site(opened.mailbox, turns, self._clock, self._entropy)
        self._switchboard.add(self._site.platform)
        runs = Runs(door)
        self._lasting = Lasting(door, runs, opened.records)
        self._conversations = opened.conversations
        self._server = Server(self._services(door, runs), [self._site.area])
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def in_flight(self) -> int:
        """How many turns run."""
        return self._lanes.in_flight

    async def watch(self) -> None:
        """Measures how late the event loop is, for ever; for the process that owns the loop."""
        await watch_loop(self._meter)

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Takes up what an earlier process left, then listens. Returns where. Raises Startup."""
        self._spawn(self._engine.run(self._drain), "engine")
        await self._control.begin()
        left = await self._store.recover(self._repeatable(), self._clock.now())
        await self._site.hub.resume()
        await self._lasting.resume()
        wake_unfinished(self._engine, left)
        self._spawn(self._switchboard.run(self._intake.receive), "connections")
        address = await self._server.start(host, port)
        self._spawn(sweep(self._store, self._engine, self._clock), "sweep")
        self._spawn(prune(self._store, self._clock, self._retention), "prune")
        self._spawn(self._reloader.watch(), "reload")
        self._spawn(self._schedules.keeping.run(), "keeping")
        self._spawn(self._schedules.scheduler.run(), "schedules")
        return address

    async def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Stops accepting, lets turns finish for `grace` seconds, leaves the rest to be resumed (SPEC 15)."""
        await self._site.hub.close()
        self._activity.close()
        self._schedules.scheduler.close()
        await asyncio.gather(self._server.stop(grace), self._lanes.close(grace))
        await self._lasting.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._door.close()
        await self._lanes.give_back()
        self._threads.close()
        await self._fetch.close()
        await self._archive.close()
        await self._store.close()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_complain)
        self._tasks.append(task)

    async def _drain(self, key: str) -> None:
        """What the engine calls for a woken key."""
        kind, first, rest = key.split(":", 2)
        if kind == "turn":
            await self._lanes.drain(AgentId(first), LaneId(int(rest)))
        else:
            account, chat = rest.split(":", 1)
            await self._outbox.drain(Account(first, account), chat)

    def _repeatable(self) -> frozenset[str]:
        """Platforms on which a send whose outcome is unknown may be repeated under the same key."""
        connected = (connection.platform for connection in self._switchboard.connections())
        return frozenset(p.account.platform for p in connected if p is not None and p.capabilities.send_key)

    def _retention(self) -> tuple[int, int]:
        return self._state.snapshot.dedupe_days, self._state.snapshot.step_days

    def _services(self, door: Door, runs: Runs) -> Services:
        return Services(
            snapshot=lambda: self._state.snapshot,
            secrets=lambda: self._state.secrets,
            redactor=lambda: self._state.redactor,
            runs=runs,
            archive=self._archive,
            sessions=Sessions(door),
            retry=self._retry,
            send=self._sending.send,
            jobs=self._schedules.jobs,
            check_job=self._check_job,
            activity=self._activity,
            lasting=self._lasting,
            approvals=RunApprovals(self._approvals),
            conversations=self._conversations,
            explain=self._resolver.explain,
            endpoint=self._endpoint,
            ready=self._ready,
            reload=self._reloader.reload,
            stop_agent=self._control.stop_agent,
            start_agent=self._control.start_agent,
            metrics=self._metrics,
            local_token=self.token,
            clock=self._clock,
            entropy=self._entropy,
        )

    def _metrics(self) -> Callable[[], bytes]:
        from serai.app import metrics

        collector = metrics.MeterCollector(
            self._meter, lambda: self._lanes.in_flight, self._switchboard, self._schedules.jobs
        )
        return metrics.renderer(collector)

    async def _retry(self, delivery_id: DeliveryId) -> Delivery | None:
        """Sends a delivery again whose outcome is unknown, or that was given up."""
        delivery = await self._store.retry(delivery_id, self._clock.now())
        if delivery is not None:
            self._engine.wake(chat_key(delivery.target))
        return delivery

    def _endpoint(self, platform: str, account: str) -> HttpEndpoint | None:
        known = Account(platform, account)
        if self._state.account(known) is None:
            return None
        connection = self._switchboard.connection(known)
        if connection is None:
            return _Unavailable(
                HttpReply(503, code="not_connected", text="this account is not running", retry_after=5)
            )
        if connection.platform is None:
            return _Unavailable(HttpReply(503, code="account_disabled", text=connection.reason or "disabled"))
        return connection.platform if isinstance(connection.platform, HttpEndpoint) else None

    async def _ready(self) -> Readiness:
        """Store and default agent must work; the accounts' states are told, but are no reason (SPEC 11.6)."""
        snapshot = self._state.snapshot
        reasons = {"default_agent": snapshot.refusal(snapshot.default_agent), "store": await self._store_fault()}
        body = {
            "ready": not any(reasons.values()),
            "reasons": {name: reason for name, reason in reasons.items() if reason},
            "revision": snapshot.revision,
            "default_agent": snapshot.default_agent,
            "agents": {agent: profile.refusal or "ready" for agent, profile in snapshot.agents.items()},
            "accounts": {str(c.account): str(c) for c in self._switchboard.connections()},
            "turns_in_flight": self._lanes.in_flight,
            "configuration": {
                "problems": [str(problem) for problem in self._reloader.problems],
                "needs_restart": self._reloader.needs_restart,
            },
        }
        return Readiness(not any(reasons.values()), body)

    async def _store_fault(self) -> str | None:
        try:
            await self._store.unfinished(self._clock.now())
        except SeraiError as error:
            return str(error)
        return None


def _complain(task: asyncio.Task[None]) -> None:
    """A background task that ends by an error is a bug of ours; the log must say so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a background task ended", task=task.get_name(), error=repr(error))


@dataclass(frozen=True, slots=True)
class _Unavailable:
    """The endpoint of an account that cannot receive: 503 with the reason (SPEC 16.6)."""

    reply: HttpReply

    async def handle(self, _request: HttpRequest) -> HttpReply:
        return self.reply
