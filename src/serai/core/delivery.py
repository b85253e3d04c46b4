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
class Button:
    """A choice under a message. `value` comes back when it is pressed: at most 60 visible ASCII characters."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file to be sent: an absolute path inside the agent's home, the name that people see, its type, and its size
    in bytes."""

    path: str
    name: str
    media_type: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outgoing message. `id` is also the key under which an idempotent platform may see it twice.

    `attempt` counts from 1 while sending. Times are seconds since the epoch. In state `open` the text is what there
    is of an answer that still grows (SPEC 5.7); `remote_id` is the platform's id of the message once it has one.
    `call` is the number of the turn's model call (from 0) while which it was first told; None for what was not.
    The text is blank only where there is an `enclosure`; else it is what stands above that.
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
    buttons: tuple[Button, ...] = ()
    enclosure: Enclosure | None = None
    call: int | None = None

    @property
    def grows(self) -> bool:
        """Whether more of the text is to come."""
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be written by the transaction that finishes a turn."""

    id: DeliveryId
    target: Target
    text: str
    buttons: tuple[Button, ...] = ()
    enclosure: Enclosure | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """The final text of a delivery that was told while its turn ran."""

    id: DeliveryId
    text: str
