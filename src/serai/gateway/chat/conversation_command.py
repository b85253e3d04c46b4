"""Commands about the conversation of a chat: how it stands, how it goes on, what it is called (SPEC 6.3, 6.4)."""

from collections.abc import Mapping
from dataclasses import replace

from serai.core.command import DEFAULT, LEVELS, levels_text, title_of
from serai.core.turn import SessionSettings
from serai.gateway.chat.cron_command import CronCommand
from serai.gateway.chat.spoken import ADMINS_ONLY, Action, Reply, Spoken
from serai.gateway.lane.door import Door
from serai.gateway.manners import is_admin
from serai.ports.store.order import Adjust, Entitle, Resend, Reset, Undo
from serai.ports.store.session import LaneView


class ConversationCommand:
    """Says how a conversation stands, and changes it."""

    def __init__(self, door: Door, cron: CronCommand) -> None:
        self._door = door
        self._cron = cron
        self.actions: Mapping[str, Action] = {
            "new": self._new,
            "stop": self._stop,
            "status": self._status,
            "model": self._model,
            "reasoning": self._reasoning,
            "title": self._title,
            "usage": self._usage,
            "undo": self._undo,
            "retry": self._retry,
        }

    async def _new(self, _: Spoken) -> Reply:
        return Reply("A new conversation begins.", Reset("a new conversation was begun"))

    async def _stop(self, spoken: Spoken) -> Reply:
        view = await self._view(spoken)
        if view is None or view.busy_since is None:
            return Reply("Nothing was running. The next message starts afresh.", Reset("it was stopped"))
        return Reply("Stopped. The next message starts afresh.", Reset("it was stopped"))

    async def _status(self, spoken: Spoken) -> Reply:
        view = await self._view(spoken)
        lines = [f"Agent: {spoken.address.agent} ({spoken.why})", f"Model: {self._model_of(spoken, view)}"]
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

    async def _title(self, spoken: Spoken) -> Reply:
        if title := title_of(spoken.command.argument):
            return Reply(f"This conversation is called “{title}”.", Entitle(title))
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

    async def _model(self, spoken: Spoken) -> Reply:
        view, name = await self._view(spoken), spoken.command.argument
        if not name:
            return Reply(f"Model: {self._model_of(spoken, view)}")
        if not is_admin(self._door.state.snapshot, spoken.inbound):
            return Reply(ADMINS_ONLY)
        settings = view.settings if view else SessionSettings()
        if name == DEFAULT:
            return Reply("This conversation uses the agent's own model again.", Adjust(replace(settings, model=None)))
        return Reply(f"This conversation uses the model {name}.", Adjust(replace(settings, model=name)))

    async def _reasoning(self, spoken: Spoken) -> Reply:
        view, level = await self._view(spoken), spoken.command.argument
        settings = view.settings if view else SessionSettings()
        if not level:
            return Reply(f"Reasoning: {settings.reasoning or DEFAULT}")
        if level not in LEVELS:
            return Reply(levels_text())
        chosen = None if level == DEFAULT else level
        return Reply(f"Reasoning: {level}", Adjust(replace(settings, reasoning=chosen)))

    async def _view(self, spoken: Spoken) -> LaneView | None:
        return await self._door.store.view(spoken.address)

    def _model_of(self, spoken: Spoken, view: LaneView | None) -> str:
        if view is not None and view.settings.model is not None:
            return view.settings.model
        return self._door.state.snapshot.agents[spoken.address.agent].models[0].name
