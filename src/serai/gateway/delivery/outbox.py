"""Sending what was committed: in order per chat, repeated only where safe, under the right identity (SPEC 5.5)."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

import structlog

from serai.core.activity import Settled
from serai.core.delivery import Delivery, Enclosure, Target
from serai.core.error import SendPermanent, SendTemporary, SendUnknown, StorageFailed
from serai.core.ids import Account, DeliveryId
from serai.core.redact_message import clean_delivery
from serai.core.split import split
from serai.gateway.activity import Activity
from serai.gateway.hooks import AgentHooks
from serai.gateway.key import chat_key
from serai.gateway.meter import Meter
from serai.gateway.persist import until_stored
from serai.gateway.state import State
from serai.ports.binding import use_profile
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine
from serai.ports.platform import Growing, Platform, Sent
from serai.ports.store import Store
from serai.ports.store.dispatch import NextDelivery, Settlement

_log = structlog.get_logger("outbox")

_WAIT_FIRST: Final = 1.0
_WAIT_MOST: Final = 300.0
_GIVE_UP_SECONDS: Final = 24 * 3600
"""A delivery that could not be sent for a day is dead, and visible as such."""

_AT_ONCE: Final = 16
"""Sends under way per connection; each chat has at most one."""

_HELD_NOTE: Final = "(An earlier message may not have reached you; /retry sends it again.)\n\n"

Connections = Callable[[Account], Platform | None]
"""The connection of an account; None while there is none."""


class Outbox:
    """Drains chats of their deliveries."""

    def __init__(
        self,
        state: State,
        store: Store,
        engine: Engine,
        connections: Connections,
        meter: Meter,
        clock: Clock,
        entropy: Entropy,
        hooks: AgentHooks,
        activity: Activity | None = None,
    ) -> None:
        self._state = state
        self._store = store
        self._engine = engine
        self._connections = connections
        self._meter = meter
        self._clock = clock
        self._entropy = entropy
        self._hooks = hooks
        self._activity = activity or Activity()
        self._limiters: dict[Account, asyncio.Semaphore] = {}

    def platform(self, connection: Account) -> Platform | None:
        """The connection of an account; None while there is none."""
        return self._connections(connection)

    async def grow(self, delivery: Delivery) -> Sent:
        """Opens a delivery that grows, or shows more of it. Raises SendFailed; SendTemporary where there is no
        connection."""
        connection = delivery.target.connection
        platform = self._connections(connection)
        if platform is None:
            raise SendTemporary(f"{connection} is not connected")
        async with self._limiter(connection):
            return await self._sent(platform, delivery)

    def takes(self, target: Target, enclosure: Enclosure) -> bool:
        """Whether a file can be sent to the target's platform."""
        platform = self._connections(target.connection)
        most = platform.capabilities.enclosure_bytes if platform is not None else None
        return most is not None and enclosure.size <= most

    def split(self, target: Target, text: str) -> Sequence[str]:
        """The pieces in which the target's platform takes a text, without secrets: cut in two, one could not be
        told any more."""
        text = self._state.clean(text)
        platform = self._connections(target.connection)
        if platform is None:
            return [text]
        capabilities = platform.capabilities
        return split(text, capabilities.text_limit, capabilities.text_unit)

    async def drain(self, connection: Account, chat: str) -> None:
        """Everything that is due for a chat, in order."""
        while True:
            try:
                found = await self._store.next_delivery(connection, chat, self._clock.now())
                if found.delivery is None:
                    self._come_back(connection, chat, found)
                    return
                await self._send(found.delivery, found.held)
            except StorageFailed as error:
                _log.error("the store could not be asked", chat=chat, error=str(error))
                self._engine.wake(_key(connection, chat), after=_WAIT_FIRST)
                return

    def _come_back(self, connection: Account, chat: str, found: NextDelivery) -> None:
        if found.due_at is not None:
            self._engine.wake(_key(connection, chat), after=max(0.01, found.due_at - self._clock.now()))

    async def _send(self, delivery: Delivery, held: int) -> None:
        settlement = await self._outcome(delivery, held)
        settled = await until_stored(
            lambda: self._store.settle(delivery, settlement), "what came of a delivery", delivery=delivery.id
        )
        if not settled:
            _log.warning("a delivery was settled by another", delivery=delivery.id)
        self._meter.deliveries[delivery.target.platform, settlement.state] += 1
        if settlement.state in ("dead", "unknown"):
            _log.error("delivery failed", delivery=delivery.id, agent=delivery.agent, reason=settlement.error)
        if settled:
            self._activity.tell(_settled(delivery, settlement))
            await self._hooks.delivered(delivery, settlement.state)

    async def _outcome(self, delivery: Delivery, held: int) -> Settlement:
        """One attempt under the agent's own profile and through its own account (SPEC 10.1)."""
        profile = self._state.identity(delivery.agent)
        if profile is None and delivery.agent:
            return Settlement("dead", error=f"no agent named `{delivery.agent}` is configured")
        platform = self._connections(delivery.target.connection)
        if platform is None:
            return self._later(delivery, f"{delivery.target.connection} is not connected")
        if held:
            delivery = self._announcing(delivery)
        async with self._limiter(delivery.target.connection):
            with use_profile(profile) if profile else nullcontext():  # without one, the gateway itself speaks
                return await self._attempt(platform, delivery)

    def _limiter(self, connection: Account) -> asyncio.Semaphore:
        return self._limiters.setdefault(connection, asyncio.Semaphore(_AT_ONCE))

    async def _attempt(self, platform: Platform, delivery: Delivery) -> Settlement:
        edited = is_edit(platform, delivery)
        try:
            sent = await self._sent(platform, delivery)
        except SendTemporary as error:
            return self._later(delivery, str(error), error.retry_after)
        except SendPermanent as error:
            return self._anew(delivery, str(error)) if edited else Settlement("dead", error=str(error))
        except SendUnknown as error:
            return self._unknown(platform, delivery, str(error))
        except Exception as error:  # noqa: BLE001  the drivers' supervisor: one's fault must not stop the others
            _log.exception("the driver failed", delivery=delivery.id)
            reason = f"{type(error).__name__} in the driver"
            return self._anew(delivery, reason) if edited else self._unknown(platform, delivery, reason)
        if not edited and delivery.call is not None and platform.capabilities.send_key and sent.remote_id:
            # what the platform knew by this key may be an earlier state of the text
            return Settlement("new", remote_id=sent.remote_id, due_at=self._clock.now())
        return Settlement("sent", remote_id=sent.remote_id)

    async def _sent(self, platform: Platform, delivery: Delivery) -> Sent:
        """Hands over what was made before a secret was known, too, without it (SPEC 14)."""
        delivery = clean_delivery(self._state.redactor, delivery)
        if is_edit(platform, delivery) and isinstance(platform, Growing):
            return await platform.edit(delivery)
        return await platform.send(delivery)

    def _anew(self, delivery: Delivery, reason: str) -> Settlement:
        """A message that cannot be changed any more: its final text is sent as another one (SPEC 5.7)."""
        _log.warning("an answer is sent as a new message", delivery=delivery.id, reason=reason)
        other = DeliveryId(f"dlv_{self._entropy.token()}")
        return Settlement("new", error=reason, due_at=self._clock.now(), anew=other)

    def _announcing(self, delivery: Delivery) -> Delivery:
        """The same delivery, telling that an earlier one is held, where both fit (SPEC 5.5)."""
        text = _HELD_NOTE + delivery.text
        return replace(delivery, text=text) if len(self.split(delivery.target, text)) == 1 else delivery

    def _unknown(self, platform: Platform, delivery: Delivery, reason: str) -> Settlement:
        if (
            is_edit(platform, delivery)
            or platform.capabilities.send_key
            or self._state.snapshot.on_unknown == "repeat"
        ):
            return self._later(delivery, reason)
        return Settlement("unknown", error=reason)

    def _later(self, delivery: Delivery, reason: str, retry_after: float | None = None) -> Settlement:
        now = self._clock.now()
        if now - delivery.created_at > _GIVE_UP_SECONDS:
            return Settlement("dead", error=f"given up after a day: {reason}")
        longest = min(_WAIT_FIRST * 2 ** min(delivery.attempt - 1, 20), _WAIT_MOST)
        wait = retry_after if retry_after is not None else self._entropy.between(longest / 2, longest)
        return Settlement("new", error=reason, due_at=now + wait)


def is_edit(platform: Platform, delivery: Delivery) -> bool:
    """Whether a delivery changes a message that is there, and so may be repeated without harm."""
    return delivery.remote_id is not None and platform.capabilities.growth is not None


def _settled(delivery: Delivery, settlement: Settlement) -> Settled:
    to = delivery.target
    state, error = settlement.state, settlement.error
    return Settled(delivery.agent, delivery.id, to.platform, to.account, to.chat_id, state, error)


def _key(connection: Account, chat: str) -> str:
    return chat_key(Target(connection.platform, chat, connection.name))
