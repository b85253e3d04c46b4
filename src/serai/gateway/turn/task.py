"""What a turn asks of the agent's loop (SPEC 5.3, 6.2, 6.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from serai.agent.client_tool import offered
from serai.agent.progress import Progress
from serai.agent.task import Approve, Join, OnTool, Task
from serai.core.approval import Permission
from serai.core.call_id import own_ids
from serai.core.delivery import Target
from serai.core.event import TextDelta, ToolEnded, ToolStarted, run_topic
from serai.core.message import Message, ToolCall
from serai.core.principal import LOCAL
from serai.core.profile import AgentProfile
from serai.core.redact_message import clean_message
from serai.core.turn import Claim, Input, SessionSettings, together
from serai.gateway.answer.draft import Draft
from serai.gateway.answer.ending import reply_target
from serai.gateway.turn.work import Work
from serai.gateway.turn.workshop import Workshop
from serai.ports.model import OnDelta
from serai.ports.tool import Tool

_NO_TOOLS: Final[Mapping[str, Tool]] = MappingProxyType({})


class Tasks:
    """Makes the tasks of turns: what they know, may use, and tell while they run."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    def task(self, work: Work, profile: AgentProfile) -> Task:
        """The task of a turn that the agent works at."""
        claim, progress, inputs, draft = work.claim, work.progress, work.inputs, work.draft
        body = claim.inputs[0].body
        profile, options = _chosen(profile, body.options, claim.settings)
        system = f"{claim.prompt}\n\n{body.system}" if body.system else claim.prompt
        redactor = progress.redactor
        brought = [clean_message(redactor, own_ids(one)) for one in body.history]
        context = (Message("system", redactor.clean(system)), *brought, *work.past)
        client = body.client
        return Task(
            profile=profile,
            session=claim.session,
            turn=claim.fence.turn,
            context=context,
            new=progress.new,
            tools=_NO_TOOLS if client is not None and client.forced else self._shop.toolbox.tools(profile),
            client_tools=offered(client, redactor) if client is not None else (),
            options=redactor.clean_value(dict(options)) if options else options,
            record=lambda steps, sync: self._shop.store.record(claim.fence, steps, sync=sync),
            steps=claim.steps,
            join=self._joiner(claim, inputs, profile) if self._steers(inputs) else None,
            on_delta=self._teller(inputs, progress, draft) if body.stream else draft,
            on_tool=self._tool_teller(inputs, progress, draft) if body.stream or draft is not None else None,
            approve=self._approver(claim, inputs, draft),
            origin=_origin(inputs),
            owner=_owner(inputs[0]),
        )

    def _steers(self, inputs: Sequence[Input]) -> bool:
        """Whether messages may join: in chats, in the mode for that (SPEC 6.2)."""
        return inputs[0].reply_to is not None and self._shop.state.snapshot.live.busy_mode == "steer"

    def _joiner(self, claim: Claim, inputs: list[Input], profile: AgentProfile) -> Join:
        async def join(step: int) -> Sequence[Message]:
            joined = await self._shop.store.join(claim.fence, step)
            inputs.extend(joined)
            if any(one.body.attachments for one in joined):
                joined = (await self._shop.enclosed.take(profile, joined)).inputs
            return together(joined, apart=True)

        return join

    def _approver(self, claim: Claim, inputs: Sequence[Input], draft: Draft | None) -> Approve:
        async def approve(step: int, call: ToolCall, question: str) -> Permission:
            if draft is not None:
                await draft.close()
            return await self._shop.asking.ask(claim, inputs, step, call, question)

        return approve

    def _teller(self, inputs: Sequence[Input], progress: Progress, draft: Draft | None) -> OnDelta:
        """Tells all who wait for the turn, also those whose message joined it."""
        publish = self._shop.engine.publish

        def tell(text: str) -> None:
            for one in inputs:
                publish(run_topic(one.id), TextDelta(text, progress.step + 1))
            if draft is not None:
                draft(text)

        return tell

    def _tool_teller(self, inputs: Sequence[Input], progress: Progress, draft: Draft | None) -> OnTool:
        def tell(n: int, call: ToolCall, ok: bool | None) -> None:
            if draft is not None and ok is None:
                draft.next_call()
            call_id, name = progress.redactor.clean(call.id), progress.redactor.clean(call.name)
            event = ToolStarted(call_id, name, n) if ok is None else ToolEnded(call_id, name, ok, n)
            for one in inputs:
                self._shop.engine.publish(run_topic(one.id), event)

        return tell


def _origin(inputs: Sequence[Input]) -> Target | None:
    """The chat that is answered, as a place to come back to."""
    target = reply_target(inputs)
    return replace(target, reply_to=()) if target is not None else None


def _owner(first: Input) -> str:
    """The API key that asks; nobody's name in chats, for jobs, and for the caller on this machine."""
    return "" if first.reply_to is not None or first.sender == LOCAL.name else first.sender


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
