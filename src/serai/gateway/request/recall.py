"""What the agent did of its own before it handed calls over to the client, told to its model again (SPEC 11.3).

A client without a session brings the whole conversation along, but knows only its own calls of it. The agent's, and
their results, are on record: the ids of the client's calls say where.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from serai.core.call_id import own_ids, parted, shown_ids
from serai.core.ids import InputId
from serai.core.message import InputBody, Message
from serai.core.redact import Redactor
from serai.core.redact_message import clean_call
from serai.ports.store.arrival import Exchange

Look = Callable[[InputId], Awaitable[Exchange | None]]
"""Finds what a run said, where it is of the same key and agent."""


async def recalled(body: InputBody, look: Look, redactor: Redactor) -> InputBody:
    """`body` with what only the gateway knows. The client knows its calls as they were told: without the secrets that
    `redactor` knows."""
    if not any(one.tool_calls for one in (*body.history, *body.before)):
        return body
    return replace(
        body,
        history=await _recalled(body.history, look, redactor),
        before=await _recalled(body.before, look, redactor),
    )


async def _recalled(messages: Sequence[Message], look: Look, redactor: Redactor) -> tuple[Message, ...]:
    found: list[Message] = []
    for one in messages:
        full = await _in_full(one, look, redactor) if one.tool_calls else (one,)
        if len(full) > 1:
            _take_back(found, full, redactor)
        found.extend(full)
    return tuple(found)


def _take_back(found: list[Message], full: Sequence[Message], redactor: Redactor) -> None:
    """What the agent said on the way to its call is in the record, too."""
    texts = {redactor.clean(one.text) for one in full if one.role == "assistant"}
    while found and found[-1].role == "assistant" and not found[-1].tool_calls and found[-1].text in texts:
        found.pop()


async def _in_full(asked: Message, look: Look, redactor: Redactor) -> Sequence[Message]:
    """A message with calls as its turn had recorded it, with everything that led to it; as the client brought it
    where there is no such record, or the client has changed it."""
    run, _ = parted(asked.tool_calls[0].id)
    exchange = await look(run) if run is not None else None
    if run is None or exchange is None:
        return (asked,)
    said = exchange.answered()
    last = next((one for one in reversed(said) if one.role == "assistant"), None)
    own = {one.tool_call_id for one in said}
    left = [call for call in last.tool_calls if call.id not in own] if last is not None else []
    handed_over = tuple(clean_call(redactor, call) for call in left)
    unchanged = handed_over == own_ids(asked).tool_calls
    return tuple(shown_ids(run, one) for one in said) if unchanged else (asked,)
