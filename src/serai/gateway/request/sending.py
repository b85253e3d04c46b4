"""Sending a text that nobody has asked for: each target by itself, under its agent's identity (SPEC 10, 12)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from serai.core.delivery import NewDelivery, Target
from serai.core.ids import AgentId, DeliveryId
from serai.core.message import is_silence
from serai.core.target import Expansion, TargetProblem
from serai.gateway.delivery.histories import Histories
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.delivery.targets import Targets
from serai.gateway.key import chat_key
from serai.gateway.lane.door import Door
from serai.ports.store.arrival import Idempotency, KeptAnswer
from serai.ports.store.claim import Said

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


_decode: Final = msgspec.json.Decoder(list[Dispatched]).decode


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is to be stored, and the results that are told then."""

    results: Sequence[Dispatched]
    deliveries: Sequence[NewDelivery] = ()
    said: Sequence[Said] = ()


class Sending:
    """Stores texts for chats, and wakes those."""

    def __init__(self, door: Door, targets: Targets, histories: Histories, parcels: Parcels) -> None:
        self._door = door
        self._targets = targets
        self._histories = histories
        self._parcels = parcels

    async def send(
        self, values: Sequence[str], text: str, agent: AgentId | None = None, request: Idempotency | None = None
    ) -> Sequence[Dispatched]:
        """Sends `text`, which is not blank, to the places that `values` mean, as `agent`, else as the gateway itself.
        What an agent says joins the histories of those places. A repeat of the `request` sends nothing, and has the
        results of the first one.

        Everything that can be sent is stored, surely on disk, when this returns. Raises StorageFailed,
        IdempotencyConflict.
        """
        refusal = self._refusal(text, agent)
        if refusal is not None:
            prepared = _Prepared([Dispatched(value, agent, error=refusal) for value in values])
        else:
            prepared = await self._prepared(values, text, agent)
        return await self._door.surely(self._store(prepared, request))

    async def _prepared(self, values: Sequence[str], text: str, agent: AgentId | None) -> _Prepared:
        found = await self._targets.expand(values, owner=agent)
        said = await self._histories.joined(agent, found.targets, text) if agent is not None else ()
        cut = [(target, self._cut(target, text)) for target in found.targets]
        sent = [Dispatched(self._targets.written(to), agent, tuple(one.id for one in pieces)) for to, pieces in cut]
        new = [delivery for _, pieces in cut for delivery in pieces]
        return _Prepared([*sent, *self._failed(found, agent)], new, said)

    async def _store(self, prepared: _Prepared, request: Idempotency | None) -> Sequence[Dispatched]:
        """The results that are told: of this request, or of the one that it repeats."""
        if request is None and not prepared.deliveries:
            return prepared.results
        door = self._door
        kept = KeptAnswer(request, msgspec.json.encode(prepared.results)) if request is not None else None
        earlier = await door.store.deliver(prepared.deliveries, door.clock.now(), said=prepared.said, kept=kept)
        if earlier is not None:
            return _decode(earlier)
        for key in dict.fromkeys(chat_key(one.target) for one in prepared.deliveries):
            door.engine.wake(key)
        return prepared.results

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
