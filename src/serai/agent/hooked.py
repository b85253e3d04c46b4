"""What plugins are asked around the loop's calls (SPEC 8.1). Nothing is made for a hook that no plugin has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from serai.core.message import Message, ToolCall
from serai.ports.hooks import Blocked, Hooks, Moment, ToolStatus
from serai.ports.model import ModelReply

Clean = Callable[[str], str]
"""Takes known secrets out of a text."""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class LoopHooks:
    """The hooks of one agent's loop, in the loop's words."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    @property
    def rewrites_answers(self) -> bool:
        """Whether what the model says may not be what people get, so that nothing of it is told early."""
        return "transform_llm_output" in self._hooks.used

    async def request(
        self, at: Moment, model: str, context: Sequence[Message], new: Sequence[Message], clean: Clean
    ) -> tuple[Message, ...]:
        """What the model is to see: what plugins add, cleaned, stands below the turn's last user message."""
        messages = (*context, *new)
        if "pre_llm_call" not in self._hooks.used:
            return messages
        texts = await self._hooks.pre_llm_call(at, model, messages)
        last = max((n for n, one in enumerate(messages) if one.role == "user"), default=None)
        if not texts or last is None:
            return messages
        added = replace(messages[last], text="\n\n".join([messages[last].text, *map(clean, texts)]))
        return (*messages[:last], added, *messages[last + 1 :])

    async def replied(self, at: Moment, reply: ModelReply, clean: Clean) -> None:
        """The model has answered."""
        if "post_llm_call" in self._hooks.used:
            await self._hooks.post_llm_call(at, reply.model, clean(reply.message.text), reply.usage)

    async def wish(self, at: Moment, call: ToolCall) -> ToolCall | Blocked:
        """The call that is to run in the place of `call`."""
        if "pre_tool_call" not in self._hooks.used or (arguments := arguments_of(call)) is None:
            return call
        left = await self._hooks.pre_tool_call(at, call.name, arguments)
        if isinstance(left, Blocked):
            return left
        return call if left is arguments else replace(call, arguments=_encode(left).decode())

    async def result(self, at: Moment, call: ToolCall, text: str) -> str:
        """What the model is told of a call that ran."""
        if "transform_tool_result" not in self._hooks.used or (arguments := arguments_of(call)) is None:
            return text
        return await self._hooks.transform_tool_result(at.agent, call.name, arguments, text)

    async def ran(self, at: Moment, call: ToolCall, text: str, status: ToolStatus, seconds: float) -> None:
        """The call's end is recorded."""
        if "post_tool_call" in self._hooks.used and (arguments := arguments_of(call)) is not None:
            await self._hooks.post_tool_call(at, call.name, arguments, text, status, seconds)

    async def answer(self, at: Moment, text: str) -> str:
        """What people get as the turn's answer."""
        if "transform_llm_output" not in self._hooks.used:
            return text
        return await self._hooks.transform_llm_output(at.agent, at.session, text)


def arguments_of(call: ToolCall) -> Mapping[str, Any] | None:
    """The call's arguments; None where they are no JSON object, so that it never runs."""
    try:
        return _decode(call.arguments or "{}")
    except msgspec.DecodeError:
        return None
