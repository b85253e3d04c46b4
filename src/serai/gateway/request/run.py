"""Asking an agent over the API and waiting for its answer (SPEC 11)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

from serai.agent.client_tool import unusable_tools
from serai.core.decision import Decision
from serai.core.error import InvalidTools, MessageDropped, Unauthorised, UnknownAgent
from serai.core.event import RunEvent, TurnEnded, run_topic
from serai.core.ids import Account, AgentId, InputId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import ClientTools, InputBody
from serai.core.principal import Principal
from serai.core.source import Source
from serai.gateway.lane.door import Door
from serai.gateway.request.recall import recalled
from serai.ports.engine import Subscription
from serai.ports.hooks import Dropped
from serai.ports.record import NewRecord
from serai.ports.store.arrival import (
    IDEMPOTENCY_SECONDS,
    Accepted,
    Arrival,
    Holder,
    Idempotency,
    SessionTaken,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call. The digests are of the routing headers with the model, and of the body.

    `record` is kept with it. `conversation` is the one whose session it is said in. `follows` is the ended response
    that it goes on behind, of the same key and agent, and `place` where that was said, if it seems to be free.
    """

    source: Source
    body: InputBody
    principal: Principal
    session: SessionId | None = None
    idempotency_key: str | None = None
    route_digest: str = ""
    body_digest: str = ""
    record: NewRecord | None = None
    follows: InputId | None = None
    conversation: str | None = None
    place: LaneAddress | None = None

    @property
    def lasting(self) -> bool:
        """Whether it goes on when its caller has gone, also after a restart (SPEC 11.3, 11.5)."""
        return self.idempotency_key is not None or (self.record is not None and self.record.background)


class Run:
    """An accepted call: its events as they come, and its end."""

    def __init__(self, accepted: Accepted, session: SessionId, door: Door, *, lasting: bool) -> None:
        self.id: InputId = accepted.input_id
        self.agent: AgentId = accepted.agent
        self.session = session
        self.created_at = accepted.received_at
        self.replayed = accepted.duplicate
        self._door = door
        self._lasting = lasting
        self._subscription: Subscription | None = None
        self._ended: TurnEnded | None = None

    def listen(self, subscription: Subscription) -> None:
        """Takes over the subscription that was made before the call was accepted."""
        self._subscription = subscription

    async def events(self) -> AsyncIterator[RunEvent]:
        """Every event from now on; the last one is TurnEnded."""
        while self._ended is None:
            event = await self._next()
            if isinstance(event, TurnEnded):
                self._ended = event
                self.close()
            yield event

    async def batch(self, patience: float) -> list[RunEvent]:
        """The events since the last call, at least one of them, or none after `patience` seconds of silence. The last
        event is TurnEnded; then nothing more may be asked for. A cancelled call loses nothing."""
        subscription, known = await self._listening()
        batch: list[RunEvent] = await subscription.batch(patience) if known is None else [known]
        if batch and isinstance(last := batch[-1], TurnEnded):
            self._ended = last
            self.close()
        return batch

    async def ended(self) -> TurnEnded:
        """Waits for the end."""
        while self._ended is None:
            event = await self._next()
            if isinstance(event, TurnEnded):
                self._ended = event
                self.close()
        return self._ended

    def abandon(self) -> None:
        """The caller has gone: the turn is cancelled, unless the call had an Idempotency-Key (SPEC 11.3)."""
        self.close()
        if self._ended is None and not self._lasting:
            self._door.stop(self.id, "the caller went away")

    def close(self) -> None:
        if self._subscription is not None:
            self._subscription.close()

    async def _next(self) -> RunEvent:
        subscription, known = await self._listening()
        return await subscription.next() if known is None else known

    async def _listening(self) -> tuple[Subscription, TurnEnded | None]:
        """The subscription, and how a repeated call had ended before it was made."""
        if self._subscription is not None:
            return self._subscription, None
        self._subscription = subscription = self._door.subscribe(run_topic(self.id))
        return subscription, await self._door.outcome(self.id)


