"""One turn, from its claim to its committed end (SPEC 5.3, 5.4)."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import structlog

from serai.agent.client_tool import offered, settle_calls, unusable_tools
from serai.agent.loop import AgentLoop, Join, OnTool, Progress, Task
from serai.agent.prompt import PromptSource
from serai.core.activity import TurnBegan, TurnOver
from serai.core.call_id import own_ids
from serai.core.delivery import NewDelivery, Target
from serai.core.error import Fenced, ModelError, NoModel, StorageFailed, UnknownAgent
from serai.core.event import TextDelta, ToolEnded, ToolStarted, TurnEnded, TurnFault, run_topic
from serai.core.ids import DeliveryId
from serai.core.message import Answer, Message, ToolCall, is_silence
from serai.core.profile import AgentProfile
from serai.core.snapshot import Snapshot
from serai.core.turn import DEATHS_MOST, Claim, Input, SessionSettings, together
from serai.gateway.activity import Activity
from serai.gateway.history import History, Remembered
from serai.gateway.hooks import AgentHooks
from serai.gateway.meter import Meter
from serai.gateway.persist import until_stored
from serai.gateway.state import State
from serai.ports.binding import use_profile
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine
from serai.ports.model import OnDelta
from serai.ports.store import Finish, Store
from serai.ports.tool import Tool, Toolbox

_log = structlog.get_logger("turn")

_NO_TOOLS: Final[Mapping[str, Tool]] = MappingProxyType({})
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
    hooks: AgentHooks
    activity: Activity = field(default_factory=Activity)


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
        at_first = [one for one in claim.inputs if one.joined is None]
        progress = Progress([own_ids(one) for one in together(at_first)])
        inputs = list(claim.inputs)
        past = _past(claim, remembered)
        began = shop.clock.now()
        shop.activity.tell(_began(claim))
        try:
            ended, told = await self._end(claim, past, progress, inputs)
            more = await _surely(self._finish(claim, past, progress, ended, inputs, told=told))
        except Fenced:
            shop.meter.fenced += 1
            _log.warning("a replaced worker dropped its turn", **_names(claim))
            return False
        self._count(claim, ended, shop.clock.now() - began)
        return more

    async def _end(
        self, claim: Claim, past: Sequence[Message], progress: Progress, inputs: list[Input]
    ) -> tuple[TurnEnded, bool]:
        """How the turn ended, also when somebody stopped it, and whether its people are told."""
        try:
            return await self._run(claim, past, progress, inputs), True
        except asyncio.CancelledError as cancelled:
            if not cancelled.args:
                await asyncio.shield(self._give_back(claim))
                raise
            stopped = cancelled.args[0]
            return TurnEnded("cancelled", fault=TurnFault(stopped.reason, 503, "run_cancelled")), stopped.told

    async def _run(self, claim: Claim, past: Sequence[Message], progress: Progress, inputs: list[Input]) -> TurnEnded:
        """How the turn ended. This is the turn's supervisor: whatever goes wrong in it ends this turn alone."""
        with self._shop.state.held() as snapshot:
            return await self._run_on(snapshot, claim, past, progress, inputs)

    async def _run_on(
        self, snapshot: Snapshot, claim: Claim, past: Sequence[Message], progress: Progress, inputs: list[Input]
    ) -> TurnEnded:
        refusal = snapshot.refusal(claim.agent)
        if refusal is not None or claim.attempt > DEATHS_MOST:  # no model is asked; the history keeps what was said
            progress.new.extend(together([one for one in claim.inputs if one.joined is not None], apart=True))
        if refusal is not None:
            return refused(refusal)
        if claim.attempt > DEATHS_MOST:
            return _failed(f"this turn was interrupted {DEATHS_MOST} times and was given up", 500, "turn_died")
        profile = snapshot.agents[claim.agent]
        if (objection := self._objection(claim, past, progress, profile)) is not None:
            return objection
        try:
            with use_profile(profile):
                await self._shop.hooks.turn_begins(claim)
                answer = await self._shop.loop.run(self._task(claim, past, progress, profile, inputs), progress)
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

    def _objection(
        self, claim: Claim, past: Sequence[Message], progress: Progress, profile: AgentProfile
    ) -> TurnEnded | None:
        """Why what a client brought does not fit: its tools the agent, or its results what it was asked."""
        body = claim.inputs[0].body
        if unusable := unusable_tools(profile, self._shop.toolbox.tools(profile), body.client):
            return _failed(unusable, 400, "invalid_tools")
        if unasked := settle_calls(past or [own_ids(one) for one in body.history], progress.new):
            progress.new.clear()
            text = f"no tool call of this conversation waits for the result of `{unasked}`"
            return _failed(text, 400, "no_tool_call")
        return None

    def _task(
        self,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        profile: AgentProfile,
        inputs: list[Input],
    ) -> Task:
        body = claim.inputs[0].body
        profile, options = _chosen(profile, body.options, claim.settings)
        system = f"{claim.prompt}\n\n{body.system}" if body.system else claim.prompt
        context = (Message("system", system), *map(own_ids, body.history), *past)
        client = body.client
        return Task(
            profile=profile,
            session=claim.session,
            turn=claim.fence.turn,
            context=context,
            new=progress.new,
            tools=_NO_TOOLS if client is not None and client.forced else self._shop.toolbox.tools(profile),
            client_tools=offered(client) if client is not None else (),
            options=options,
            record=lambda steps, sync: self._shop.store.record(claim.fence, steps, sync=sync),
            steps=claim.steps,
            join=self._joiner(claim, inputs) if self._steers(inputs) else None,
            on_delta=self._teller(inputs, progress) if body.stream else None,
            on_tool=self._tool_teller(inputs) if body.stream else None,
        )

    def _steers(self, inputs: Sequence[Input]) -> bool:
        """Whether messages may join: in chats, in the mode for that (SPEC 6.2)."""
        return inputs[0].reply_to is not None and self._shop.state.snapshot.live.busy_mode == "steer"

    def _joiner(self, claim: Claim, inputs: list[Input]) -> Join:
        async def join(step: int) -> Sequence[Message]:
            joined = await self._shop.store.join(claim.fence, step)
            inputs.extend(joined)
            return together(joined, apart=True)

        return join

    def _teller(self, inputs: Sequence[Input], progress: Progress) -> OnDelta:
        """Tells all who wait for the turn, also those whose message joined it."""
        publish = self._shop.engine.publish

        def tell(text: str) -> None:
            for one in inputs:
                publish(run_topic(one.id), TextDelta(text, progress.step + 1))

        return tell

    def _tool_teller(self, inputs: Sequence[Input]) -> OnTool:
        def tell(n: int, call: ToolCall, ok: bool | None) -> None:
            event = ToolStarted(call.id, call.name, n) if ok is None else ToolEnded(call.id, call.name, ok, n)
            for one in inputs:
                self._shop.engine.publish(run_topic(one.id), event)

        return tell

    async def _finish(
        self,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        ended: TurnEnded,
        inputs: Sequence[Input],
        *,
        told: bool,
    ) -> bool:
        """Commits the end, with its answer where people are `told`; then tells everybody who waits. Raises Fenced."""
        shop = self._shop
        messages = progress.complete_messages()
        deliveries = self._deliveries(claim, ended, inputs) if told else []
        finish = Finish(ended, messages, deliveries, progress.unwritten)
        more = await until_stored(
            lambda: shop.store.finish(claim.fence, finish, shop.clock.now()), "an answer", **_names(claim)
        )
        if past:  # a first turn is mostly the only one; from the second on, it is worth remembering
            shop.history.put(claim.address, Remembered(claim.lane, claim.session, (*past, *messages)))
        for one in inputs:
            shop.engine.publish(run_topic(one.id), ended)
        for delivery in deliveries:
            shop.engine.wake(chat_key(delivery.target))
        await shop.hooks.turn_ended(claim, ended.state)
        return more

    async def _give_back(self, claim: Claim) -> None:
        try:
            await self._shop.store.release(claim.fence, self._shop.clock.now())
        except (Fenced, StorageFailed) as error:
            _log.warning("a turn could not be given back", error=str(error), **_names(claim))

    def _deliveries(self, claim: Claim, ended: TurnEnded, inputs: Sequence[Input]) -> list[NewDelivery]:
        """The answer, or the sentence about the failure, in pieces that the platform takes."""
        target = _reply_target(inputs)
        if target is None:
            return []
        text = spoken(ended)
        if not text.strip() or is_silence(text):
            return []
        if ended.fault is not None and ended.fault.code == UnknownAgent.code:
            target = replace(target, agent_id=None)  # nobody may speak for that agent: the gateway does
        elif self._shop.state.snapshot.live.agent_prefix:
            text = f"[{claim.agent}] {text}"
        return [
            NewDelivery(DeliveryId(f"dlv_{self._shop.entropy.token()}"), target, piece)
            for piece in self._shop.split(target, text)
        ]

    def _count(self, claim: Claim, ended: TurnEnded, seconds: float) -> None:
        meter = self._shop.meter
        meter.turns[claim.agent, ended.state] += 1
        meter.turn_seconds[claim.agent] += seconds
        self._shop.activity.tell(_over(claim, ended, seconds))
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


