"""The agent's loop: ask the model, run the tools it wants, ask again, until it answers (DESIGN 4).

Every step is recorded before the next one begins, so that a turn goes on after a crash from its last recorded step:
a completed tool call is never run again, and one that had started without a result is repeated only where the tool
says that this is harmless (SPEC 5.3).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from serai.agent.calls import Calls, enclose
from serai.agent.fallback import Fallback
from serai.agent.hooked import LoopHooks
from serai.agent.progress import Progress
from serai.agent.task import Join, Task
from serai.core.error import ModelError
from serai.core.message import Answer, Message, ToolCall
from serai.core.turn import Step
from serai.ports.hooks import Hooks
from serai.ports.model import ModelReply, ModelRequest, ToolSpec
from serai.ports.tool import Tool

MODEL_CALLS_MOST: Final = 40
"""Model calls in one turn. Beyond it the agent goes in circles."""

_TOOLS_MOST: Final = 256
"""Sets of tools whose specifications are kept; there are as many as ways to combine toolsets."""

_INTERRUPTED: Final = (
    "This call was interrupted by a restart. It is not known whether it took effect; it was not repeated."
)

_encode: Final = msgspec.json.Encoder().encode
_decode_reply: Final = msgspec.json.Decoder(ModelReply).decode
_decode_messages: Final = msgspec.json.Decoder(tuple[Message, ...]).decode
_decode_call: Final = msgspec.json.Decoder(ToolCall).decode


class AgentLoop:
    """Runs turns of any agent; keeps nothing between them."""

    def __init__(self, models: Fallback, hooks: Hooks) -> None:
        self._models = models
        self._hooks = LoopHooks(hooks)
        self._calls = Calls(self._hooks)
        self._specs: dict[int, tuple[Mapping[str, Tool], tuple[ToolSpec, ...]]] = {}

    async def run(self, task: Task, progress: Progress) -> Answer:
        """Brings the turn to its answer, keeping `progress` true all the while, also when it raises.

        Raises ModelError, NoModel; Fenced from `record`, Suspended from `approve`.
        """
        await self._replay(task, progress)
        while not _answered(task, progress):
            if progress.model_calls >= MODEL_CALLS_MOST:
                raise ModelError(f"no answer after {MODEL_CALLS_MOST} model calls in one turn")
            if task.join is not None and progress.model_calls:
                await _join(task.join, progress)
            reply = await self._ask(task, progress)
            calls = reply.message.tool_calls
            own = [call for call in calls if not task.is_clients(call)]
            if not calls or len(own) < len(calls):
                reply = await self._final(task, progress, reply)
            progress.step += 1
            progress.take(reply)
            step = Step(progress.step, "model", "done", result=_encode(reply))
            if own:
                await self._calls.run(task, progress, step, own)
            else:
                progress.unwritten.append(step)
        return progress.answer()

    async def _ask(self, task: Task, progress: Progress) -> ModelReply:
        """One call of the model, with what plugins add to it."""
        endpoint, at = task.profile.models[0], task.moment
        messages = await self._hooks.request(
            at, endpoint.name, task.context, progress.shown(), progress.redactor.clean
        )
        request = ModelRequest(
            task.profile.id, endpoint, messages, self._specs_of(task.tools), task.options, task.client_tools
        )
        on_delta = None if self._hooks.rewrites_answers else task.on_delta
        reply = await self._models.complete(request, task.profile.models, on_delta, progress.redactor)
        await self._hooks.replied(at, reply, progress.redactor.clean)
        return reply

    async def _final(self, task: Task, progress: Progress, reply: ModelReply) -> ModelReply:
        """The reply as plugins leave it: told now, where it was held back until it was final."""
        if not self._hooks.rewrites_answers:
            return reply
        text = await self._hooks.answer(task.moment, reply.message.text)
        if task.on_delta is not None and text:
            task.on_delta(progress.redactor.clean(text))
        return replace(reply, message=replace(reply.message, text=text))

    def _specs_of(self, tools: Mapping[str, Tool]) -> tuple[ToolSpec, ...]:
        """The same tuple for the same tools, so that models may keep what they make of it."""
        known = self._specs.get(id(tools))
        if known is None or known[0] is not tools:
            if len(self._specs) >= _TOOLS_MOST:
                self._specs.clear()
            known = self._specs[id(tools)] = (tools, tuple(tool.spec for tool in tools.values()))
        return known[1]

    async def _replay(self, task: Task, progress: Progress) -> None:
        """What an earlier attempt had recorded; then the calls that it had started and may repeat."""
        again: list[tuple[ToolCall, Step]] = []
        for step in task.steps:
            progress.step = step.n
            match step.kind:
                case "model":
                    progress.take(_decode_reply(step.result))
                case "input":
                    progress.new.extend(_decode_messages(step.result))
                case "tool" if step.state in ("started", "pending"):
                    again.append((_decode_call(step.request), step))
                case "tool":
                    _replay_call(task, progress, step)
                case "script":
                    pass  # whoever ran it has made of it what the turn begins with
        for call, step in again:
            await self._calls.run_one(task, progress, call, step)


def _replay_call(task: Task, progress: Progress, step: Step) -> None:
    """A call that came to its end, or was interrupted."""
    call = _decode_call(step.request)
    if step.state == "done":
        enclose(task, progress, call)
    progress.take_result(call, _INTERRUPTED if step.state == "interrupted" else step.result.decode())


def _answered(task: Task, progress: Progress) -> bool:
    """Whether the model's last word is an answer, or calls that are the client's to run. What the client brought
    along is no word of the model's."""
    if not progress.model_calls:
        return False
    last = progress.new[-1]
    if last.role == "assistant" and not last.tool_calls:
        return True
    if not task.client_tools:
        return False
    said = next((one for one in reversed(progress.new) if one.role == "assistant"), None)
    progress.handed_over = tuple(filter(task.is_clients, said.tool_calls)) if said is not None else ()
    return bool(progress.handed_over)


async def _join(join: Join, progress: Progress) -> None:
    messages = await join(progress.step + 1)
    if messages:
        progress.step += 1
        progress.new.extend(messages)
