"""The way in: duplicate? authorised? whose? then one transaction (SPEC 5.1)."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog

from serai.core.delivery import Target
from serai.core.error import Refused, SeraiError, Unauthorised, UnknownAgent
from serai.core.event import TurnEnded
from serai.core.ids import InputId
from serai.core.lane import lane_of
from serai.core.message import Image, Inbound, InputBody, Message
from serai.core.source import Source
from serai.gateway.lanes import Lanes, lane_key
from serai.gateway.meter import Meter
from serai.gateway.resolver import Resolver
from serai.gateway.state import State
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine, Subscription
from serai.ports.platform import Receipt
from serai.ports.store import Accepted, Arrival, Store

_log = structlog.get_logger("intake")


@dataclass(frozen=True, slots=True)
class Door:
    """What every entrance needs: to accept an arrival, to listen for its end, to stop it."""

    state: State
    store: Store
    engine: Engine
    lanes: Lanes
    resolver: Resolver
    meter: Meter
    clock: Clock
    entropy: Entropy
    _working: set[asyncio.Task[Any]] = field(default_factory=set)

    async def accept(self, arrival: Arrival) -> Accepted:
        """Stores an arrival and sees to it that its turn comes. Raises what `Store.accept` raises.

        A caller who is cancelled meanwhile may have been too late: what was stored is seen to all the same.
        """
        work = asyncio.create_task(self._accept(arrival))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not arrival.survives:
                work.add_done_callback(self._too_late)
            raise

    def _too_late(self, work: asyncio.Task[Accepted]) -> None:
        """A call was accepted after its caller had gone: nobody waits for its answer."""
        if not work.cancelled() and work.exception() is None:
            self.stop(work.result().input_id, "the caller went away")

    async def _accept(self, arrival: Arrival) -> Accepted:
        agent = arrival.address.agent
        offer = self.lanes.offer(agent, arrival.address)
        try:
            accepted = await self.store.accept(arrival, offer.claim if offer else None)
        except BaseException:
            if offer is not None:
                self.lanes.withdraw(offer)
            raise
        if accepted.claim is not None and offer is not None:
            self.lanes.begin(accepted.claim, offer)
        else:
            if offer is not None:
                self.lanes.withdraw(offer)
            if not accepted.duplicate:
                self.engine.wake(lane_key(agent, accepted.lane))
        if accepted.duplicate:
            self.meter.duplicates += 1
        else:
            self.meter.accepted[agent, arrival.connection.platform] += 1
        return accepted

    def subscribe(self, topic: str) -> Subscription:
        return self.engine.subscribe(topic)

    async def outcome(self, input_id: InputId) -> TurnEnded | None:
        return await self.store.outcome(input_id)

    def stop(self, input_id: InputId, reason: str) -> None:
        """Stops an input's turn, soon."""
        task = asyncio.create_task(self._stop(input_id, reason))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _stop(self, input_id: InputId, reason: str) -> None:
        try:
            await self.lanes.stop(input_id, reason)
        except SeraiError as error:
            _log.warning("a turn could not be stopped", run=input_id, error=str(error))


class Intake:
    """The entrance of chat platforms."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def receive(self, inbound: Inbound) -> Receipt:
        """Accepts a platform's message; when this returns, it is stored.

        Raises Unauthorised, UnknownAgent, Busy or StorageFailed, each with the sentence for the sender.
        """
        door = self._door
        source = inbound.source
        known = await door.store.look(source.connection, inbound.dedupe_key, source.chat_id or "")
        if known.input_id is not None:
            door.meter.duplicates += 1
            return Receipt(known.input_id, duplicate=True)
        try:
            self._authorise(source)
            decision = await door.resolver.decide(source, known.binding)
            if decision.refused is not None:
                raise UnknownAgent(decision.refused)
        except Refused as refusal:
            door.meter.refused[refusal.code] += 1
            _log.warning("message refused", platform=str(source.connection), chat=source.chat_id, reason=str(refusal))
            raise
        now = door.clock.now()
        accepted = await door.accept(
            Arrival(
                input_id=InputId(f"run_{door.entropy.token()}"),
                address=lane_of(decision.agent, source, door.state.snapshot.lanes),
                connection=source.connection,
                dedupe_key=inbound.dedupe_key,
                sender=source.user or "",
                body=InputBody(_message(inbound)),
                decision=decision,
                now=now,
                due_at=now,
                reply_to=_reply_target(source, decision.agent),
            )
        )
        return Receipt(accepted.input_id, accepted.duplicate)

    def _authorise(self, source: Source) -> None:
        """No setting means nobody (SPEC 6.7)."""
        account = self._door.state.account(source.connection)
        if account is None or not account.access.admits(source.user_id, source.user_id_alt, source.chat_id):
            raise Unauthorised("you are not on this account's list; its operator can add you to `allow_users`")


def _message(inbound: Inbound) -> Message:
    """The model's view of a message: text, pictures as pictures, other files by name and address."""
    images = tuple(Image(a.url) for a in inbound.attachments if (a.media_type or "").startswith("image/"))
    others = [a for a in inbound.attachments if not (a.media_type or "").startswith("image/")]
    lines = [inbound.text] if inbound.text else []
    lines += [f"[attachment: {a.name or 'file'} ({a.media_type or 'unknown type'}) {a.url}]" for a in others]
    return Message("user", "\n".join(lines), images=images)


def _reply_target(source: Source, agent: str) -> Target:
    """Answers go to the chat that asked, through the account it asked through."""
    return Target(
        platform=source.platform,
        account=source.account,
        chat_id=source.chat_id or source.user or "",
        chat_type=source.chat_type,
        thread_id=source.thread,
        user_id=source.user_id,
        agent_id=agent,  # type: ignore[arg-type]
        reply_to=(source.message_id,) if source.message_id else (),
    )
