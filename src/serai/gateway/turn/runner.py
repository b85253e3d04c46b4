"""One turn, from its claim to its committed end (SPEC 5.3, 5.4)."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from serai.agent.client_tool import settle_calls, unusable_tools
from serai.agent.loop import Progress
from serai.core.activity import TurnBegan, TurnOver
from serai.core.call_id import own_ids
from serai.core.delivery import Enclosure, Target
from serai.core.error import Fenced, ModelError, NoModel, StorageFailed, Suspended, UnknownAgent
from serai.core.event import TurnEnded, TurnFault, run_topic
from serai.core.ids import JobId
from serai.core.message import Answer, Message
from serai.core.profile import AgentProfile
from serai.core.snapshot import Snapshot
from serai.core.turn import DEATHS_MOST, Claim, Input, together
from serai.gateway.answer.draft import Draft, Ending
from serai.gateway.answer.ending import ending, failed, refused, reply_target
from serai.gateway.key import chat_key
from serai.gateway.persist import until_stored
from serai.gateway.turn import history
from serai.gateway.turn.errand import JobFailed
from serai.gateway.turn.history import Remembered
from serai.gateway.turn.task import Tasks
from serai.gateway.turn.workshop import Workshop
from serai.ports.binding import use_profile
from serai.ports.store.claim import Finish

_log = structlog.get_logger("turn")

_INTERNAL: Final = TurnFault("something went wrong inside the gateway; its log says what")


class TurnRunner:
    """Runs claimed turns. A turn ends exactly once, here; what cannot be ended is left to be resumed."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop
        self._tasks = Tasks(workshop)

    async def run(self, claim: Claim, remembered: Remembered | None = None) -> bool:
        """Runs a turn to its end. Returns whether its lane has more to do. `remembered` is what the claim built on.

        When cancelled: a turn that somebody stopped (`asyncio.Task.cancel(msg=...)`) ends as cancelled; at shutdown
        (no message) it is given back, to be resumed by the next process.
        """
        shop = self._shop
        at_first = [one for one in claim.inputs if one.joined is None]
        progress = Progress([own_ids(one) for one in together(at_first)], shop.state.redactor)
        inputs = list(claim.inputs)
        past = history.past(claim, remembered, progress.redactor)
        began = shop.clock.now()
        shop.activity.tell(_began(claim))
        target = reply_target(inputs)
        draft = self._draft(claim, progress, target) if target is not None else None
        typing = shop.presence.begin(target) if target is not None else None
        try:
            ended, told = await self._end(claim, past, progress, inputs, draft)
            more = await _surely(self._finish(claim, past, progress, ended, inputs, draft, told=told))
        except Suspended:
            return False
        except Fenced:
            shop.meter.fenced += 1
            _log.warning("a replaced worker dropped its turn", **_names(claim))
            if draft is not None:
                await draft.close()
            return False
        finally:
            if typing is not None:
                typing.cancel()
        self._count(claim, ended, shop.clock.now() - began)
        return more

    def _draft(self, claim: Claim, progress: Progress, target: Target) -> Draft | None:
        return self._shop.drafts.begin(claim, target, self._prefix(claim), lambda: progress.model_calls)

    def _prefix(self, claim: Claim) -> str:
        return f"[{claim.agent}] " if self._shop.state.snapshot.live.agent_prefix else ""

    async def _end(
        self,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        inputs: list[Input],
        draft: Draft | None,
    ) -> tuple[TurnEnded, bool]:
        """How the turn ended, also when somebody stopped it, and whether its people are told."""
        if claim.stop is not None:
            return _stopped(claim.stop), False
        try:
            return await self._run(claim, past, progress, inputs, draft), True
        except asyncio.CancelledError as cancelled:
            if not cancelled.args:
                await asyncio.shield(self._give_back(claim, draft))
                raise
            stopped = cancelled.args[0]
            return _stopped(stopped.reason), stopped.told

    async def _run(
        self,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        inputs: list[Input],
        draft: Draft | None,
    ) -> TurnEnded:
        """How the turn ended. This is the turn's supervisor: whatever goes wrong in it ends this turn alone."""
        with self._shop.state.held() as snapshot:
            return await self._run_on(snapshot, claim, past, progress, inputs, draft)

    async def _run_on(
        self,
        snapshot: Snapshot,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        inputs: list[Input],
        draft: Draft | None,
    ) -> TurnEnded:
        refusal = snapshot.refusal(claim.agent)
        if refusal is not None or claim.attempt > DEATHS_MOST:  # no model is asked; the history keeps what was said
            progress.new.extend(together([one for one in claim.inputs if one.joined is not None], apart=True))
        if refusal is not None:
            return refused(refusal)
        if claim.attempt > DEATHS_MOST:
            return failed(f"this turn was interrupted {DEATHS_MOST} times and was given up", 500, "turn_died")
        profile = snapshot.agents[claim.agent]
        if (objection := self._objection(claim, past, progress, profile)) is not None:
            return objection
        try:
            with use_profile(profile):
                return await self._answer(claim, past, progress, profile, inputs, draft)
        except (ModelError, NoModel, JobFailed, StorageFailed) as error:
            return _failure(error)
        except (Fenced, Suspended):
            raise
        except Exception:  # noqa: BLE001  the turn's supervisor: a fault ends this turn alone, and is logged
            _log.exception("the turn failed", **_names(claim))
            return TurnEnded("failed", fault=_INTERNAL)

    async def _answer(
        self,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        profile: AgentProfile,
        inputs: list[Input],
        draft: Draft | None,
    ) -> TurnEnded:
        await self._shop.hooks.turn_begins(claim)
        if (run := claim.inputs[0].body.job) is not None:
            profile, answer = await self._shop.errands.begin(claim, run, profile, progress)
            if answer is not None:
                return TurnEnded("done", answer=answer)
        refusal = await self._take_files(profile, progress, inputs)
        if refusal is not None:
            progress.new.append(Message("assistant", refusal))
            return TurnEnded("done", answer=Answer(refusal))
        task = self._tasks.task(claim, past, progress, profile, inputs, draft)
        return TurnEnded("done", answer=await self._shop.loop.run(task, progress))

    def _objection(
        self, claim: Claim, past: Sequence[Message], progress: Progress, profile: AgentProfile
    ) -> TurnEnded | None:
        """Why what a client brought does not fit: its tools the agent, or its results what it was asked."""
        body = claim.inputs[0].body
        if body.client is None and not past and not body.history and progress.new[0].role == "user":
            return None
        if unusable := unusable_tools(profile, self._shop.toolbox.tools(profile), body.client):
            return failed(unusable, 400, "invalid_tools")
        if unasked := settle_calls(past or [own_ids(one) for one in body.history], progress.new):
            progress.new.clear()
            text = f"no tool call of this conversation waits for the result of `{unasked}`"
            return failed(text, 400, "no_tool_call")
        return None

    async def _take_files(self, profile: AgentProfile, progress: Progress, inputs: list[Input]) -> str | None:
        """Keeps what came with the messages. Returns what people are told where there was nothing else to answer."""
        at_first = [one for one in inputs if one.joined is None]
        if not any(one.body.attachments for one in at_first):
            return None
        taken = await self._shop.enclosed.take(profile, at_first)
        progress.new[:] = together(taken.inputs)
        return taken.refusal

    async def _finish(
        self,
        claim: Claim,
        past: Sequence[Message],
        progress: Progress,
        ended: TurnEnded,
        inputs: Sequence[Input],
        draft: Draft | None,
        *,
        told: bool,
    ) -> bool:
        """Commits the end, with its answer where people are `told`; then tells everybody who waits. Raises Fenced."""
        shop = self._shop
        if draft is not None:
            await draft.close()
        messages = progress.complete_messages()
        target = reply_target(inputs)
        files = progress.enclosures if ended.answer is not None else ()
        if (run := claim.inputs[0].body.job) is not None:
            last = await shop.errands.end(claim, run, ended, files, told=told)
        else:
            last = self._ending(claim, ended, target, draft, files, told=told) if target is not None else Ending()
        finish = Finish(
            ended,
            messages,
            last.deliveries,
            progress.unwritten,
            last.sealed,
            last.said,
            closes=run is not None,
            problems=last.problems,
        )
        done = await until_stored(
            lambda: shop.store.finish(claim.fence, finish, shop.clock.now()), "an answer", **_names(claim)
        )
        if past and done.messages == len(past) + len(messages):
            # a first turn is mostly the only one; from the second on, it is worth remembering, where nobody else
            # has said something there meanwhile
            seen = (*past, *progress.shown()[: len(messages)])
            shop.history.put(claim.address, Remembered(claim.lane, claim.session, seen, progress.redactor))
        for one in inputs:
            shop.engine.publish(run_topic(one.id), ended)
        for key in _chats(target, last):
            shop.engine.wake(key)
        await shop.hooks.turn_ended(claim, ended.state)
        if run is not None:
            await shop.hooks.session_finalized(claim.agent, claim.session, "done")
        return done.more

    async def _give_back(self, claim: Claim, draft: Draft | None) -> None:
        try:
            if draft is not None:
                await draft.close()
            await self._shop.store.release(claim.fence, self._shop.clock.now())
        except (Fenced, StorageFailed) as error:
            _log.warning("a turn could not be given back", error=str(error), **_names(claim))

    def _ending(
        self,
        claim: Claim,
        ended: TurnEnded,
        target: Target,
        draft: Draft | None,
        files: Sequence[Enclosure],
        *,
        told: bool,
    ) -> Ending:
        """What people are told, in pieces that the platform takes, and the files behind it."""
        prefix = self._prefix(claim)
        if ended.fault is not None and ended.fault.code == UnknownAgent.code:
            target, prefix = replace(target, agent_id=None), ""  # nobody may speak for that agent: the gateway does
        parcels = self._shop.parcels
        packed = parcels.files(target, files)
        last = ending(
            ended,
            target,
            draft,
            told=told,
            notes=packed.notes,
            cut=lambda text: parcels.text(target, prefix + text),
        )
        return replace(last, deliveries=[*last.deliveries, *packed.deliveries]) if packed.deliveries else last

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


