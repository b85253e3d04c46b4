"""One turn, from its claim to its committed end (SPEC 5.3, 5.4)."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from serai.agent.loop import AgentLoop, Progress, Task
from serai.agent.prompt import PromptSource
from serai.core.delivery import NewDelivery, Target
from serai.core.error import Fenced, ModelError, NoModel, StorageFailed
from serai.core.event import TextDelta, ToolEnded, ToolStarted, TurnEnded, TurnFault, run_topic
from serai.core.ids import DeliveryId
from serai.core.message import Answer, Message, ToolCall, is_silence
from serai.core.profile import AgentProfile
from serai.core.turn import DEATHS_MOST, Claim
from serai.gateway.history import History, Remembered
from serai.gateway.meter import Meter
from serai.gateway.persist import until_stored
from serai.gateway.state import State
from serai.ports.binding import use_profile
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine
from serai.ports.model import OnDelta
from serai.ports.store import Finish, Store
from serai.ports.tool import Toolbox

_log = structlog.get_logger("turn")

_INTERNAL: Final = TurnFault("something went wrong inside the gateway; its log says what")

Split = Callable[[Target, str], Sequence[str]]
"""Cuts a text into pieces that the target's platform takes."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that turns share."""

    state: State
    store: Store
    engine: Engine
    loop: AgentLoop
    prompts: PromptSource
    toolbox: Toolbox
    history: History
    meter: Meter
    clock: Clock
    entropy: Entropy
    split: Split