class Runs:
    """The API's way in: authorise the key, route, accept, and hand back a run to wait for."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def start(self, ask: Ask) -> Run:
        """Accepts a call.

        Raises UnknownAgent, Unauthorised, MessageDropped, InvalidTools, Busy, StorageFailed, SessionTaken,
        IdempotencyConflict.
        """
        door = self._door
        now = door.clock.now()
        wanted = _idempotency(ask, now)
        if wanted is not None and (repeated := await door.store.idempotent(wanted, now)) is not None:
            return self._repeat(ask, repeated)
        source, decision = await self._decide(ask)
        self._check_tools(decision.agent, ask.body.client)
        body = await self._dispatched(ask, decision.agent)
        if body.history or body.before:
            look = partial(door.store.exchange, owner=ask.principal.name, agent=decision.agent)
            body = await recalled(body, look, door.state.redactor)
        input_id = InputId(f"run_{door.entropy.token()}")
        session = ask.session or SessionId(f"ses_{input_id[4:]}")
        arrival = Arrival(
            input_id=input_id,
            address=ask.place or LaneAddress(decision.agent, source.platform, source.account, "dm", chat=session),
            connection=Account(source.platform, source.account),
            dedupe_key=None,
            sender=ask.principal.name,
            body=body,
            decision=decision,
            now=now,
            due_at=now,
            session=session,
            owner=ask.principal.name,
            idempotency=wanted,
            survives=ask.lasting,
            alone=ask.session is None,
            source=source if door.hooks.wants_source else None,
            record=ask.record,
            follows=ask.follows,
            conversation=ask.conversation,
        )
        subscription = door.subscribe(run_topic(input_id))
        try:
            accepted = await door.accept(arrival)
        except BaseException:
            subscription.close()
            raise
        run = Run(accepted, session, door, lasting=ask.lasting)
        if accepted.input_id == input_id:
            run.listen(subscription)
        else:
            subscription.close()
        return run

    async def _decide(self, ask: Ask) -> tuple[Source, Decision]:
        """The agent: a stored session's own, else as for any message."""
        source = ask.source
        if ask.session is not None and (holder := await self._door.store.holder(ask.session)) is not None:
            source = _held(ask, holder)
        decision = await self._door.resolver.decide(source)
        if decision.refused is not None:
            self._door.meter.refused[UnknownAgent.code] += 1
            raise UnknownAgent(decision.refused)
        self._permit(ask.principal, decision.agent)
        return source, decision

    async def _dispatched(self, ask: Ask, agent: AgentId) -> InputBody:
        """What is asked, as plugins leave it."""
        message = ask.body.message
        text = await self._door.hooks.dispatch(agent, ask.source, message.text)
        if isinstance(text, Dropped):
            self._door.meter.refused[MessageDropped.code] += 1
            raise MessageDropped(f"the plugin `{text.plugin}` dropped this message")
        return ask.body if text == message.text else replace(ask.body, message=replace(message, text=text))

    def _check_tools(self, agent: AgentId, client: ClientTools | None) -> None:
        if client is not None:
            profile = self._door.state.snapshot.agents[agent]
            if unusable := unusable_tools(profile, self._door.lanes.tools(profile), client):
                raise InvalidTools(unusable)

    def _permit(self, principal: Principal, agent: AgentId) -> None:
        if not principal.may_use(agent):
            self._door.meter.refused[Unauthorised.code] += 1
            raise Unauthorised(f"this key may not use the agent `{agent}`")

    def _repeat(self, ask: Ask, repeated: Accepted) -> Run:
        """The stored agent is used again after its permission is checked again."""
        self._permit(ask.principal, repeated.agent)
        session = ask.session or SessionId(f"ses_{repeated.input_id[4:]}")
        return Run(repeated, session, self._door, lasting=True)


def _idempotency(ask: Ask, now: float) -> Idempotency | None:
    if ask.idempotency_key is None:
        return None
    return Idempotency(
        ask.principal.name, ask.idempotency_key, ask.route_digest, ask.body_digest, now + IDEMPOTENCY_SECONDS
    )


def _held(ask: Ask, holder: Holder) -> Source:
    """A stored session fixes the agent; a contradicting model is as if the session were not there (SPEC 11.2)."""
    stamped = ask.source.agent_id
    if holder.owner != ask.principal.name or stamped not in (None, holder.agent):
        raise SessionTaken(f"there is no session `{ask.session}`")
    return replace(ask.source, agent_id=holder.agent)
