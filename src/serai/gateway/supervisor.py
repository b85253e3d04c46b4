"""Keeping things running: connections with back-off, the sweep, the watch over the event loop (SPEC 13.2)."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from serai.core.delivery import Target
from serai.core.error import SeraiError, StorageFailed
from serai.core.ids import Account
from serai.gateway.lanes import lane_key
from serai.gateway.meter import Meter
from serai.gateway.turn import chat_key
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine
from serai.ports.platform import Platform, Receive
from serai.ports.store import Store, Unfinished

_log = structlog.get_logger("supervisor")

_SWEEP_SECONDS: Final = 5.0
_PRUNE_SECONDS: Final = 3600.0
_DAY: Final = 86400.0
_BACK_OFF_FIRST: Final = 1.0
_BACK_OFF_MOST: Final = 60.0
_STABLE_SECONDS: Final = 60.0
"""A connection that lasted this long starts again with the shortest back-off."""

_TICK_SECONDS: Final = 0.02

ConnectionState = Literal["connecting", "running", "waiting", "disabled"]


@dataclass(slots=True)
class Connection:
    """A supervised connection and how it is. `reason` says why it is not running."""

    account: Account
    platform: Platform | None
    state: ConnectionState
    reason: str | None = None
    failures: int = 0


class Switchboard:
    """All connections of the process, each with its own supervisor, none delaying another."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._connections: dict[Account, Connection] = {}

    def add(self, platform: Platform) -> None:
        self._connections[platform.account] = Connection(platform.account, platform, "connecting")

    def disable(self, account: Account, reason: str) -> None:
        """Notes an account that must not connect, and why."""
        self._connections[account] = Connection(account, None, "disabled", reason)

    def platform(self, account: Account) -> Platform | None:
        connection = self._connections.get(account)
        return None if connection is None else connection.platform

    def connection(self, account: Account) -> Connection | None:
        return self._connections.get(account)

    def connections(self) -> Iterable[Connection]:
        return self._connections.values()

    async def run(self, receive: Receive) -> None:
        """Runs all connections until cancelled."""
        async with asyncio.TaskGroup() as group:
            for connection in self._connections.values():
                if connection.platform is not None:
                    group.create_task(self._keep(connection, connection.platform, receive))

    async def _keep(self, connection: Connection, platform: Platform, receive: Receive) -> None:
        """One connection, started again whenever it ends, however it ended."""
        loop = asyncio.get_running_loop()
        while True:
            connection.state, connection.reason = "running", None
            began = loop.time()
            try:
                await platform.run(receive)
                connection.reason = "the connection ended"
            except Exception as error:  # noqa: BLE001  the connection's supervisor: it must outlive any fault
                connection.reason = str(error) if isinstance(error, SeraiError | OSError) else type(error).__name__
                _log.warning("connection failed", account=str(connection.account), reason=connection.reason)
            if loop.time() - began > _STABLE_SECONDS:
                connection.failures = 0
            connection.failures += 1
            connection.state = "waiting"
            longest = min(_BACK_OFF_FIRST * 2 ** min(connection.failures - 1, 10), _BACK_OFF_MOST)
            await asyncio.sleep(self._entropy.between(longest / 2, longest))


def wake_unfinished(engine: Engine, unfinished: Unfinished) -> None:
    """Wakes every lane and chat that has something due. Harmless for those awake already."""
    for agent, lane in unfinished.lanes:
        engine.wake(lane_key(agent, lane))
    for account, chat in unfinished.chats:
        engine.wake(chat_key(Target(account.platform, chat, account.name)))


async def sweep(store: Store, engine: Engine, clock: Clock) -> None:
    """Finds lost wake-ups, for ever."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            wake_unfinished(engine, await store.unfinished(clock.now()))
        except StorageFailed as error:
            _log.error("the sweep could not read the store", error=str(error))


async def prune(store: Store, clock: Clock, days: Callable[[], tuple[int, int]]) -> None:
    """Forgets what retention says, every hour, for ever. `days` gives those of dedupe keys and of steps."""
    while True:
        dedupe, step = days()
        now = clock.now()
        try:
            gone = await store.prune(now - dedupe * _DAY, now - step * _DAY, now)
            _log.debug("pruned", rows=gone)
        except StorageFailed as error:
            _log.error("nothing could be pruned", error=str(error))
        await asyncio.sleep(_PRUNE_SECONDS)


async def watch_loop(meter: Meter) -> None:
    """Notes the longest time for which the event loop was late, in seconds, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_SECONDS
        await asyncio.sleep(_TICK_SECONDS)
        meter.stall_seconds_max = max(meter.stall_seconds_max, loop.time() - due)