class TurnRunner:
    """Runs claimed turns. A turn ends exactly once, here; what cannot be ended is left to be resumed."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    async def run(self, claim: Claim, remembered: Remembered | None = None) -> bool:
        """Runs a turn to its end. Returns whether its lane has more to do. `remembered` is what the claim built on.

        When cancelled: a turn that somebody stopped (`asyncio.Task.cancel(msg=...)`) ends as cancelled; at shutdown
        (no message) it is given back, to be resumed by the next process.
        """
        shop = self._shop
        progress = Progress([one.body.message for one in claim.inputs])
        past = _past(claim, remembered)
        began = shop.clock.now()
        try:
            ended = await self._end(claim, past, progress)
            more = await _surely(self._finish(claim, past, progress, ended))
        except Fenced:
            shop.meter.fenced += 1
            _log.warning("a replaced worker dropped its turn", **_names(claim))
            return False
        self._count(claim, ended, shop.clock.now() - began)
        return more

    async def _end(self, claim: Claim, past: Sequence[Message], progress: Progress) -> TurnEnded:
        """How the turn ended, also when somebody stopped it."""
        try:
            return await self._run(claim, past, progress)
        except asyncio.CancelledError as cancelled:
            if not cancelled.args:
                await asyncio.shield(self._give_back(claim))
                raise
            return TurnEnded("cancelled", fault=TurnFault(str(cancelled.args[0]), 503, "run_cancelled"))

    async def _run(self, claim: Claim, past: Sequence[Message], progress: Progress) -> TurnEnded:
        """How the turn ended. This is the turn's supervisor: whatever goes wrong in it ends this turn alone."""
        snapshot = self._shop.state.snapshot
        refusal = snapshot.refusal(claim.agent)
        if refusal is not None:
            return _failed(refusal, 403, "agent_refused")
        if claim.attempt > DEATHS_MOST:
            return _failed(f"this turn was interrupted {DEATHS_MOST} times and was given up", 500, "turn_died")
        profile = snapshot.agents[claim.agent]
        try:
            with use_profile(profile):
                answer = await self._shop.loop.run(self._task(claim, past, progress, profile), progress)
        except ModelError as error:
            return TurnEnded("failed", fault=TurnFault(str(error), error.status, error.code, error.retry_after))
        except NoModel as error:
            return _failed(str(error), 503, "no_model")
        except StorageFailed as error:
            return _failed(str(error), 503, "storage_failed")
        except Fenced:
            raise
        except Exception:  # noqa: BLE001  the turn's supervisor: a fault ends this turn alone, and is logged
            _log.exception("the turn failed", **_names(claim))
            return TurnEnded("failed", fault=_INTERNAL)
        return TurnEnded("done", answer=answer)

    def _task(self, claim: Claim, past: Sequence[Message], progress: Progress, profile: AgentProfile) -> Task:
        body = claim.inputs[0].body
        system = f"{claim.prompt}\n\n{body.system}" if body.system else claim.prompt
        context = (Message("system", system), *body.history, *past)
        return Task(
            profile=profile,
            session=claim.session,
            turn=claim.fence.turn,
            context=context,
            new=progress.new,
            tools=self._shop.toolbox.tools(profile),
            options=body.options,
            record=lambda steps, sync: self._shop.store.record(claim.fence, steps, sync=sync),
            steps=claim.steps,
            on_delta=self._teller(claim) if body.stream else None,
            on_tool=self._tool_teller(claim) if body.stream else None,
        )

    def _teller(self, claim: Claim) -> OnDelta:
        publish = self._shop.engine.publish
        topics = [run_topic(one.id) for one in claim.inputs]

        def tell(text: str) -> None:
            for topic in topics:
                publish(topic, TextDelta(text))

        return tell

    def _tool_teller(self, claim: Claim) -> Callable[[ToolCall, bool | None], None]:
        def tell(call: ToolCall, ok: bool | None) -> None:
            event = ToolStarted(call.id, call.name) if ok is None else ToolEnded(call.id, call.name, ok)
            for one in claim.inputs:
                self._shop.engine.publish(run_topic(one.id), event)

        return tell

    async def _finish(self, claim: Claim, past: Sequence[Message], progress: Progress, ended: TurnEnded) -> bool:
        """Commits the end, then tells everybody who waits for it. Raises Fenced."""
        shop = self._shop
        messages = progress.complete_messages()
        deliveries = self._deliveries(claim, ended)
        finish = Finish(ended, messages, deliveries, progress.unwritten)
        more = await until_stored(
            lambda: shop.store.finish(claim.fence, finish, shop.clock.now()), "an answer", **_names(claim)
        )
        if past:  # a first turn is mostly the only one; from the second on, it is worth remembering
            shop.history.put(claim.address, Remembered(claim.lane, claim.session, (*past, *messages)))
        for one in claim.inputs:
            shop.engine.publish(run_topic(one.id), ended)
        for delivery in deliveries:
            shop.engine.wake(chat_key(delivery.target))
        return more

    async def _give_back(self, claim: Claim) -> None:
        try:
            await self._shop.store.release(claim.fence, self._shop.clock.now())
        except (Fenced, StorageFailed) as error:
            _log.warning("a turn could not be given back", error=str(error), **_names(claim))

    def _deliveries(self, claim: Claim, ended: TurnEnded) -> list[NewDelivery]:
        """The answer, or the sentence about the failure, in pieces that the platform takes."""
        target = claim.inputs[-1].reply_to
        if target is None:
            return []
        text = _spoken(ended)
        if not text.strip() or is_silence(text):
            return []
        return [
            NewDelivery(DeliveryId(f"dlv_{self._shop.entropy.token()}"), target, piece)
            for piece in self._shop.split(target, text)
        ]

    def _count(self, claim: Claim, ended: TurnEnded, seconds: float) -> None:
        meter = self._shop.meter
        meter.turns[claim.agent, ended.state] += 1
        meter.turn_seconds[claim.agent] += seconds
        if isinstance(ended.answer, Answer):
            meter.tokens[claim.agent, "in"] += ended.answer.usage.input_tokens
            meter.tokens[claim.agent, "out"] += ended.answer.usage.output_tokens
        elif ended.fault is not None:
            _log.warning(f"turn {ended.state}", reason=ended.fault.text, seconds=round(seconds, 3), **_names(claim))


async def _surely(work: Coroutine[Any, Any, bool]) -> bool:
    """Waits for `work` although somebody wants to stop the turn: it is too late for that. A shutdown goes first."""
    task = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError as cancelled:
            if not cancelled.args or task.cancelled():
                raise


def chat_key(target: Target) -> str:
    """The engine's key for what is sent to a chat."""
    return f"out:{target.platform}:{target.account}:{target.chat_id}"


def _past(claim: Claim, remembered: Remembered | None) -> Sequence[Message]:
    """The session's history: the part that was in memory when the claim was made, and what the claim brought."""
    if claim.history_from and remembered is not None:
        return (*remembered.messages[: claim.history_from], *claim.history)
    return claim.history


def _spoken(ended: TurnEnded) -> str:
    if ended.answer is not None:
        return ended.answer.text
    return f"Sorry, I could not answer: {ended.fault.text}." if ended.fault else ""


def _failed(text: str, status: int, code: str) -> TurnEnded:
    return TurnEnded("failed", fault=TurnFault(text, status, code))


def _names(claim: Claim) -> dict[str, object]:
    return {
        "agent": claim.agent,
        "session": claim.session,
        "turn": claim.fence.turn,
        "run": claim.inputs[0].id,
        "attempt": claim.attempt,
    }
