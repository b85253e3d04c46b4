"""The SQLite store: `ports.Store` over the writer, one small function per operation."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from serai.core.approval import Approval
from serai.core.delivery import Delivery, NewDelivery, Sealed
from serai.core.error import StorageFailed
from serai.core.event import TurnEnded
from serai.core.ids import Account, AgentId, ApprovalId, DeliveryId, InputId, LaneId, SessionId
from serai.core.lane import LaneAddress
from serai.core.message import Revision, Usage
from serai.core.turn import Claim, Fence, Input, Step
from serai.ports.store.approval import NewApproval, Standing, Verdict
from serai.ports.store.arrival import Accepted, Arrival, Exchange, Holder, Idempotency, KeptAnswer, Known, Refusals
from serai.ports.store.claim import ClaimOffer, Finish, Finished, Said
from serai.ports.store.dispatch import NextDelivery, Settlement
from serai.ports.store.order import Order, Ordered
from serai.ports.store.people import Person, Stranger
from serai.ports.store.session import Erased, Fork, LaneView
from serai.ports.store.upkeep import Unfinished
from serai.stores.sqlite import accept as accepting
from serai.stores.sqlite import agent as agents
from serai.stores.sqlite import approval as approving
from serai.stores.sqlite import claim as claiming
from serai.stores.sqlite import delivery as sending
from serai.stores.sqlite import order as ordering
from serai.stores.sqlite import people, recovery, telling, turn
from serai.stores.sqlite import session as sessions
from serai.stores.sqlite.conversation import SqliteConversations
from serai.stores.sqlite.database import connect, prepare
from serai.stores.sqlite.home_chat import SqliteHomeChats
from serai.stores.sqlite.idempotency import find_input
from serai.stores.sqlite.mailbox import SqliteMailbox
from serai.stores.sqlite.record import SqliteRecords
from serai.stores.sqlite.slot import SqliteSlots
from serai.stores.sqlite.writer import Writer

T = TypeVar("T")


def open_store(path: Path) -> "SqliteStore":
    """The store in the file at `path`, made or migrated first. Raises Startup, StorageFailed."""
    prepare(path)
    return SqliteStore(connect(str(path)), connect(str(path), read_only=True), path=path)


class SqliteStore:
    """Writes go through one writer; quick reads have a connection of their own, which never waits for a write."""

    def __init__(
        self, write: sqlite3.Connection, read: sqlite3.Connection, *, path: Path | None = None, inline: bool = False
    ) -> None:
        self._writer = Writer(write, inline=inline)
        self._read = read
        self.mailbox = SqliteMailbox(self._writer, read, path)
        self.records = SqliteRecords(self._writer, read)
        self.conversations = SqliteConversations(self._writer, read)
        self.home_chats = SqliteHomeChats(read)
        self.slots = SqliteSlots(self._writer, read)

    async def look(self, connection: Account, dedupe_key: str, chat: str, user: str = "") -> Known:
        return self._query(lambda db: accepting.look(db, connection, dedupe_key, chat, user))

    async def idempotent(self, wanted: Idempotency, now: float) -> Accepted | None:
        return self._query(lambda db: find_input(db, wanted, now))

    async def holder(self, session: SessionId) -> Holder | None:
        return self._query(lambda db: accepting.holder(db, session))

    async def exchange(self, input_id: InputId, owner: str, agent: AgentId) -> Exchange | None:
        return self._query(lambda db: turn.exchange(db, input_id, owner, agent))

    async def accept(self, arrival: Arrival, offer: ClaimOffer | None = None) -> Accepted:
        return await self._writer.run(lambda db: accepting.accept(db, arrival, offer), sync=True)

    async def claim(self, lane: LaneId, offer: ClaimOffer) -> Claim | None:
        return await self._writer.run(lambda db: claiming.claim(db, lane, offer), sync=False)

    async def due(self, lane: LaneId, offer: ClaimOffer) -> float | None:
        return self._query(lambda db: claiming.due(db, lane, offer))

    async def join(self, fence: Fence, n: int) -> Sequence[Input]:
        return await self._writer.run(lambda db: turn.join(db, fence, n), sync=False)

    async def record(self, fence: Fence, steps: Sequence[Step], *, sync: bool) -> None:
        await self._writer.run(lambda db: turn.record(db, fence, steps), sync=sync)

    async def tell(self, fence: Fence, new: NewDelivery, call: int, now: float, *, grows: bool) -> None:
        await self._writer.run(lambda db: telling.tell(db, fence, new, call, now, grows=grows), sync=True)

    async def placed(self, fence: Fence, delivery: DeliveryId, remote_id: str) -> None:
        await self._writer.run(lambda db: telling.placed(db, fence, delivery, remote_id), sync=False)

    async def seal(self, fence: Fence, sealed: Sealed, now: float) -> None:
        await self._writer.run(lambda db: telling.seal(db, fence, sealed, now), sync=False)

    async def standing(self, claim: Claim, step: int, tool: str) -> Standing:
        return self._query(lambda db: approving.standing(db, claim, step, tool))

    async def suspend(self, fence: Fence, new: NewApproval, now: float) -> None:
        await self._writer.run(lambda db: approving.suspend(db, fence, new, now), sync=True)

    async def approval(self, name: ApprovalId) -> Approval | None:
        return self._query(lambda db: approving.find(db, name))

    async def approvals(
        self, *, chat: tuple[Account, str] | None = None, run: InputId | None = None
    ) -> Sequence[Approval]:
        return self._query(lambda db: approving.waiting(db, chat, run))

    async def decide(self, verdict: Verdict) -> bool:
        return await self._writer.run(lambda db: approving.decide(db, verdict), sync=True)

    async def allowances(self, agent: AgentId) -> Sequence[str]:
        return self._query(lambda db: approving.allowances(db, agent))

    async def stop_waiting(
        self, reason: str, now: float, *, lane: LaneId | None = None, run: InputId | None = None
    ) -> tuple[AgentId, LaneId] | None:
        return await self._writer.run(lambda db: approving.stop_waiting(db, reason, now, lane, run), sync=True)

    async def release(self, fence: Fence, due_at: float) -> None:
        await self._writer.run(lambda db: turn.release(db, fence, due_at), sync=False)

    async def finish(self, fence: Fence, finish: Finish, now: float) -> Finished:
        return await self._writer.run(lambda db: turn.finish(db, fence, finish, now), sync=True)

    async def cancel(self, input_id: InputId, reason: str) -> bool:
        return await self._writer.run(lambda db: turn.cancel(db, input_id, reason), sync=False)

    async def refuse(self, agent: AgentId, reason: str, text: str, now: float) -> Refusals:
        return await self._writer.run(lambda db: agents.refuse(db, agent, reason, text, now), sync=True)

    async def outcome(self, input_id: InputId) -> TurnEnded | None:
        return self._query(lambda db: turn.outcome(db, input_id))

    async def deliver(
        self,
        deliveries: Sequence[NewDelivery],
        now: float,
        *,
        said: Sequence[Said] = (),
        kept: KeptAnswer | None = None,
    ) -> bytes | None:
        return await self._writer.run(lambda db: sending.deliver(db, deliveries, now, said, kept), sync=True)

    async def next_delivery(self, connection: Account, chat: str, now: float) -> NextDelivery:
        return await self._writer.run(lambda db: sending.next_delivery(db, connection, chat, now), sync=True)

    async def settle(self, delivery: Delivery, settlement: Settlement) -> bool:
        return await self._writer.run(lambda db: sending.settle(db, delivery, settlement), sync=False)

    async def retry(self, delivery_id: DeliveryId, now: float) -> Delivery | None:
        return await self._writer.run(lambda db: sending.retry(db, delivery_id, now), sync=True)

    async def order(self, order: Order) -> Ordered:
        return await self._writer.run(lambda db: ordering.order(db, order), sync=True)

    async def view(self, address: LaneAddress) -> LaneView | None:
        return self._query(lambda db: ordering.view(db, address))

    async def entitle(self, session: SessionId, title: str | None) -> bool:
        return await self._writer.run(lambda db: sessions.entitle(db, session, title), sync=True)

    async def fork(self, fork: Fork) -> bool:
        return await self._writer.run(lambda db: sessions.fork(db, fork), sync=True)

    async def erase(self, session: SessionId, reason: str, now: float) -> Erased | None:
        return await self._writer.run(lambda db: sessions.erase(db, session, reason, now), sync=True)

    async def spent(self, session: SessionId) -> Usage:
        return self._query(lambda db: ordering.spent(db, session))

    async def revise(self, revision: Revision) -> bool:
        return await self._writer.run(lambda db: people.revise(db, revision), sync=True)

    async def knock(self, stranger: Stranger) -> bool:
        return await self._writer.run(lambda db: people.knock(db, stranger), sync=True)

    async def people(self, now: float) -> Sequence[Person]:
        return self._query(lambda db: people.people(db, now))

    async def admit(self, code: str, now: float) -> Person | None:
        return await self._writer.run(lambda db: people.admit(db, code, now), sync=True)

    async def expel(self, connection: Account, user: str) -> bool:
        return await self._writer.run(lambda db: people.expel(db, connection, user), sync=True)

    async def owes(self, connection: Account) -> bool:
        return self._query(lambda db: recovery.owes(db, connection))

    async def stop_agent(self, agent: AgentId, now: float) -> None:
        await self._writer.run(lambda db: agents.stop(db, agent, now), sync=True)

    async def start_agent(self, agent: AgentId) -> None:
        await self._writer.run(lambda db: agents.start(db, agent), sync=True)

    async def stopped(self) -> frozenset[AgentId]:
        return self._query(agents.stopped)

    async def recover(self, repeatable: frozenset[str], now: float) -> Unfinished:
        return await self._writer.run(lambda db: recovery.recover(db, repeatable, now), sync=True)

    async def unfinished(self, now: float) -> Unfinished:
        return self._query(lambda db: recovery.unfinished(db, now))

    async def prune(self, dedupe_before: float, step_before: float, now: float) -> int:
        return await self._writer.run(lambda db: recovery.prune(db, dedupe_before, step_before, now), sync=False)

    async def close(self) -> None:
        await self._writer.close()
        self.mailbox.close()
        self._read.close()

    def _query(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """A quick look-up by index, on the event loop: a hop to a thread would cost more than the look-up."""
        try:
            return question(self._read)
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error
