"""Sessions that somebody renames, copies or deletes (SPEC 11.6)."""

from dataclasses import dataclass
from typing import Final

from serai.core.event import TurnEnded, TurnFault, run_topic
from serai.core.ids import DEFAULT_ACCOUNT, AgentId, SessionId
from serai.core.lane import LaneAddress
from serai.core.turn import Stopped
from serai.gateway.key import lane_key
from serai.gateway.lane.door import Door
from serai.ports.store.session import Fork

API: Final = "api_server"
"""The platform of the API's own sessions."""

_ERASED: Final = "the session was deleted"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Changes sessions, and sees to what is under way in them. Who may do so was decided before."""

    door: Door

    async def entitle(self, session: SessionId, title: str | None) -> bool:
        """Names a session, or takes its name away. False where there is none. Raises StorageFailed."""
        return await self.door.store.entitle(session, title)

    async def fork(
        self, session: SessionId, agent: AgentId, owner: str, wanted: SessionId | None, title: str | None
    ) -> SessionId | None:
        """Copies a session into a new one of the API, with the id that is `wanted`. None where there is none.

        Raises SessionTaken, StorageFailed.
        """
        new = wanted or SessionId(f"ses_{self.door.entropy.token()}")
        address = LaneAddress(agent, API, DEFAULT_ACCOUNT, "dm", chat=new)
        fork = Fork(session, new, address, owner, self.door.clock.now(), title)
        return new if await self.door.store.fork(fork) else None

    async def erase(self, session: SessionId) -> bool:
        """Deletes a session. False where there is none. Raises StorageFailed."""
        door = self.door
        gone = await door.store.erase(session, _ERASED, door.clock.now())
        if gone is None:
            return False
        door.lanes.forget(gone.address)
        if gone.inputs:
            door.lanes.stop_lane(gone.lane, Stopped(_ERASED))
        ended = TurnEnded("cancelled", fault=TurnFault(_ERASED, 503, "run_cancelled"))
        for input_id in gone.inputs:
            door.engine.publish(run_topic(input_id), ended)
        door.engine.wake(lane_key(gone.address.agent, gone.lane))
        return True
