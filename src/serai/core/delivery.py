"""What is sent where (SPEC 5.5, 9.5, 10)."""

from dataclasses import dataclass
from typing import Literal

from serai.core.ids import DEFAULT_ACCOUNT, Account, AgentId, DeliveryId

DeliveryState = Literal["open", "new", "sending", "sent", "unknown", "dead"]


@dataclass(frozen=True, slots=True)
class Target:
    """A resolved place to send to. `reply_to` lists the message ids that are answered."""

    platform: str
    chat_id: str
    account: str = DEFAULT_ACCOUNT
    thread_id: str | None = None
    agent_id: AgentId | None = None
    reply_to: tuple[str, ...] = ()
    chat_type: str = "dm"
    user_id: str | None = None

    @property
    def connection(self) -> Account:
        return Account(self.platform, self.account)

    @property
    def place(self) -> str:
        """Where people would see it: what is said in one place may be answered together."""
        return "\n".join((self.platform, self.account, self.chat_id, self.thread_id or ""))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outgoing message. `id` is also the key under which an idempotent platform may see it twice.

    `attempt` counts from 1 while sending. Times are seconds since the epoch.
    """

    id: DeliveryId
    target: Target
    agent: AgentId
    text: str
    attempt: int = 0
    created_at: float = 0.0
    due_at: float = 0.0
    state: DeliveryState = "new"
    remote_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be written by the transaction that finishes a turn."""

    id: DeliveryId
    target: Target
    text: str
