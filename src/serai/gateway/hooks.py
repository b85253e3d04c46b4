"""The hooks that the gateway calls itself, each in the name of its agent (SPEC 3.1, 8.1)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from serai.core.approval import Approval, ApprovalState
from serai.core.delivery import Delivery, DeliveryState
from serai.core.ids import AgentId, SessionId
from serai.core.source import Source
from serai.core.turn import Claim, TurnEnd
from serai.gateway.state import State
from serai.ports.binding import use_profile
from serai.ports.hooks import Dropped, HookName, Hooks
from serai.ports.store.approval import NewApproval


class AgentHooks:
    """Binds an agent's profile around its hooks, also of one that was removed while its turn ran.

    Where there is none, no hook is called. Nothing is made for a hook that no plugin has.
    """

    def __init__(self, hooks: Hooks, state: State) -> None:
        self._hooks = hooks
        self._state = state

    async def dispatch(self, agent: AgentId, source: Source, text: str) -> str | Dropped:
        """A message's text as plugins leave it (`pre_gateway_dispatch`)."""
        if not self.rewrites_messages:
            return text
        profile = self._state.snapshot.agents.get(agent)
        if profile is None:
            return text
        with use_profile(profile):
            return await self._hooks.pre_gateway_dispatch(agent, source, text)

    @property
    def rewrites_messages(self) -> bool:
        """Whether plugins see messages before they are stored."""
        return "pre_gateway_dispatch" in self._hooks.used

    @property
    def rewrites_answers(self) -> bool:
        """Whether what a model says may not be what people get."""
        return "transform_llm_output" in self._hooks.used

    @property
    def wants_source(self) -> bool:
        """Whether the source of a message must be kept until its session begins."""
        return "on_session_start" in self._hooks.used

    async def turn_begins(self, claim: Claim) -> None:
        """Tells of the session that the turn closed, and of the one that it opened."""
        agent, session, source = claim.agent, claim.session, claim.inputs[0].source
        if claim.replaced is not None:
            await self.session_finalized(agent, claim.replaced, "expired")
            await self.session_reset(agent, session, claim.replaced)
        if claim.session_is_new and source is not None:
            await self._tell("on_session_start", agent, lambda: self._hooks.on_session_start(agent, session, source))

    async def turn_ended(self, claim: Claim, outcome: TurnEnd) -> None:
        agent, session, turn = claim.agent, claim.session, claim.fence.turn
        await self._tell("on_session_end", agent, lambda: self._hooks.on_session_end(agent, session, turn, outcome))

    async def session_finalized(self, agent: AgentId, session: SessionId, reason: str) -> None:
        """A session was closed: `expired`, or by the command `reason`. To be called before `session_reset`."""
        await self._tell(
            "on_session_finalize", agent, lambda: self._hooks.on_session_finalize(agent, session, reason)
        )

    async def session_reset(self, agent: AgentId, session: SessionId, old: SessionId) -> None:
        """`session` took the place of `old`."""
        await self._tell("on_session_reset", agent, lambda: self._hooks.on_session_reset(agent, session, old))

    async def approval_requested(self, approval: NewApproval, agent: AgentId, arguments: Mapping[str, Any]) -> None:
        """People are about to be asked."""
        await self._tell(
            "pre_approval_request",
            agent,
            lambda: self._hooks.pre_approval_request(agent, approval.session, approval.id, approval.tool, arguments),
        )

    async def approval_answered(self, approval: Approval, choice: ApprovalState, by: str | None) -> None:
        """They have answered, or their time is over."""
        agent, session = approval.agent, approval.session
        await self._tell(
            "post_approval_response",
            agent,
            lambda: self._hooks.post_approval_response(agent, session, approval.id, choice, by),
        )

    async def delivered(self, delivery: Delivery, state: DeliveryState) -> None:
        """A delivery was settled. Plugins are told of those that are not tried again by themselves."""
        if state in ("sent", "unknown", "dead"):
            await self._tell("on_delivery", delivery.agent, lambda: self._hooks.on_delivery(delivery, state))

    async def _tell(self, hook: HookName, agent: AgentId, told: Callable[[], Awaitable[None]]) -> None:
        if hook not in self._hooks.used:
            return
        profile = self._state.identity(agent)
        if profile is not None:
            with use_profile(profile):
                await told()
