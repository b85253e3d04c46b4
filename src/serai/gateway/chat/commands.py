"""What commands do (SPEC 6.3, 6.4, 6.6): stored with their answer, outside the lane; then the turn is told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from serai.core.approval import CHOICES, WORDS, ApprovalChoice
from serai.core.command import LEVELS, help_text, unknown_text
from serai.core.decision import Decision
from serai.core.delivery import Target
from serai.core.error import Unauthorised, UnknownAgent
from serai.core.ids import AgentId, ApprovalId, InputId, SessionId
from serai.core.turn import SessionSettings, Stopped
from serai.gateway.approval.approvals import Approvals, NotOpen, sentence
from serai.gateway.chat.cron_command import CronCommand
from serai.gateway.chat.sethome import sethome
from serai.gateway.chat.spoken import ADMINS_ONLY, Action, Reply, Spoken
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.delivery.targets import Targets
from serai.gateway.key import chat_key, lane_key
from serai.gateway.lane.door import Door
from serai.gateway.manners import is_admin, may_choose
from serai.gateway.schedule.jobs import Jobs
from serai.ports.platform import Receipt
from serai.ports.store.approval import Revoke
from serai.ports.store.order import Adjust, Bind, Entitle, Order, Ordered, Resend, Reset, Undo
from serai.ports.store.session import LaneView

_DEFAULT: Final = "default"
_TITLE_MOST: Final = 200
_WITHOUT_AGENT: Final = frozenset({"agent", "agents", "help"})
"""What also works where the chat's agent cannot answer: the way out of a binding to one that is gone."""


