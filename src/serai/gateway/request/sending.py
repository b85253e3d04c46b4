"""Sending a text that nobody has asked for: each target by itself, under its agent's identity (SPEC 10, 12)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from serai.core.delivery import NewDelivery, Target
from serai.core.ids import AgentId, DeliveryId
from serai.core.message import is_silence
from serai.core.target import Expansion, TargetProblem
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.delivery.targets import Targets
from serai.gateway.key import chat_key
from serai.gateway.lane.door import Door

_SILENCE: Final = "the text is only silence, which is not sent"
_LOCAL: Final = "`local` is no chat, so nothing is sent"


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What becomes of one target: its `deliveries`, several where the text was cut, or the `error` for which there
    are none. `target` is its text, as `core.target.written` has it, or as it came where it means no place."""

    target: str
    agent: AgentId | None
    deliveries: tuple[DeliveryId, ...] = ()
    error: str | None = None


class Sending:
    """Stores texts for chats, and wakes those."""

    def __init__(self, door: Door, targets: Targets, parcels: Parcels) -> None:
        self._door = door
        self._targets = targets
        self._parcels = parcels

    async def send(self, values: Sequence[str], text: str, agent: AgentId | None = None) -> Sequence[Dispatched]:
        """Sends `text`, which is not blank, to the places that `values` mean, as `agent`, else as the gateway itself.

        Everything that can be sent is stored, surely on disk, when this returns. Raises StorageFailed.
        """
        refusal = self._refusal(text, agent)
        if refusal is not None:
            return [Dispatched(value, agent, error=refusal) for value in values]
        found = await self._targets.expand(values, owner=agent)
        cut = [(target, self._cut(target, text)) for target in found.targets]
        new = [delivery for _, pieces in cut for delivery in pieces]
        if new:
            await self._door.store.deliver(new, self._door.clock.now())
        for target, _ in cut:
            self._door.engine.wake(chat_key(target))
        sent = [Dispatched(self._targets.written(to), agent, tuple(one.id for one in pieces)) for to, pieces in cut]
        return [*sent, *self._failed(found, agent)]

    def _refusal(self, text: str, agent: AgentId | None) -> str | None:
        """Why nothing is sent at all."""
        if agent is not None and (refusal := self._door.state.snapshot.refusal(agent)) is not None:
            return refusal
        return _SILENCE if is_silence(text) else None

    def _cut(self, target: Target, text: str) -> Sequence[NewDelivery]:
        named = self._door.state.snapshot.live.agent_prefix and target.agent_id
        return self._parcels.text(target, f"[{target.agent_id}] {text}" if named else text)

    def _failed(self, found: Expansion, agent: AgentId | None) -> Iterator[Dispatched]:
        problems = found.problems
        if not found.targets and not problems:
            problems = (TargetProblem(_LOCAL, "local"),)
        for one in problems:
            name = self._targets.written(one.target) if one.target and one.target.chat_id else one.value
            yield Dispatched(name, agent, error=one.text)
