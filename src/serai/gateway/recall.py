"""What the agent did of its own before it handed calls over to the client, told to its model again (SPEC 11.3).

A client without a session brings the whole conversation along, but knows only its own calls of it. The agent's, and
their results, are on record: the ids of the client's calls say where.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from serai.core.call_id import parted
from serai.core.ids import InputId
from serai.core.message import InputBody, Message
from serai.ports.store import Exchange

Look = Callable[[InputId], Awaitable[Exchange | None]]
"""Finds what a run said, where it is of the same key and agent."""


async def recalled(body: InputBody, look: Look) -> InputBody:
    """`body` with the model's own ids of tool calls, and with what only the gateway knows."""
    said = (*body.history, *body.before, body.message)
    if not any(one.tool_calls or one.tool_call_id for one in said):
        return body
    return replace(
        body,
        history=await _recalled(body.history, look),
        before=await _recalled(body.before, look),
        message=_own_ids(body.message),
    )


async def _recalled(messages: Sequence[Message], look: Look) -> tuple[Message, ...]:
    found: list[Message] = []
    for one in messages:
        found.extend(await _in_full(one, look) if one.tool_calls else (_own_ids(one),))
    return tuple(found)


async def _in_full(asked: Message, look: Look) -> Sequence[Message]:
    """A message with calls as its turn had recorded it, with everything that led to it; as the client brought it
    where there is no such record, or the client has changed it."""
    run, _ = parted(asked.tool_calls[0].id)
    mine = _own_ids(asked)
    exchange = await look(run) if run is not None else None
    if exchange is None:
        return (mine,)
    said = exchange.answered()
    last = next((one for one in reversed(said) if one.role == "assistant"), None)
    own = {one.tool_call_id for one in said}
    handed_over = tuple(call for call in last.tool_calls if call.id not in own) if last is not None else ()
    return said if handed_over == mine.tool_calls else (mine,)


def _own_ids(one: Message) -> Message:
    if one.tool_call_id is not None:
        return replace(one, tool_call_id=parted(one.tool_call_id)[1])
    if not one.tool_calls:
        return one
    return replace(one, tool_calls=tuple(replace(call, id=parted(call.id)[1]) for call in one.tool_calls))
