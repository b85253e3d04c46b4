"""People answer whether a tool may run: by a button, a command, or over the API (SPEC 6.5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from serai.core.approval import WORDS, Approval, ApprovalChoice, ApprovalState
from serai.core.delivery import Target
from serai.core.error import SeraiError, Unauthorised
from serai.core.event import ApprovalAnswered, run_topic
from serai.core.ids import ApprovalId, InputId
from serai.core.message import Inbound, Press
from serai.gateway.delivery.outbox import Outbox
from serai.gateway.hooks import AgentHooks
from serai.gateway.key import chat_key, lane_key
from serai.gateway.manners import may_answer
from serai.gateway.state import State
from serai.ports.clock import Clock
from serai.ports.engine import Engine
from serai.ports.store import Store
from serai.ports.store.approval import Verdict


class NotOpen(SeraiError):
    """There is no such approval, or it is not open any more; the text says which."""


@dataclass(frozen=True, slots=True)
class Found:
    """An approval that somebody may answer in this way."""

    approval: Approval
    verdict: Verdict


class Approvals:
    """Who may answer what, and what follows from an answer."""

    def __init__(
        self, state: State, store: Store, engine: Engine, clock: Clock, hooks: AgentHooks, outbox: Outbox
    ) -> None:
        self._state = state
        self._store = store
        self._engine = engine
        self._clock = clock
        self._hooks = hooks
        self._connections = outbox.platform

    async def waiting(self, run: InputId) -> Sequence[Approval]:
        """What a run waits for."""
        return await self._store.approvals(run=run)

    async def here(self, said: Inbound | Press) -> Sequence[Approval]:
        """What was asked in a chat and may be answered by this person."""
        source = said.source
        found = await self._store.approvals(chat=(source.connection, source.chat_id or source.user or ""))
        return [one for one in found if may_answer(self._state.snapshot, said, one, "deny") and self._in_time(one)]

    async def find(self, name: ApprovalId, choice: ApprovalChoice, said: Inbound | Press) -> Found:
        """An approval, for a person to answer. Raises NotOpen; Unauthorised where this person may not."""
        approval = await self._store.approval(name)
        if approval is None:
            raise NotOpen(f"there is no question `{name}`")
        self._check(approval)
        if not may_answer(self._state.snapshot, said, approval, choice):
            raise Unauthorised(
                "only an admin, or somebody who may choose the agent, can always allow it"
                if choice == "always" and may_answer(self._state.snapshot, said, approval, "once")
                else "only who asked, an admin, or somebody who may choose the agent can answer this"
            )
        by = f"{said.source.platform}:{said.source.user or ''}"
        return Found(approval, self._verdict(approval, choice, by))

    async def answer(self, name: ApprovalId, choice: ApprovalChoice, by: str) -> Approval:
        """Answers for somebody who may; returns what was answered. Raises NotOpen, StorageFailed.

        `by` is shown to plugins: the name of an API key, or `platform:id`.
        """
        approval = await self._store.approval(name)
        if approval is None:
            raise NotOpen(f"there is no question `{name}`")
        self._check(approval)
        await self.decide(Found(approval, self._verdict(approval, choice, by)))
        return approval

    async def decide(self, found: Found) -> None:
        """Stores an answer. Raises NotOpen where another one was faster."""
        if not await self._store.decide(found.verdict):
            raise NotOpen("it was answered already")
        await self.decided(found)

    async def expire(self, approval: Approval) -> None:
        """Nobody has answered in time."""
        found = Found(approval, self._verdict(approval, "expired", ""))
        if await self._store.decide(found.verdict):
            await self.decided(found)

    async def decided(self, found: Found) -> None:
        """What follows from an answer that is stored: the turn goes on, and whoever listens is told."""
        approval, verdict = found.approval, found.verdict
        event = ApprovalAnswered(approval.id, verdict.choice, verdict.by, approval.step)
        self._engine.publish(run_topic(approval.run), event)
        if approval.chat:
            self._engine.wake(chat_key(Target(approval.connection.platform, approval.chat, approval.connection.name)))
        await self._hooks.approval_answered(approval, verdict.choice, verdict.by or None)
        self._engine.wake(lane_key(approval.agent, approval.lane))

    def _check(self, approval: Approval) -> None:
        if approval.state != "open":
            raise NotOpen(f"this was answered already: {WORDS[approval.state]}")
        if not self._in_time(approval):
            raise NotOpen("it is too late to answer this")
        if not approval.waits:
            raise NotOpen("this is not needed any more")

    def _in_time(self, approval: Approval) -> bool:
        return approval.expires_at > self._clock.now()

    def _verdict(self, approval: Approval, choice: ApprovalState, by: str) -> Verdict:
        platform = self._connections(approval.connection) if approval.chat else None
        edits = platform is not None and platform.capabilities.growth is not None
        outcome = f"May I {approval.question}?\n\n{WORDS[choice].capitalize()}." if edits else None
        return Verdict(approval.id, choice, by, self._clock.now(), outcome)


def sentence(text: str) -> str:
    """A sentence of its own.

    >>> sentence("it is too late to answer this")
    'It is too late to answer this.'
    """
    return f"{text[:1].upper()}{text[1:]}."
