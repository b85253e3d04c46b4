"""The gateway's parts with crash points around everything they do."""

from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from serai.core.delivery import Delivery
from serai.core.ids import Account, InputId, JobId, LaneId
from serai.core.job import Job
from serai.core.turn import Claim, Fence, Input, Step
from serai.ports.jobs import JobFiles, ScriptResult
from serai.ports.model import Model, ModelReply, ModelRequest, OnDelta
from serai.ports.platform import Capabilities, HttpEndpoint, HttpReply, HttpRequest, Link, Platform, Sent
from serai.ports.slots import Sighting, Slots
from serai.ports.store import Store
from serai.ports.store.arrival import Accepted, Arrival
from serai.ports.store.claim import ClaimOffer, Finish, Finished
from serai.ports.store.dispatch import NextDelivery, Settlement
from serai.ports.store.order import Order, Ordered
from serai.ports.store.upkeep import Unfinished
from tests.crash.journal import Entry, Journal
from tests.crash.point import Fuse

T = TypeVar("T")


class FusedStore:
    """A store that may die before or after each write; what it only reads passes through."""

    def __init__(self, inner: Store, fuse: Fuse, journal: Journal) -> None:
        self._inner = inner
        self._fuse = fuse
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def _around(self, name: str, work: Awaitable[T]) -> T:
        self._fuse.passing(f"{name}.before")
        result = await work
        self._fuse.passing(f"{name}.after")
        return result

    async def accept(self, arrival: Arrival, offer: ClaimOffer | None = None) -> Accepted:
        return await self._around("accept", self._inner.accept(arrival, offer))

    async def claim(self, lane: LaneId, offer: ClaimOffer) -> Claim | None:
        self._fuse.passing("claim.before")
        claim = await self._inner.claim(lane, offer)
        if claim is not None:
            self._fuse.passing("claim.after")
        return claim

    async def record(self, fence: Fence, steps: Sequence[Step], *, sync: bool) -> None:
        begins = any(step.state == "started" for step in steps)
        self._fuse.passing("record_start.before" if begins else "record_end.before")
        await self._inner.record(fence, steps, sync=sync)
        for step in steps:
            if step.kind == "tool" and step.state in ("done", "failed"):
                self._journal.write(Entry("recorded", step.call_id))
        self._fuse.passing("record_start.after" if begins else "record_end.after")

    async def join(self, fence: Fence, n: int) -> Sequence[Input]:
        return await self._around("join", self._inner.join(fence, n))

    async def order(self, order: Order) -> Ordered:
        return await self._around("order", self._inner.order(order))

    async def release(self, fence: Fence, due_at: float) -> None:
        await self._around("release", self._inner.release(fence, due_at))

    async def finish(self, fence: Fence, finish: Finish, now: float) -> Finished:
        return await self._around("finish", self._inner.finish(fence, finish, now))

    async def next_delivery(self, connection: Account, chat: str, now: float) -> NextDelivery:
        self._fuse.passing("next_delivery.before")
        found = await self._inner.next_delivery(connection, chat, now)
        if found.delivery is not None:
            self._fuse.passing("next_delivery.after")
        return found

    async def settle(self, delivery: Delivery, settlement: Settlement) -> bool:
        return await self._around("settle", self._inner.settle(delivery, settlement))

    async def recover(self, repeatable: frozenset[str], now: float) -> Unfinished:
        return await self._around("recover", self._inner.recover(repeatable, now))


class FusedModel:
    """A model that may die before, in the midst of, or after an answer."""

    def __init__(self, inner: Model, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        def passed_on(text: str) -> None:
            if on_delta is not None:
                on_delta(text)
            self._fuse.passing("model.during")

        self._fuse.passing("model.before")
        reply = await self._inner.complete(request, passed_on)
        self._fuse.passing("model.after")
        return reply


class FusedPlatform:
    """A platform that may die before a send, or when the receiver has it."""

    def __init__(self, inner: Platform, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    @property
    def account(self) -> Account:
        return self._inner.account

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    async def run(self, link: Link) -> None:
        await self._inner.run(link)

    async def handle(self, request: HttpRequest) -> HttpReply:
        assert isinstance(self._inner, HttpEndpoint)
        return await self._inner.handle(request)

    async def send(self, delivery: Delivery) -> Sent:
        self._fuse.passing("send.before")
        sent = await self._inner.send(delivery)
        self._fuse.passing("send.after")
        return sent


class FusedFiles:
    """Jobs files that may die around a script, and around the file of what a run has left."""

    def __init__(self, inner: JobFiles, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def run_script(self, cron: Path, home: Path, job: Job, environment: Mapping[str, str]) -> ScriptResult:
        self._fuse.passing("script.before")
        result = await self._inner.run_script(cron, home, job, environment)
        self._fuse.passing("script.after")
        return result

    async def write_output(self, cron: Path, job: JobId, name: str, text: str) -> Path:
        self._fuse.passing("keep.before")
        path = await self._inner.write_output(cron, job, name, text)
        self._fuse.passing("keep.after")
        return path


class FusedSlots:
    """The memory of schedules, which may die before or after each write."""

    def __init__(self, inner: Slots, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def see(self, directory: str, sightings: Sequence[Sighting]) -> None:
        self._fuse.passing("see.before")
        await self._inner.see(directory, sightings)
        self._fuse.passing("see.after")

    async def miss(self, directory: str, job: JobId, first: float, last: float, reason: str, now: float) -> None:
        self._fuse.passing("miss.before")
        await self._inner.miss(directory, job, first, last, reason, now)
        self._fuse.passing("miss.after")

    async def kept(self, run: InputId, output: str) -> None:
        self._fuse.passing("kept.before")
        await self._inner.kept(run, output)
        self._fuse.passing("kept.after")
