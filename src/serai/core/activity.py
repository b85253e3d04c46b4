"""What happens in a gateway, for people who watch it (SPEC 11.6). Volatile: truth is in the store.

`owner` is the API key that something belongs to, empty for what came from a chat. That of a job is its run's, too.
"""

from dataclasses import dataclass

from serai.core.delivery import DeliveryState
from serai.core.ids import AgentId, DeliveryId, InputId, JobId, SessionId
from serai.core.turn import TurnEnd


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """A turn began, or goes on after an interruption: then `attempt` is above 1. `run` is its first input, `job` the
    one that it runs."""

    agent: AgentId
    owner: str
    platform: str
    session: SessionId
    run: InputId
    attempt: int
    job: JobId | None = None


@dataclass(frozen=True, slots=True)
class TurnOver:
    """A turn ended after `seconds`. `error` says why it has no answer."""

    agent: AgentId
    owner: str
    platform: str
    session: SessionId
    run: InputId
    state: TurnEnd
    seconds: float
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    error: str | None = None
    job: JobId | None = None


@dataclass(frozen=True, slots=True)
class JobMissed:
    """A job did not run at its slots from `first` to `last`, in seconds since the epoch, for the `reason`."""

    agent: AgentId
    owner: str
    job: JobId
    name: str
    first: float
    last: float
    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt to deliver something ended: `new` will be tried again."""

    agent: AgentId
    delivery: DeliveryId
    platform: str
    account: str
    chat: str
    state: DeliveryState
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """Another configuration is in force."""

    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """A changed configuration was refused."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Switched:
    """Somebody stopped an agent, or let it answer again."""

    agent: AgentId
    stopped: bool


Happening = TurnBegan | TurnOver | JobMissed | Settled | Configured | Misconfigured | Switched
