"""What commands do (SPEC 6.3, 6.4, 6.6): stored with their answer, outside the lane; then the turn is told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from serai.core.command import help_text, unknown_text
from serai.core.delivery import Target
from serai.core.error import UnknownAgent
from serai.core.ids import InputId, SessionId
from serai.core.turn import Stopped
from serai.gateway.approval.approvals import Approvals
from serai.gateway.chat.agent_command import AgentCommand
from serai.gateway.chat.approval_command import ApprovalCommand
from serai.gateway.chat.conversation_command import ConversationCommand
from serai.gateway.chat.cron_command import CronCommand
from serai.gateway.chat.sethome import sethome
from serai.gateway.chat.spoken import ADMINS_ONLY, Action, Reply, Spoken
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.delivery.targets import Targets
from serai.gateway.key import chat_key, lane_key
from serai.gateway.lane.door import Door
from serai.gateway.manners import is_admin
from serai.gateway.schedule.jobs import Jobs
from serai.ports.platform import Receipt
from serai.ports.store.order import Order, Ordered, Reset, Undo

_WITHOUT_AGENT: Final = frozenset({"agent", "agents", "help"})
"""What also works where the chat's agent cannot answer: the way out of a binding to one that is gone."""


class Commands:
    """Runs commands."""

    def __init__(self, door: Door, parcels: Parcels, approvals: Approvals, targets: Targets, jobs: Jobs) -> None:
        self._door = door
        self._parcels = parcels
        self._approvals = approvals
        self._targets = targets
        cron = CronCommand(door.state, jobs)
        self._actions: Mapping[str, Action] = {
            **ConversationCommand(door, cron).actions,
            **AgentCommand(door.state).actions,
            **ApprovalCommand(door, approvals).actions,
            "sethome": self._sethome,
            "cron": cron.run,
            "help": self._help,
        }

    async def run(self, spoken: Spoken) -> Receipt:
        """Stores a command with what it does and answers. Raises UnknownAgent where nobody answers in this chat."""
        door = self._door
        refused = spoken.decision.refused
        if refused is not None and spoken.command.name not in _WITHOUT_AGENT:
            raise UnknownAgent(refused)
        action = self._actions.get(spoken.command.name)
        reply = await action(spoken) if action else Reply(unknown_text(spoken.command.name))
        target = spoken.target
        if refused is not None:
            target = replace(target, agent_id=door.state.snapshot.default_agent)
        now, new_session = door.clock.now(), SessionId(f"ses_{door.entropy.token()}")
        ordered = await door.store.order(
            Order(
                connection=spoken.inbound.source.connection,
                dedupe_key=spoken.inbound.dedupe_key,
                sender=spoken.inbound.source.user or "",
                text=spoken.inbound.text,
                now=now,
                address=spoken.address,
                effect=reply.effect,
                new_session=new_session,
                deliveries=self._parcels.text(target, reply.text),
            )
        )
        if not ordered.duplicate:
            if reply.answered is not None:
                await self._approvals.decided(reply.answered)
            self._follow_up(spoken, reply, ordered, target)
            await self._tell_closed(spoken, ordered, new_session)
        return Receipt(InputId(f"cmd_{door.entropy.token()}"), ordered.duplicate)

    def _follow_up(self, spoken: Spoken, reply: Reply, ordered: Ordered, target: Target) -> None:
        """The answer goes out first; then the turn is stopped, and what waited goes on (SPEC 6.3)."""
        door = self._door
        door.engine.wake(chat_key(target))
        if isinstance(reply.effect, Undo):
            door.lanes.forget(spoken.address)
        if ordered.lane is None:
            return
        if isinstance(reply.effect, Reset):
            door.lanes.stop_lane(ordered.lane, Stopped(reply.effect.reason))
        door.engine.wake(lane_key(spoken.address.agent, ordered.lane))

    async def _tell_closed(self, spoken: Spoken, ordered: Ordered, fresh: SessionId) -> None:
        if ordered.closed is not None:
            agent, hooks = spoken.address.agent, self._door.hooks
            await hooks.session_finalized(agent, ordered.closed, spoken.command.name)
            await hooks.session_reset(agent, fresh, ordered.closed)

    async def _sethome(self, spoken: Spoken) -> Reply:
        if not is_admin(self._door.state.snapshot, spoken.inbound):
            return Reply(ADMINS_ONLY)
        return Reply(*await sethome(self._targets, spoken.target, spoken.command.argument))

    async def _help(self, _: Spoken) -> Reply:
        return Reply(help_text())
