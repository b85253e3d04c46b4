"""What changes a gateway at work: another configuration, an agent that is stopped or started (SPEC 2.6, 7.6)."""

import asyncio
from dataclasses import dataclass

import structlog

from serai.app.connect import Connector, touched
from serai.app.log import set_level
from serai.config.layout import prepare_agent
from serai.config.load import Loaded
from serai.core.activity import Switched
from serai.core.change import BadConfiguration, differences
from serai.core.error import Startup, StorageFailed
from serai.core.ids import AgentId
from serai.core.snapshot import Snapshot, stopped_text
from serai.gateway.activity import Activity
from serai.gateway.lane.fair import FairShare
from serai.gateway.lane.lanes import Lanes
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.store import Store

_log = structlog.get_logger("control")


@dataclass(frozen=True, slots=True)
class Control:
    """Puts changes in force, and sees to what was under way."""

    state: State
    store: Store
    lanes: Lanes
    fair: FairShare
    connector: Connector
    clock: Clock
    activity: Activity

    async def begin(self) -> None:
        """Remembers whom an earlier process was told to stop. Raises StorageFailed."""
        self.state.stop(await self.store.stopped())

    async def adopt(self, new: Snapshot, loaded: Loaded, earlier: Loaded) -> tuple[str, ...]:
        """Puts another configuration in force and tells what is different.

        Raises BadConfiguration, and then nothing has changed.
        """
        old = self.state.configured
        renewed = loaded.secrets.renewed(earlier.secrets)
        exchanged = touched(old, new, renewed)
        await self.connector.load(new, exchanged)
        drivers = self.connector.make(new, loaded.secrets, exchanged)
        if problems := self.connector.problems(new, drivers):
            raise BadConfiguration(problems)
        await asyncio.to_thread(prepare_agents, new)
        self.state.swap(new, loaded.secrets)
        set_level(new.log_level)
        self.fair.serve()
        for agent in old.agents:
            if old.refusal(agent) is None:
                await self._refuse_waiting(agent)
        await self.connector.exchange(drivers, old.accounts.keys() - new.accounts.keys(), self.store.owes)
        names = sorted({name for _, name in renewed})
        return (*differences(old, new, exchanged), *(f"{name} has a new value" for name in names))

    async def stop_agent(self, agent: AgentId) -> None:
        """The kill switch. It works also where it cannot be stored; then it ends with the process: StorageFailed."""
        self.state.stop(self.state.stopped | {agent})
        self.lanes.interrupt(agent, stopped_text(agent))
        _log.warning("an agent was stopped", agent=agent)
        self.activity.tell(Switched(agent, stopped=True))
        await self.store.stop_agent(agent, self.clock.now())
        await self._refuse_waiting(agent)

    async def start_agent(self, agent: AgentId) -> None:
        """Lets a stopped agent answer again. Raises StorageFailed, and then it stays stopped."""
        await self.store.start_agent(agent)
        self.state.stop(self.state.stopped - {agent})
        _log.info("an agent was started", agent=agent)
        self.activity.tell(Switched(agent, stopped=False))

    async def _refuse_waiting(self, agent: AgentId) -> None:
        """Of an agent that may no longer answer. What cannot be refused now is refused when its turn would come."""
        refusal = self.state.snapshot.refusal(agent)
        if refusal is None:
            return
        try:
            await self.lanes.refuse(agent, refusal)
        except StorageFailed as error:
            _log.error("waiting messages could not be refused yet", agent=agent, error=str(error))


def prepare_agents(snapshot: Snapshot) -> None:
    """An agent whose home cannot be made stays configured, and fails in its own turns only."""
    for profile in snapshot.agents.values():
        try:
            prepare_agent(profile)
        except Startup as error:
            _log.warning("an agent's home cannot be made", agent=profile.id, error=str(error))