def _reply_target(inputs: Sequence[Input]) -> Target | None:
    """Where the answer goes: to the place of the last message, in reply to all of them."""
    last = inputs[-1].reply_to
    if last is None or len(inputs) == 1:
        return last
    answered = [name for one in inputs if one.reply_to for name in one.reply_to.reply_to]
    return replace(last, reply_to=tuple(answered))


def _chosen(
    profile: AgentProfile, options: Mapping[str, Any], settings: SessionSettings
) -> tuple[AgentProfile, Mapping[str, Any]]:
    """The agent and its options with what people set for the session (SPEC 6.4, 7.1)."""
    if settings.model is not None:
        first, *rest = profile.models
        profile = replace(profile, models=(replace(first, name=settings.model), *rest))
    if settings.reasoning is not None:
        options = {**options, "reasoning_effort": settings.reasoning}
    return profile, options


def spoken(ended: TurnEnded) -> str:
    """What a chat is told at the end of a turn."""
    if ended.answer is not None:
        return ended.answer.text
    return f"Sorry, I could not answer: {ended.fault.text}." if ended.fault else ""


def refused(reason: str) -> TurnEnded:
    """The end of what no agent may answer (SPEC 16.6)."""
    return _failed(reason, 403, "agent_refused")


def _failed(text: str, status: int, code: str) -> TurnEnded:
    return TurnEnded("failed", fault=TurnFault(text, status, code))


def _began(claim: Claim) -> TurnBegan:
    first, platform = claim.inputs[0], claim.address.platform
    return TurnBegan(claim.agent, _owner(claim), platform, claim.session, first.id, claim.attempt)


def _over(claim: Claim, ended: TurnEnded, seconds: float) -> TurnOver:
    answer = ended.answer or Answer("")
    return TurnOver(
        claim.agent,
        _owner(claim),
        claim.address.platform,
        claim.session,
        claim.inputs[0].id,
        ended.state,
        round(seconds, 3),
        answer.model,
        answer.usage.input_tokens,
        answer.usage.output_tokens,
        ended.fault.text if ended.fault else None,
    )


def _owner(claim: Claim) -> str:
    """The API key that the turn belongs to; nobody's where it is a chat's."""
    first = claim.inputs[0]
    return first.sender if first.reply_to is None else ""


def _names(claim: Claim) -> dict[str, object]:
    return {
        "agent": claim.agent,
        "session": claim.session,
        "turn": claim.fence.turn,
        "run": claim.inputs[0].id,
        "attempt": claim.attempt,
    }