def _failure(error: ModelError | NoModel | JobFailed | StorageFailed) -> TurnEnded:
    """The end of a turn by something that is known to happen."""
    match error:
        case ModelError():
            return failed(str(error), error.status, error.code, error.retry_after)
        case NoModel():
            return failed(str(error), 503, "no_model")
        case JobFailed():
            return failed(str(error), 500, "job_failed")
        case StorageFailed():
            return failed(str(error), 503, "storage_failed")


def _chats(target: Target | None, last: Ending) -> set[str]:
    """The chats that have something to be sent."""
    chats = {chat_key(one.target) for one in last.deliveries}
    return chats | {chat_key(target)} if target is not None and last.sealed else chats


def _began(claim: Claim) -> TurnBegan:
    first, platform = claim.inputs[0], claim.address.platform
    return TurnBegan(claim.agent, _owner(claim), platform, claim.session, first.id, claim.attempt, _job(claim))


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
        _job(claim),
    )


def _owner(claim: Claim) -> str:
    """The API key that the turn belongs to; nobody's where it is a chat's, or that of a job which no key made."""
    first = claim.inputs[0]
    if first.body.job is not None:
        return first.body.job.owner
    return first.sender if first.reply_to is None else ""


def _job(claim: Claim) -> JobId | None:
    """The job that is run by the turn."""
    run = claim.inputs[0].body.job
    return run.job.id if run is not None else None


def _stopped(reason: str) -> TurnEnded:
    return TurnEnded("cancelled", fault=TurnFault(reason, 503, "run_cancelled"))


def _names(claim: Claim) -> dict[str, object]:
    return {
        "agent": claim.agent,
        "session": claim.session,
        "turn": claim.fence.turn,
        "run": claim.inputs[0].id,
        "attempt": claim.attempt,
    }
