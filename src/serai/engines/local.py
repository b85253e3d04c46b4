"""The engine of one process: a dictionary of asyncio tasks (DESIGN 3)."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from serai.core.event import RunEvent
from serai.ports.engine import Drain


class LocalEngine:
    """Wake-ups become tasks, at most one per key; leases are locks; topics are queues in memory."""

    def __init__(self) -> None:
        self._drain: Drain | None = None
        self._before_run: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._topics: dict[str, list[LocalSubscription]] = {}

    def wake(self, key: str, after: float = 0.0) -> None:
        if after > 0:
            self._wake_later(key, after)
        elif key in self._running:
            self._again.add(key)
        elif self._drain is None:
            self._before_run.add(key)
        else:
            self._start(key, self._drain)

    async def run(self, drain: Drain) -> None:
        self._drain = drain
        try:
            while self._before_run:
                self._start(self._before_run.pop(), drain)
            await asyncio.Event().wait()
        finally:
            self._drain = None
            await self._stop()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator["LocalLease"]:
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with lock:
            yield LocalLease()

    def publish(self, topic: str, event: RunEvent) -> None:
        for subscription in self._topics.get(topic, ()):
            subscription.put(event)

    def subscribe(self, topic: str) -> "LocalSubscription":
        subscription = LocalSubscription(self, topic)
        self._topics.setdefault(topic, []).append(subscription)
        return subscription

    def forget(self, subscription: "LocalSubscription") -> None:
        listeners = self._topics.get(subscription.topic, [])
        if subscription in listeners:
            listeners.remove(subscription)
            if not listeners:
                del self._topics[subscription.topic]

    def _start(self, key: str, drain: Drain) -> None:
        task = asyncio.ensure_future(drain(key))
        self._running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        """A drain that raises is its supervisor's fault; the key stays usable, and the sweep will wake it again."""
        del self._running[key]
        again = key in self._again
        self._again.discard(key)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"drain of {key} failed", "exception": error, "task": task}
            )
        if again and self._drain is not None:
            self._start(key, self._drain)

    def _wake_later(self, key: str, after: float) -> None:
        loop = asyncio.get_running_loop()
        earlier = self._timers.get(key)
        if earlier is not None and earlier.when() <= loop.time() + after:
            return
        if earlier is not None:
            earlier.cancel()
        self._timers[key] = loop.call_later(after, self._timed, key)

    def _timed(self, key: str) -> None:
        del self._timers[key]
        self.wake(key)

    async def _stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class LocalLease:
    """Held until released: in one process nobody can take it away."""

    async def lost(self) -> None:
        await asyncio.Event().wait()


@dataclass(slots=True, eq=False)
class LocalSubscription:
    """Events of one topic, in order. One reader.

    Its patience is one timer that looks when it rings whether there was an event, instead of one timer per event: a
    stream has thousands of them.
    """

    engine: LocalEngine
    topic: str
    _events: deque[RunEvent] = field(default_factory=deque)
    _waiter: asyncio.Future[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _due: float = 0.0

    def put(self, event: RunEvent) -> None:
        self._events.append(event)
        self._rouse()

    async def next(self) -> RunEvent:
        while not self._events:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._events.popleft()

    async def batch(self, patience: float) -> list[RunEvent]:
        if not self._events:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            self._due = loop.time() + patience
            if self._timer is None or self._timer.when() > self._due:
                self._ring_at(self._due)
            await self._waiter
        batch = list(self._events)
        self._events.clear()
        return batch

    def close(self) -> None:
        self.engine.forget(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rouse(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _ring_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if asyncio.get_running_loop().time() < self._due:
            self._ring_at(self._due)
        else:
            self._rouse()
