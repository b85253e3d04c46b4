"""One turn, from its claim to its committed end (SPEC 5.3, 5.4)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from serai.agent.client_tool import settle_calls, unusable_tools
from serai.core.call_id import own_ids
from serai.core.error import Fenced, ModelError, NoModel, StorageFailed, Suspended
from serai.core.event import TurnEnded, TurnFault
from serai.core.message import Answer, Message
from serai.core.profile import AgentProfile
from serai.core.snapshot import Snapshot
from serai.core.turn import DEATHS_MOST, Claim, together
from serai.gateway.answer.ending import failed, refused
from serai.gateway.turn.account import account, began
from serai.gateway.turn.errand import JobFailed
from serai.gateway.turn.finish import finish
from serai.gateway.turn.history import Remembered
from serai.gateway.turn.task import Tasks
from serai.gateway.turn.work import Work, take_up
from serai.gateway.turn.workshop import Workshop
from serai.ports.binding import use_profile

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
        work = take_up(shop, claim, remembered)
        since = shop.clock.now()
        shop.activity.tell(began(claim))
        typing = shop.presence.begin(work.target) if work.target is not None else None
        try:
            ended, told = await self._end(work)
            more = await _surely(finish(shop, work, ended, told=told))
        except Suspended:
            return False
        except Fenced:
            shop.meter.fenced += 1
            _log.warning("a replaced worker dropped its turn", **work.names)
            await work.close_draft()
            return False
        finally:
            if typing is not None:
                typing.cancel()
        account(shop, work, ended, shop.clock.now() - since)
        return more

    async def _end(self, work: Work) -> tuple[TurnEnded, bool]:
        """How the turn ended, also when somebody stopped it, and whether its people are told."""
        if work.claim.stop is not None:
            return _stopped(work.claim.stop), False
        try:
            with self._shop.state.held() as snapshot:
                return await self._run(snapshot, work), True
        except asyncio.CancelledError as cancelled:
            if not cancelled.args:
                await asyncio.shield(self._give_back(work))
                raise
            stopped = cancelled.args[0]
            return _stopped(stopped.reason), stopped.told

    async def _run(self, snapshot: Snapshot, work: Work) -> TurnEnded:
        """How the turn ended. This is the turn's supervisor: whatever goes wrong in it ends this turn alone."""
        if (refusal := _refusal(snapshot, work)) is not None:
            return refusal
        profile = snapshot.agents[work.claim.agent]
        if (objection := self._objection(work, profile)) is not None:
            return objection
        try:
            with use_profile(profile):
                return await self._answer(work, profile)
        except (ModelError, NoModel, JobFailed, StorageFailed) as error:
            return _failure(error)
        except (Fenced, Suspended):
            raise
        except Exception:  # noqa: BLE001  the turn's supervisor: a fault ends this turn alone, and is logged
            _log.exception("the turn failed", **work.names)
            return TurnEnded("failed", fault=_INTERNAL)

    async def _answer(self, work: Work, profile: AgentProfile) -> TurnEnded:
        await self._shop.hooks.turn_begins(work.claim)
        if work.job is not None:
            profile, answer = await self._shop.errands.begin(work.claim, work.job, profile, work.progress)
            if answer is not None:
                return TurnEnded("done", answer=answer)
        refusal = await self._take_files(work, profile)
        if refusal is not None:
            work.progress.new.append(Message("assistant", refusal))
            return TurnEnded("done", answer=Answer(refusal))
        return TurnEnded("done", answer=await self._shop.loop.run(self._tasks.task(work, profile), work.progress))

    def _objection(self, work: Work, profile: AgentProfile) -> TurnEnded | None:
        """Why what a client brought does not fit: its tools the agent, or its results what it was asked."""
        body, new = work.claim.inputs[0].body, work.progress.new
        if body.client is None and not work.past and not body.history and new[0].role == "user":
            return None
        if unusable := unusable_tools(profile, self._shop.toolbox.tools(profile), body.client):
            return failed(unusable, 400, "invalid_tools")
        if unasked := settle_calls(work.past or [own_ids(one) for one in body.history], new):
            new.clear()
            text = f"no tool call of this conversation waits for the result of `{unasked}`"
            return failed(text, 400, "no_tool_call")
        return None

    async def _take_files(self, work: Work, profile: AgentProfile) -> str | None:
        """Keeps what came with the messages. Returns what people are told where there was nothing else to answer."""
        at_first = [one for one in work.inputs if one.joined is None]
        if not any(one.body.attachments for one in at_first):
            return None
        taken = await self._shop.enclosed.take(profile, at_first)
        work.progress.new[:] = together(taken.inputs)
        return taken.refusal

    async def _give_back(self, work: Work) -> None:
        try:
            await work.close_draft()
            await self._shop.store.release(work.claim.fence, self._shop.clock.now())
        except (Fenced, StorageFailed) as error:
            _log.warning("a turn could not be given back", error=str(error), **work.names)


async def _surely(work: Coroutine[Any, Any, bool]) -> bool:
    """Waits for `work` although somebody wants to stop the turn: it is too late for that. A shutdown goes first."""
    task = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError as cancelled:
            if not cancelled.args or task.cancelled():
                raise


def _refusal(snapshot: Snapshot, work: Work) -> TurnEnded | None:
    """Why no model is asked at all; the history keeps what was said."""
    claim = work.claim
    refusal = snapshot.refusal(claim.agent)
    if refusal is None and claim.attempt <= DEATHS_MOST:
        return None
    work.progress.new.extend(together([one for one in claim.inputs if one.joined is not None], apart=True))
    if refusal is not None:
        return refused(refusal)
    return failed(f"this turn was interrupted {DEATHS_MOST} times and was given up", 500, "turn_died")


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


def _stopped(reason: str) -> TurnEnded:
    return TurnEnded("cancelled", fault=TurnFault(reason, 503, "run_cancelled"))
