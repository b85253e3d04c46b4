"""Keeping things running: the sweep, forgetting what is old, the watch over the event loop."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from serai.core.delivery import Target
from serai.core.error import StorageFailed
from serai.gateway.key import chat_key, lane_key
from serai.gateway.meter import Meter
from serai.ports.clock import Clock
from serai.ports.engine import Engine
from serai.ports.store import Store
from serai.ports.store.upkeep import Unfinished

_log = structlog.get_logger("supervisor")

_SWEEP_SECONDS: Final = 5.0
_PRUNE_SECONDS: Final = 3600.0
_DAY: Final = 86400.0
_TICK_SECONDS: Final = 0.02


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
