"""Functions of the API's client: offered to the model beside the agent's own tools, run by the client (SPEC 11.3)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from serai.core.message import ClientTools, Message
from serai.core.profile import AgentProfile
from serai.core.redact import Redactor
from serai.ports.model import ToolSpec
from serai.ports.tool import Tool

_NOTHING_TAKEN: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}

_NO_RESULT: Final = "The client brought no result of this call."


def offered(client: ClientTools, redactor: Redactor) -> tuple[ToolSpec, ...]:
    """The client's functions as the model sees them. Their names stay, as they are what the client is called by."""
    return tuple(
        ToolSpec(
            one.name,
            redactor.clean(one.description),
            redactor.clean_value(one.parameters) if one.parameters else _NOTHING_TAKEN,
            one.strict,
        )
        for one in client.tools
    )


def unusable_tools(profile: AgentProfile, own: Mapping[str, Tool], client: ClientTools | None) -> str | None:
    """Why this agent cannot be offered the client's functions; None where it can."""
    if client is None:
        return None
    if profile.models and profile.models[0].provider == "embedded":
        return "the embedded demo model of this agent cannot use tools"
    taken = sorted(client.names & own.keys())
    return f"the agent has a tool named `{taken[0]}` of its own; name yours differently" if taken else None


def settle_calls(past: Sequence[Message], new: list[Message]) -> str | None:
    """Brings the calls that the client was left with together with what it sent, before the model sees either.

    A call without a result gets one that says so, at the front of `new`, because models refuse a history with open
    calls. Returns the id of a result that nobody asked for, where there is one.
    """
    waiting = _waiting(past)
    if not waiting and (not new or new[0].role != "tool"):
        return None
    brought = [one.tool_call_id or "" for one in new if one.role == "tool"]
    own = {call.id for one in new for call in one.tool_calls}
    unasked = next((name for name in brought if name not in waiting and name not in own), None)
    if unasked is None:
        new[:0] = [Message("tool", _NO_RESULT, tool_call_id=name) for name in waiting if name not in brought]
    return unasked


def _waiting(past: Sequence[Message]) -> list[str]:
    """The ids of the calls at the end of a history that have no result."""
    answered: set[str | None] = set()
    for one in reversed(past):
        if one.role != "tool":
            return [call.id for call in one.tool_calls if call.id not in answered]
        answered.add(one.tool_call_id)
    return []
