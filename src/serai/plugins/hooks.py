"""Asking the enabled plugins in their order, and what becomes of their answers (SPEC 4.4, 8.1, 16.2)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pluggy
import structlog

from serai import plugin as specification
from serai.core.approval import ApprovalState
from serai.core.delivery import Delivery, DeliveryState
from serai.core.ids import AgentId, ApprovalId, SessionId, TurnId
from serai.core.message import Message, Usage
from serai.core.source import Source
from serai.core.turn import TurnEnd
from serai.plugin import DEADLINES
from serai.plugins import plain
from serai.plugins.asking import Implementation
from serai.ports.hooks import Blocked, Choice, Dropped, HookName, Moment, ToolStatus

_log = structlog.get_logger("hooks")

_NO_REASON: Final = "This call is not allowed here."


class PluginHooks:
    """`ports.Hooks` over plugins in their configured order. `deadlines` are seconds per plugin and call."""

    def __init__(
        self, plugins: Sequence[tuple[str, object]], deadlines: Mapping[HookName, float] = DEADLINES
    ) -> None:
        manager = pluggy.PluginManager("serai")
        manager.add_hookspecs(specification)
        for name, loaded in plugins:
            manager.register(loaded, name=name)
        order = [name for name, _ in plugins]
        found = {hook: _implementations(caller, order) for hook, caller in vars(manager.hook).items()}
        for hook in found.keys() - deadlines.keys():
            for one in found[hook]:
                _log.warning("a hook is not called yet", hook=hook, plugin=one.plugin)
        self._implementations = {hook: found[hook] for hook in deadlines}
        self._deadlines = deadlines
        self.used: frozenset[HookName] = frozenset(hook for hook in deadlines if found[hook])

    async def select_agent(self, source: Source, route_match: str | None) -> Choice | None:
        values = {"source": source.mapping(), "route_match": route_match}
        for one in self._implementations["select_agent"]:
            answer = await one.ask(values, self._deadlines["select_agent"])
            if isinstance(answer, str) and answer.strip():
                return Choice(answer.strip(), one.plugin)
        return None

    async def pre_gateway_dispatch(self, agent: AgentId, source: Source, text: str) -> str | Dropped:
        values = {"agent_id": agent, "source": source.mapping(), "text": text}
        for one in self._implementations["pre_gateway_dispatch"]:
            answer = await one.ask(values, self._deadlines["pre_gateway_dispatch"])
            if answer is False:
                return Dropped(one.plugin)
            if isinstance(answer, str) and answer.strip():
                values["text"] = answer
            elif answer is not None:
                one.senseless(answer)
        return str(values["text"])

    async def on_session_start(self, agent: AgentId, session: SessionId, source: Source) -> None:
        values = {"agent_id": agent, "session_id": session, "source": source.mapping()}
        await self._tell("on_session_start", values)

    async def on_session_end(self, agent: AgentId, session: SessionId, turn: TurnId, outcome: TurnEnd) -> None:
        values = {"agent_id": agent, "session_id": session, "turn_id": turn, "outcome": outcome}
        await self._tell("on_session_end", values)

    async def on_session_finalize(self, agent: AgentId, session: SessionId, reason: str) -> None:
        await self._tell("on_session_finalize", {"agent_id": agent, "session_id": session, "reason": reason})

    async def on_session_reset(self, agent: AgentId, session: SessionId, old: SessionId) -> None:
        await self._tell("on_session_reset", {"agent_id": agent, "session_id": session, "old_session_id": old})

    async def pre_llm_call(self, at: Moment, model: str, messages: Sequence[Message]) -> Sequence[str]:
        values = {**_place(at), "model": model, "messages": [plain.message(one) for one in messages]}
        texts = []
        for one in self._implementations["pre_llm_call"]:
            answer = await one.ask(values, self._deadlines["pre_llm_call"])
            if isinstance(answer, str):
                texts += [answer] if answer.strip() else []
            elif answer is not None:
                one.senseless(answer)
        return texts

    async def post_llm_call(self, at: Moment, model: str, text: str, usage: Usage) -> None:
        values = {**_place(at), "model": model, "text": text, "usage": plain.usage(usage)}
        await self._tell("post_llm_call", values)

    async def pre_tool_call(self, at: Moment, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | Blocked:
        for one in self._implementations["pre_tool_call"]:
            values = {**_place(at), "tool_name": tool, "args": arguments}
            answer = await one.ask(values, self._deadlines["pre_tool_call"])
            match answer:
                case None:
                    pass
                case {"block": reason}:  # whatever the reason is: what was meant is clear
                    return Blocked(one.plugin, reason if isinstance(reason, str) and reason.strip() else _NO_REASON)
                case {"args": given} if (changed := plain.json_object(given)) is not None:
                    arguments = changed
                case _:
                    one.senseless(answer)
        return arguments

    async def post_tool_call(
        self,
        at: Moment,
        tool: str,
        arguments: Mapping[str, Any],
        result: str,
        status: ToolStatus,
        seconds: float,
    ) -> None:
        values = {
            **_place(at),
            "tool_name": tool,
            "args": arguments,
            "result": result,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
        }
        await self._tell("post_tool_call", values)

    async def transform_tool_result(
        self, agent: AgentId, tool: str, arguments: Mapping[str, Any], result: str
    ) -> str:
        values = {"agent_id": agent, "tool_name": tool, "args": arguments, "result": result}
        return await self._transform("transform_tool_result", values, "result")

    async def transform_llm_output(self, agent: AgentId, session: SessionId, text: str) -> str:
        values = {"agent_id": agent, "session_id": session, "text": text}
        return await self._transform("transform_llm_output", values, "text")

    async def pre_approval_request(
        self, agent: AgentId, session: SessionId, approval: ApprovalId, tool: str, arguments: Mapping[str, Any]
    ) -> None:
        values = {
            "agent_id": agent,
            "session_id": session,
            "approval_id": approval,
            "tool_name": tool,
            "args": arguments,
        }
        await self._tell("pre_approval_request", values)

    async def post_approval_response(
        self, agent: AgentId, session: SessionId, approval: ApprovalId, choice: ApprovalState, by: str | None
    ) -> None:
        values = {
            "agent_id": agent,
            "session_id": session,
            "approval_id": approval,
            "choice": choice,
            "decided_by": by,
        }
        await self._tell("post_approval_response", values)

    async def on_delivery(self, delivery: Delivery, state: DeliveryState) -> None:
        values = {
            "agent_id": delivery.agent,
            "delivery_id": delivery.id,
            "target": plain.target(delivery.target),
            "state": state,
        }
        await self._tell("on_delivery", values)

    async def _tell(self, hook: HookName, values: Mapping[str, Any]) -> None:
        for one in self._implementations[hook]:
            await one.ask(values, self._deadlines[hook])

    async def _transform(self, hook: HookName, values: dict[str, Any], changed: str) -> str:
        """The value named `changed`, handed from plugin to plugin."""
        for one in self._implementations[hook]:
            answer = await one.ask(values, self._deadlines[hook])
            if isinstance(answer, str):
                values[changed] = answer
            elif answer is not None:
                one.senseless(answer)
        return str(values[changed])


def _place(at: Moment) -> dict[str, Any]:
    return {"agent_id": at.agent, "session_id": at.session, "turn_id": at.turn}


def _implementations(caller: pluggy.HookCaller, order: Sequence[str]) -> Sequence[Implementation]:
    made = [
        Implementation(caller.name, one.plugin_name, one.function, tuple(one.argnames))
        for one in caller.get_hookimpls()
    ]
    return sorted(made, key=lambda one: order.index(one.plugin))
