"""Ids of tool calls as the API's clients see them: they say which run asked, so that what the agent did before can be
told to its model again when the client brings the results.

Models keep the id that they gave, because some take no other. Inputs are stored with ids as clients see them, the
history has the models'.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from serai.core.ids import InputId
from serai.core.message import Message

_SHOWN: Final = re.compile(r"call_([0-9a-f]{24})_(.+)", re.DOTALL)
_RUN: Final = "run_"


def shown(run: InputId, call_id: str) -> str:
    """A call's id for the client.

    >>> shown(InputId("run_01a2032c872ea7f6a0a6f7fc"), "c1")
    'call_01a2032c872ea7f6a0a6f7fc_c1'
    """
    return f"call_{run.removeprefix(_RUN)}_{call_id}"


def parted(call_id: str) -> tuple[InputId | None, str]:
    """The run that asked and the model's own id; no run where the id is not one of ours.

    >>> parted("call_01a2032c872ea7f6a0a6f7fc_c1")
    ('run_01a2032c872ea7f6a0a6f7fc', 'c1')
    >>> parted("call_8")
    (None, 'call_8')
    """
    found = _SHOWN.fullmatch(call_id)
    return (None, call_id) if found is None else (InputId(f"{_RUN}{found[1]}"), found[2])


def own_ids(message: Message) -> Message:
    """A message from a client with the model's own ids."""
    return _with_ids(message, lambda name: parted(name)[1])


def shown_ids(run: InputId, message: Message) -> Message:
    """A message of the history as a client of that run would have sent it."""
    return _with_ids(message, lambda name: shown(run, name))


def _with_ids(message: Message, renamed: Callable[[str], str]) -> Message:
    if message.tool_call_id is not None:
        return replace(message, tool_call_id=renamed(message.tool_call_id))
    if not message.tool_calls:
        return message
    return replace(message, tool_calls=tuple(replace(call, id=renamed(call.id)) for call in message.tool_calls))
