"""What the API needs of the rest, handed in by the composition root."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from serai.core.change import Change
from serai.core.decision import Explanation
from serai.core.delivery import Delivery
from serai.core.event import RunEvent, TurnEnded
from serai.core.ids import AgentId, DeliveryId, InputId, SessionId
from serai.core.job import Job, JobProblem
from serai.core.lane import LaneAddress
from serai.core.principal import Principal
from serai.core.redact import Redactor
from serai.core.snapshot import Snapshot
from serai.core.source import Source
from serai.gateway.activity import Activity
from serai.gateway.request.run import Ask
from serai.gateway.request.sending import Dispatched
from serai.gateway.schedule.jobs import Jobs
from serai.ports.clock import Clock, Entropy
from serai.ports.conversation import ConversationRow, Conversations
from serai.ports.platform import HttpEndpoint
from serai.ports.record import RecordKind, RecordRow
from serai.ports.secrets import Secrets
from serai.ports.store.archive import Archive
from serai.ports.store.arrival import Exchange, Idempotency

CheckJob = Callable[[AgentId, Mapping[str, Any], Job | None], Awaitable[Sequence[JobProblem]]]
"""What is wrong with the fields of a new job, or with those that change one: as `JobCheck.check`."""

Choice = Literal["once", "session", "always", "deny"]
"""How an approval may be answered (SPEC 6.5)."""


class Run(Protocol):
    """An accepted question. `created_at` is in seconds since the epoch; `replayed`: it had been asked before."""

    @property
    def id(self) -> InputId: ...

    @property
    def agent(self) -> AgentId: ...

    @property
    def session(self) -> SessionId: ...

    @property
    def created_at(self) -> float: ...

    @property
    def replayed(self) -> bool: ...

    def events(self) -> AsyncIterator[RunEvent]:
        """What happens, in order; the last event is a TurnEnded."""
        ...

    async def batch(self, patience: float) -> list[RunEvent]:
        """What has happened since the last call, waiting for at least one event; nothing after `patience` seconds of
        silence. The last event is a TurnEnded."""
        ...

    async def ended(self) -> TurnEnded:
        """Waits for the end."""
        ...

    def abandon(self) -> None:
        """The asker is gone: cancels the turn, unless the question had an Idempotency-Key (SPEC 11.3)."""
        ...

    def close(self) -> None:
        """Nobody listens any more."""
        ...


class Runs(Protocol):
    """Takes questions."""

    async def start(self, ask: Ask) -> Run:
        """Accepts a question durably. Raises UnknownAgent, Unauthorised, Busy, StorageFailed, NoModel, SessionTaken
        or IdempotencyConflict; then nothing was accepted."""
        ...


class Sessions(Protocol):
    """Changes stored sessions. Raises StorageFailed."""

    async def entitle(self, session: SessionId, title: str | None) -> bool:
        """Names a session, or takes its name away. False where there is none."""
        ...

    async def fork(
        self, session: SessionId, agent: AgentId, owner: str, wanted: SessionId | None, title: str | None
    ) -> SessionId | None:
        """Copies a session of `agent` into a new one of `owner`. None where there is none. Raises SessionTaken."""
        ...

    async def erase(self, session: SessionId) -> bool:
        """Deletes a session, and cancels what is under way in it. False where there is none."""
        ...


class Trail(Protocol):
    """What a run has done so far, and does."""

    def follow(self) -> AsyncIterator[RunEvent]:
        """All of it from the beginning, text as it grows; the last event is TurnEnded."""
        ...


class Lasting(Protocol):
    """What is behind the ids of runs and responses."""

    async def start(self, ask: Ask) -> Run:
        """Accepts a background call. Raises as `Runs.start`."""
        ...

    async def find(self, name: InputId, kind: RecordKind, principal: Principal) -> RecordRow | None:
        """A record that this key may see."""
        ...

    async def trail(self, row: RecordRow) -> Trail: ...

    async def stop(self, row: RecordRow) -> None:
        """Stops it, also where the process dies before that is done."""
        ...

    async def drop(self, row: RecordRow) -> None:
        """Forgets it; what has not ended is stopped."""
        ...

    async def forget(self, name: InputId) -> None:
        """Forgets a fleeting one that has ended; what has not is forgotten later."""
        ...

    async def said(self, name: InputId, owner: str, agent: AgentId) -> Exchange | None:
        """What was asked and answered."""
        ...

    async def place(self, row: RecordRow) -> LaneAddress | None:
        """Where what follows it will probably be said."""
        ...

    def forget_history(self, row: ConversationRow) -> None:
        """Something was taken out of what was said in a conversation."""
        ...

    @property
    def hides_drafts(self) -> bool:
        """Whether the final answer alone may be shown."""
        ...


@dataclass(frozen=True, slots=True)
class Approval:
    """A tool call that waits for somebody's leave (SPEC 6.5). `arguments` is JSON text."""

    id: str
    tool: str
    arguments: str


class Approvals(Protocol):
    """What runs wait for."""

    async def open(self, run: InputId) -> Approval | None:
        """What the run waits for now."""
        ...

    async def answer(self, approval: str, choice: Choice, by: str) -> bool:
        """Gives the answer; False where it does not wait any more."""
        ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a first turn would be fast, and the JSON document that says why (SPEC 11.6)."""

    ok: bool
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the API.

    `archive` is for reading what is stored; `retry` sends a delivery again, `send` a text to the places that
    values mean. `endpoint` finds the platform that receives at `POST /<platform>/<account>`, None where there is
    none; `metrics` makes what gives the Prometheus text; `reload` reads the configuration anew and raises
    BadConfiguration; `local_token` makes its bearer the local admin.
    """

    snapshot: Callable[[], Snapshot]
    secrets: Callable[[], Secrets]
    redactor: Callable[[], Redactor]
    runs: Runs
    archive: Archive
    sessions: Sessions
    retry: Callable[[DeliveryId], Awaitable[Delivery | None]]
    send: Callable[[Sequence[str], str, AgentId | None, Idempotency | None], Awaitable[Sequence[Dispatched]]]
    jobs: Jobs
    check_job: CheckJob
    activity: Activity
    lasting: Lasting
    approvals: Approvals
    conversations: Conversations
    explain: Callable[[Source], Awaitable[Explanation]]
    endpoint: Callable[[str, str], HttpEndpoint | None]
    ready: Callable[[], Awaitable[Readiness]]
    metrics: Callable[[], Callable[[], bytes]]
    reload: Callable[[], Awaitable[Change]]
    stop_agent: Callable[[AgentId], Awaitable[None]]
    start_agent: Callable[[AgentId], Awaitable[None]]
    local_token: str
    clock: Clock
    entropy: Entropy
