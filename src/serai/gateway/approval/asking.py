"""A turn asks people whether a tool may run, and waits without a worker until they have answered (SPEC 6.5)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from serai.agent.calls import NOBODY
from serai.core.approval import CHOICES, Approval, ApprovalChoice, Permission, button_value
from serai.core.delivery import Button, NewDelivery, Target
from serai.core.error import Suspended
from serai.core.event import ApprovalRequested, run_topic
from serai.core.ids import ApprovalId
from serai.core.message import ToolCall
from serai.core.redact_message import clean_call
from serai.core.turn import Claim, Input
from serai.gateway.answer.draft import Means
from serai.gateway.answer.ending import reply_target
from serai.gateway.approval.approvals import Approvals
from serai.gateway.delivery.outbox import Outbox
from serai.gateway.hooks import AgentHooks
from serai.gateway.key import chat_key, lane_key
from serai.gateway.state import State
from serai.ports.store.approval import NewApproval

_LABELS: Final[dict[ApprovalChoice, str]] = {
    "once": "Allow once",
    "session": "Allow in this conversation",
    "always": "Always allow",
    "deny": "Deny",
}
_GIVEN: Final = Permission(given=True)
_DENIED: Final = Permission(given=False, reason="The people who were asked did not allow this call.")
_LATE: Final = Permission(given=False, reason="Nobody answered in time whether this call is allowed, so it is not.")


class Asking:
    """Asks, once per step of a turn."""

    def __init__(self, means: Means, state: State, hooks: AgentHooks, outbox: Outbox, approvals: Approvals) -> None:
        self._means = means
        self._state = state
        self._hooks = hooks
        self._connections = outbox.platform
        self._approvals = approvals

    async def ask(
        self, claim: Claim, inputs: Sequence[Input], step: int, call: ToolCall, question: str
    ) -> Permission:
        """Whether a call may run.

        Raises Suspended where people have to be asked, or have not answered yet: then the turn is given back.
        """
        standing = await self._means.store.standing(claim, step, call.name)
        approval = standing.approval
        if approval is None:
            if standing.allowed:
                return _GIVEN
            return await self._request(claim, inputs, step, call, question)
        if approval.state == "open":
            return await self._wait(claim, approval)
        return _GIVEN if approval.state in ("once", "session", "always") else _DENIED

    async def _wait(self, claim: Claim, approval: Approval) -> Permission:
        """The turn goes on although nobody has answered: the time is over, or it has to wait once more."""
        now = self._means.clock.now()
        if approval.expires_at > now:
            await self._means.store.release(claim.fence, approval.expires_at)
            raise Suspended("the turn still waits for an approval")
        await self._approvals.expire(approval)
        return _LATE

    async def _request(
        self, claim: Claim, inputs: Sequence[Input], step: int, call: ToolCall, question: str
    ) -> Permission:
        target, means = reply_target(inputs), self._means
        if target is None and not inputs[0].body.approvable:
            return NOBODY
        name, now = ApprovalId(means.entropy.code()), means.clock.now()
        wait = self._state.snapshot.live.approval_s
        new = NewApproval(
            name,
            claim.session,
            step,
            call.id,
            call.name,
            call.arguments,
            question,
            now + wait,
            [] if target is None else self._deliveries(claim, target, name, question, wait),
        )
        await self._hooks.approval_requested(new, claim.agent, msgspec.json.decode(call.arguments or "{}", type=dict))
        await means.store.suspend(claim.fence, new, now)
        shown, question = clean_call(self._state.redactor, call), self._state.redactor.clean(question)
        event = ApprovalRequested(name, shown.id, shown.name, shown.arguments, question, new.expires_at, step)
        for one in inputs:
            means.engine.publish(run_topic(one.id), event)
        if target is not None:
            means.engine.wake(chat_key(target))
        means.engine.wake(lane_key(claim.agent, claim.lane), after=wait)
        raise Suspended("the turn waits for an approval")

    def _deliveries(
        self, claim: Claim, target: Target, name: ApprovalId, question: str, wait: float
    ) -> Sequence[NewDelivery]:
        """The question in the chat, with buttons where the platform has them, else with what to type."""
        platform = self._connections(target.connection)
        buttons = platform is not None and platform.capabilities.buttons
        prefix = f"[{claim.agent}] " if self._state.snapshot.live.agent_prefix else ""
        text = f"{prefix}May I {question}?"
        if not buttons:
            text += f"\n\n/approve {name} allows it once; with `session` or `always` behind it, for longer."
            text += f"\n/deny {name} does not."
        text += f"\n\nWithout an answer it is denied in {_minutes(wait)}."
        pieces = self._means.split(target, text)
        last = len(pieces) - 1
        return [
            NewDelivery(self._means.delivery_id(), target, piece, _buttons(name) if buttons and n == last else ())
            for n, piece in enumerate(pieces)
        ]


def _buttons(name: ApprovalId) -> tuple[Button, ...]:
    return tuple(Button(_LABELS[choice], button_value(name, choice)) for choice in CHOICES)


def _minutes(seconds: float) -> str:
    return f"{seconds:g} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
