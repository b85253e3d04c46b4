"""A gateway: takes up what was left, runs, stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp
import structlog

from serai.api.server import Server
from serai.app.offer import services
from serai.app.parts import put_together
from serai.app.reload import Reading
from serai.app.wrapping import Wrapping
from serai.config.layout import Layout
from serai.core.ids import Account, AgentId, LaneId
from serai.gateway.state import State
from serai.gateway.supervisor import prune, sweep, wake_unfinished, watch_loop

_log = structlog.get_logger("gateway")

_GRACE_SECONDS: Final = 10.0
"""For which running turns may go on when the gateway is told to stop."""


class Gateway:
    """One running gateway."""

    def __init__(
        self,
        layout: Layout,
        reading: Reading,
        state: State,
        session: aiohttp.ClientSession,
        wrapping: Wrapping | None = None,
    ) -> None:
        """Builds everything; opens the store. Raises Startup, StorageFailed."""
        self._parts = parts = put_together(layout, reading, state, session, wrapping or Wrapping())
        self._server = Server(services(parts), [parts.site.area])
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def token(self) -> str:
        """Makes its bearer the local admin."""
        return self._parts.token

    @property
    def in_flight(self) -> int:
        """How many turns run."""
        return self._parts.lanes.in_flight

    async def watch(self) -> None:
        """Measures how late the event loop is, for ever; for the process that owns the loop."""
        await watch_loop(self._parts.meter)

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Takes up what an earlier process left, then listens. Returns where. Raises Startup."""
        parts = self._parts
        self._spawn(parts.engine.run(self._drain), "engine")
        await parts.control.begin()
        left = await parts.store.recover(self._repeatable(), parts.clock.now())
        await parts.site.hub.resume()
        await parts.lasting.resume()
        wake_unfinished(parts.engine, left)
        self._spawn(parts.switchboard.run(parts.intake.receive), "connections")
        address = await self._server.start(host, port)
        self._spawn(sweep(parts.store, parts.engine, parts.clock), "sweep")
        self._spawn(prune(parts.store, parts.clock, self._retention), "prune")
        self._spawn(parts.reloader.watch(), "reload")
        self._spawn(parts.schedules.keeping.run(), "keeping")
        self._spawn(parts.schedules.scheduler.run(), "schedules")
        return address

    async def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Stops accepting, lets turns finish for `grace` seconds, leaves the rest to be resumed (SPEC 15)."""
        parts = self._parts
        await parts.site.hub.close()
        parts.activity.close()
        parts.schedules.scheduler.close()
        await asyncio.gather(self._server.stop(grace), parts.lanes.close(grace))
        await parts.lasting.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await parts.door.close()
        await parts.lanes.give_back()
        parts.threads.close()
        await parts.fetch.close()
        await parts.archive.close()
        await parts.store.close()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_complain)
        self._tasks.append(task)

    async def _drain(self, key: str) -> None:
        """What the engine calls for a woken key."""
        kind, first, rest = key.split(":", 2)
        if kind == "turn":
            await self._parts.lanes.drain(AgentId(first), LaneId(int(rest)))
        else:
            account, chat = rest.split(":", 1)
            await self._parts.outbox.drain(Account(first, account), chat)

    def _repeatable(self) -> frozenset[str]:
        """Platforms on which a send whose outcome is unknown may be repeated under the same key."""
        connected = (connection.platform for connection in self._parts.switchboard.connections())
        return frozenset(p.account.platform for p in connected if p is not None and p.capabilities.send_key)

    def _retention(self) -> tuple[int, int]:
        snapshot = self._parts.state.snapshot
        return snapshot.dedupe_days, snapshot.step_days


def _complain(task: asyncio.Task[None]) -> None:
    """A background task that ends by an error is a bug of ours; the log must say so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a background task ended", task=task.get_name(), error=repr(error))
