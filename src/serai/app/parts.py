"""The composition root: the parts of a gateway are made here, and handed what they need."""

import secrets as chance
from dataclasses import dataclass

import aiohttp

from serai.agent.fallback import Fallback
from serai.agent.loop import AgentLoop
from serai.agent.prompt import PromptSource
from serai.api.services import CheckJob
from serai.app.connect import Connector
from serai.app.control import Control, prepare_agents
from serai.app.demo import DemoToolbox
from serai.app.reload import Reading, Reloader
from serai.app.schedule import Schedules, job_check, job_files, make_schedules
from serai.app.system import SystemClock, SystemEntropy
from serai.app.wrapping import Wrapping
from serai.config.layout import Layout
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
from serai.gateway.request.run import Runs
from serai.gateway.request.sending import Sending
from serai.gateway.resolver import Resolver
from serai.gateway.state import State
from serai.gateway.turn.enclosed import Enclosed
from serai.gateway.turn.errand import Errands
from serai.gateway.turn.history import History
from serai.gateway.turn.workshop import Workshop
from serai.models.openai_chat import OpenAIChat, Timeouts
from serai.plugins.hooks import PluginHooks
from serai.plugins.load import load_plugins
from serai.ports.clock import Clock, Entropy
from serai.ports.model import Model
from serai.ports.store import Store
from serai.stores.sqlite.archive import SqliteArchive
from serai.stores.sqlite.store import SqliteStore, open_store
from serai.tools.guarded import GuardedFetch
from serai.tools.inbox import WorkspaceInbox
from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox
from serai.web.hub import Turns
from serai.web.site import Site


@dataclass(frozen=True, slots=True)
class Parts:
    """What a gateway consists of. `token` makes its bearer the local admin; `sqlite` is what `store` wraps."""

    state: State
    clock: Clock
    entropy: Entropy
    meter: Meter
    activity: Activity
    engine: LocalEngine
    switchboard: Switchboard
    threads: AgentThreads
    fetch: GuardedFetch
    token: str
    sqlite: SqliteStore
    store: Store
    archive: SqliteArchive
    outbox: Outbox
    approvals: Approvals
    lanes: Lanes
    resolver: Resolver
    door: Door
    schedules: Schedules
    check_job: CheckJob
    sending: Sending
    intake: Intake
    control: Control
    reloader: Reloader
    site: Site
    runs: Runs
    lasting: Lasting


def put_together(
    layout: Layout, reading: Reading, state: State, session: aiohttp.ClientSession, wrap: Wrapping
) -> Parts:
    """Makes everything; opens the store. Raises Startup, StorageFailed."""
    clock, entropy = wrap.clock(SystemClock()), SystemEntropy()
    meter, activity, engine = Meter(), Activity(clock.now()), LocalEngine()
    switchboard, threads, fetch = Switchboard(entropy), AgentThreads(), GuardedFetch()
    prepare_agents(state.snapshot)
    token = chance.token_urlsafe(32)
    state.hide(token)
    sqlite = open_store(layout.database)
    store = wrap.store(sqlite)
    plugins = PluginHooks(load_plugins(state.snapshot.plugins, layout.plugins))
    hooks = AgentHooks(plugins, state)
    outbox = Outbox(state, store, engine, switchboard.platform, meter, clock, entropy, hooks, activity)
    model: Model = wrap.model(OpenAIChat(session, state.held_secrets, Timeouts(), hide=state.clean))
    means = Means(store, engine, clock, entropy, outbox.split, outbox.grow)
    approvals = Approvals(state, store, engine, clock, hooks, outbox)
    targets, files = Targets(state, sqlite.home_chats), wrap.files(job_files(entropy))
    parcels = Parcels(outbox.split, outbox.takes, entropy)
    histories = Histories(state, sqlite.home_chats, clock, entropy)
    workshop = Workshop(
        state=state,
        store=store,
        engine=engine,
        loop=AgentLoop(Fallback(model, entropy), plugins),
        prompts=PromptSource(),
        toolbox=DemoToolbox(wrap.toolbox(BuiltinToolbox(threads, lambda: schedules.jobs))),
        history=History(),
        meter=meter,
        clock=clock,
        entropy=entropy,
        parcels=parcels,
        drafts=Drafts(means, state, switchboard.platform),
        presence=Presence(switchboard.platform),
        asking=Asking(means, state, hooks, outbox, approvals),
        enclosed=Enclosed(state, switchboard.platform, WorkspaceInbox(threads), fetch),
        errands=Errands(state, store, files, targets, histories, parcels, meter),
        hooks=hooks,
        activity=activity,
    )
    fair = FairShare(lambda: state.snapshot)
    lanes = Lanes(workshop, fair)
    resolver = Resolver(lambda: state.snapshot, plugins)
    door = Door(state, store, engine, lanes, resolver, meter, clock, entropy, hooks)
    schedules = make_schedules(door, files, wrap.slots(sqlite.slots), activity)
    commands = Commands(door, parcels, approvals, targets, schedules.jobs)
    connector = Connector(switchboard, session, clock, entropy, layout, wrap.platform)
    connector.connect(connector.make(state.snapshot, state.secrets, state.snapshot.accounts))
    control = Control(state, store, lanes, fair, connector, clock, activity)
    site = Site(sqlite.mailbox, Turns(engine.subscribe, store.outcome, lanes.stop), clock, entropy)
    switchboard.add(site.platform)
    runs = Runs(door)
    return Parts(
        state=state,
        clock=clock,
        entropy=entropy,
        meter=meter,
        activity=activity,
        engine=engine,
        switchboard=switchboard,
        threads=threads,
        fetch=fetch,
        token=token,
        sqlite=sqlite,
        store=store,
        archive=SqliteArchive(layout.database),
        outbox=outbox,
        approvals=approvals,
        lanes=lanes,
        resolver=resolver,
        door=door,
        schedules=schedules,
        check_job=job_check(state, targets, files),
        sending=Sending(door, targets, histories, parcels),
        intake=Intake(door, commands, approvals),
        control=control,
        reloader=Reloader(reading, layout.config, state.configured, control.adopt, activity),
        site=site,
        runs=runs,
        lasting=Lasting(door, runs, sqlite.records),
    )