class Commands:
    """Runs commands."""

    def __init__(self, door: Door, parcels: Parcels, approvals: Approvals, targets: Targets, jobs: Jobs) -> None:
        self._door = door
        self._parcels = parcels
        self._approvals = approvals
        self._targets = targets
        self._cron = CronCommand(door.state, jobs)
        self._actions: Mapping[str, Action] = {
            "new": self._new,
            "stop": self._stop,
            "status": self._status,
            "approve": self._approve,
            "deny": self._deny,
            "agents": self._agents,
            "agent": self._agent,
            "model": self._model,
            "reasoning": self._reasoning,
            "title": self._title,
            "usage": self._usage,
            "undo": self._undo,
            "retry": self._retry,
            "sethome": self._sethome,
            "cron": self._cron.run,
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

    async def _new(self, _: Spoken) -> Reply:
        return Reply("A new conversation begins.", Reset("a new conversation was begun"))

    async def _stop(self, spoken: Spoken) -> Reply:
        view = await self._view(spoken)
        if view is None or view.busy_since is None:
            return Reply("Nothing was running. The next message starts afresh.", Reset("it was stopped"))
        return Reply("Stopped. The next message starts afresh.", Reset("it was stopped"))

    async def _status(self, spoken: Spoken) -> Reply:
        view = await self._view(spoken)
        lines = [f"Agent: {spoken.address.agent} ({_why(spoken.decision)})", f"Model: {self._model_of(spoken, view)}"]
        jobs = await self._cron.summary(spoken)
        if view is None or view.session is None:
            return Reply("\n".join([*lines, "No conversation yet", *jobs]))
        title = f" “{view.title}”" if view.title else ""
        lines.append(f"Conversation:{title} {view.session}, {view.messages} messages")
        if view.busy_since is None:
            lines.append("Idle")
        else:
            lines.append(f"Working for {max(0, round(self._door.clock.now() - view.busy_since))} s")
        if view.waiting:
            lines.append(f"Waiting: {view.waiting}")
        return Reply("\n".join([*lines, *jobs]))

    async def _approve(self, spoken: Spoken) -> Reply:
        words = spoken.command.argument.split()
        choice: ApprovalChoice = "once"
        for one in CHOICES[:3]:
            if words and words[-1].lower() == one:
                choice = one
                words.pop()
                break
        return await self._decide(spoken, words, choice)

    async def _deny(self, spoken: Spoken) -> Reply:
        words = spoken.command.argument.split()
        agent = spoken.address.agent
        if len(words) == 1 and words[0] in await self._door.store.allowances(agent):
            if not may_choose(self._door.state.snapshot, spoken.inbound, agent):
                return Reply(ADMINS_ONLY)
            return Reply(f"{agent} asks again before it uses {words[0]}.", Revoke(agent, words[0]))
        return await self._decide(spoken, words, "deny")

    async def _decide(self, spoken: Spoken, words: Sequence[str], choice: ApprovalChoice) -> Reply:
        """Answers the question that is named, or the only one that was asked in this chat."""
        if len(words) > 1:
            return Reply("Write /approve or /deny, the question's id, and for /approve: once, session or always.")
        if words:
            name = ApprovalId(words[0].upper())
        else:
            here = await self._approvals.here(spoken.inbound)
            if not here:
                return Reply("Nothing waits for your answer here.")
            if len(here) > 1:
                lines = [f"{one.id}: May I {one.question}? ({one.agent})" for one in here]
                return Reply("\n".join(["Several questions wait; name one by its id:", *lines]))
            name = here[0].id
        try:
            found = await self._approvals.find(name, choice, spoken.inbound)
        except (NotOpen, Unauthorised) as error:
            return Reply(sentence(str(error)))
        return Reply(f"{sentence(WORDS[choice])[:-1]}: {found.approval.question}.", found.verdict, found)

    async def _agents(self, spoken: Spoken) -> Reply:
        snapshot = self._door.state.snapshot
        current = spoken.address.agent
        choosable = [a for a in snapshot.agents if a == current or may_choose(snapshot, spoken.inbound, a)]
        return Reply("\n".join(f"{'• ' if agent == current else '  '}{agent}" for agent in choosable))

    async def _agent(self, spoken: Spoken) -> Reply:
        snapshot = self._door.state.snapshot
        name, source = spoken.command.argument, spoken.inbound.source
        if not name:
            return Reply(f"{spoken.address.agent} answers here ({_why(spoken.decision)}).")
        if source.chat_type != "dm" and not is_admin(snapshot, spoken.inbound):
            return Reply(f"{ADMINS_ONLY} To ask an agent once, write `@name` and your question.")
        chat = source.chat_id or ""
        if name == _DEFAULT:
            return Reply("The usual agent answers here again.", Bind(chat, None))
        if not may_choose(snapshot, spoken.inbound, AgentId(name)):
            return Reply(f"There is no agent `{name}` that you may choose. /agents lists those that you may.")
        return Reply(f"{name} answers here from now on. /agent default takes that back.", Bind(chat, AgentId(name)))

    async def _model(self, spoken: Spoken) -> Reply:
        view, name = await self._view(spoken), spoken.command.argument
        if not name:
            return Reply(f"Model: {self._model_of(spoken, view)}")
        if not is_admin(self._door.state.snapshot, spoken.inbound):
            return Reply(ADMINS_ONLY)
        settings = view.settings if view else SessionSettings()
        if name == _DEFAULT:
            return Reply("This conversation uses the agent's own model again.", Adjust(replace(settings, model=None)))
        return Reply(f"This conversation uses the model {name}.", Adjust(replace(settings, model=name)))

    async def _reasoning(self, spoken: Spoken) -> Reply:
        view, level = await self._view(spoken), spoken.command.argument
        settings = view.settings if view else SessionSettings()
        if not level:
            return Reply(f"Reasoning: {settings.reasoning or _DEFAULT}")
        if level not in (*LEVELS, _DEFAULT):
            return Reply(f"Say one of: {', '.join((*LEVELS, _DEFAULT))}.")
        chosen = None if level == _DEFAULT else level
        return Reply(f"Reasoning: {level}", Adjust(replace(settings, reasoning=chosen)))

    async def _title(self, spoken: Spoken) -> Reply:
        title = " ".join(spoken.command.argument.split())
        if title:
            return Reply(f"This conversation is called “{title[:_TITLE_MOST]}”.", Entitle(title[:_TITLE_MOST]))
        view = await self._view(spoken)
        return Reply(f"It is called “{view.title}”." if view and view.title else "It has no title yet.")

    async def _usage(self, spoken: Spoken) -> Reply:
        view = await self._view(spoken)
        if view is None or view.session is None:
            return Reply("No conversation yet")
        usage = await self._door.store.spent(view.session)
        return Reply(f"This conversation used {usage.input_tokens} tokens in and {usage.output_tokens} out.")

    async def _undo(self, spoken: Spoken) -> Reply:
        view = await self._view(spoken)
        if view is not None and view.busy_since is not None:
            return Reply("An answer is under way; /stop it first.")
        if view is None or not view.messages:
            return Reply("There is nothing to forget.")
        return Reply("The last question and its answer are forgotten.", Undo())

    async def _retry(self, spoken: Spoken) -> Reply:
        return Reply("What may not have arrived is sent again.", Resend(spoken.target.chat_id))

    async def _sethome(self, spoken: Spoken) -> Reply:
        if not is_admin(self._door.state.snapshot, spoken.inbound):
            return Reply(ADMINS_ONLY)
        return Reply(*await sethome(self._targets, spoken.target, spoken.command.argument))

    async def _help(self, _: Spoken) -> Reply:
        return Reply(help_text())

    async def _view(self, spoken: Spoken) -> LaneView | None:
        return await self._door.store.view(spoken.address)

    def _model_of(self, spoken: Spoken, view: LaneView | None) -> str:
        if view is not None and view.settings.model is not None:
            return view.settings.model
        return self._door.state.snapshot.agents[spoken.address.agent].models[0].name


def _why(decision: Decision) -> str:
    """The reason of a decision, for people in a chat."""
    words = {
        "stamped": "you named it",
        "hook": "a plugin chose it",
        "binding": "chosen with /agent",
        "route": "by a route",
        "default": "the default",
    }
    return words[decision.reason]
