"""The agent's loop: ask the model, run the tools it wants, ask again, until it answers (DESIGN 4).

Every step is recorded before the next one begins, so that a turn goes on after a crash from its last recorded step:
a completed tool call is never run again, and one that had started without a result is repeated only where the tool
says that this is harmless (SPEC 5.3).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from serai.agent.call import run_call
from serai.agent.fallback import Fallback
from serai.agent.hooked import LoopHooks, arguments_of
from serai.core.approval import Permission
from serai.core.delivery import Enclosure, Target
from serai.core.error import ModelError
from serai.core.ids import SessionId, TurnId
from serai.core.message import Answer, Message, ToolCall, Usage
from serai.core.profile import AgentProfile
from serai.core.redact import Redactor
from serai.core.redact_message import clean_call, clean_message
from serai.core.turn import Step
from serai.ports.hooks import Blocked, Hooks, Moment, ToolStatus
from serai.ports.model import ModelReply, ModelRequest, OnDelta, ToolSpec
from serai.ports.tool import Asking, Enclosing, Tool, ToolContext

MODEL_CALLS_MOST: Final = 40
"""Model calls in one turn. Beyond it the agent goes in circles."""

_TOOLS_MOST: Final = 256
"""Sets of tools whose specifications are kept; there are as many as ways to combine toolsets."""

NOBODY: Final = Permission(given=False, reason="This call needs an approval, and nobody can be asked for it here.")

_INTERRUPTED: Final = (
    "This call was interrupted by a restart. It is not known whether it took effect; it was not repeated."
)

Record = Callable[[Sequence[Step], bool], Awaitable[None]]
"""Writes steps; the flag says whether they must surely be on disk before it returns."""

Join = Callable[[int], Awaitable[Sequence[Message]]]
"""Takes what was said meanwhile into the turn, recorded as the step of that number."""

OnTool = Callable[[int, ToolCall, bool | None], None]
"""Told that the call of a step starts (None), and whether it did what was asked when it ends."""

Approve = Callable[[int, ToolCall, str], Awaitable[Permission]]
"""Asks people whether the call of a step may run. Raises Suspended where the turn has to wait for them."""

_encode: Final = msgspec.json.Encoder().encode
_decode_reply: Final = msgspec.json.Decoder(ModelReply).decode
_decode_messages: Final = msgspec.json.Decoder(tuple[Message, ...]).decode


@dataclass(frozen=True, slots=True)
class Task:
    """What a turn asks of the loop. `context` is everything before the new messages; `new` begins with the user's.

    `steps` are those recorded by an earlier attempt. `join` is asked before each model call but the first for
    messages that came meanwhile (SPEC 6.2). A call of one of `client_tools` ends the turn: the client runs it, and
    its next turn brings the result. `origin` is the chat that is
    answered, `owner` the API key that asks.
    """

    profile: AgentProfile
    session: SessionId
    turn: TurnId
    context: Sequence[Message]
    new: Sequence[Message]
    tools: Mapping[str, Tool]
    options: Mapping[str, Any]
    record: Record
    steps: Sequence[Step] = ()
    join: Join | None = None
    on_delta: OnDelta | None = None
    on_tool: OnTool | None = None
    client_tools: tuple[ToolSpec, ...] = ()
    approve: Approve | None = None
    origin: Target | None = None
    owner: str = ""

    @property
    def moment(self) -> Moment:
        """Where its hooks are called."""
        return Moment(self.profile.id, self.session, self.turn)

    def context_of(self, call: ToolCall) -> ToolContext:
        return ToolContext(self.profile, self.session, self.turn, call.id, self.origin, self.owner)

    def is_clients(self, call: ToolCall) -> bool:
        """Whether the client is to run a call."""
        return call.name not in self.tools and any(call.name == spec.name for spec in self.client_tools)


@dataclass(slots=True)
class Progress:
    """How far a turn has come. `unwritten` steps are left for the transaction that finishes the turn; `handed_over`
    are the calls that it ended with, for the client to run; `enclosures` are files that go along with the answer.

    `new` is as it was said, for the history. Whatever leaves is without what `redactor` knows (SPEC 16.4).
    """

    new: list[Message]
    redactor: Redactor = field(default_factory=Redactor)
    usage: Usage = Usage()
    model: str = ""
    finish_reason: str = "stop"
    step: int = 0
    model_calls: int = 0
    unwritten: list[Step] = field(default_factory=list)
    handed_over: tuple[ToolCall, ...] = ()
    enclosures: list[Enclosure] = field(default_factory=list)
    _shown: list[Message] = field(default_factory=list)

    def answer(self) -> Answer:
        """What its asker gets."""
        said = next(one for one in reversed(self.new) if one.role == "assistant")
        calls = tuple(clean_call(self.redactor, call) for call in self.handed_over)
        return Answer(self.redactor.clean(said.text), self.usage, self.model, self.finish_reason, calls)

    def shown(self) -> Sequence[Message]:
        """The new messages as the model sees them. Each is looked at once: from the first call on, `new` must only
        grow."""
        self._shown += [clean_message(self.redactor, one) for one in self.new[len(self._shown) :]]
        return self._shown

    def complete_messages(self) -> tuple[Message, ...]:
        """The new messages up to the last point where no tool call lacks its result: what history may keep. The
        client brings the results of those that were handed over."""
        kept = len(self.new)
        handed_over = {call.id for call in self.handed_over}
        missing: set[str] = set()
        for n, message in enumerate(self.new):
            if message.tool_calls:
                missing = {call.id for call in message.tool_calls} - handed_over
                kept = n
            missing.discard(message.tool_call_id or "")
            if not missing:
                kept = n + 1
        return tuple(self.new[:kept])


class AgentLoop:
    """Runs turns of any agent; keeps nothing between them."""

    def __init__(self, models: Fallback, hooks: Hooks) -> None:
        self._models = models
        self._hooks = LoopHooks(hooks)
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
            _take_reply(progress, reply)
            step = Step(progress.step, "model", "done", result=_encode(reply))
            if own:
                await self._run_tools(task, progress, step, own)
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

    async def _run_tools(self, task: Task, progress: Progress, asked: Step, calls: Sequence[ToolCall]) -> None:
        """All calls of one reply: their starts are on disk with the reply before the first one runs. From the first
        one on that needs an approval, they are pending."""
        begun = []
        waits = False
        for asked_call in calls:
            progress.step += 1
            call, start = await self._start(task, progress.step, asked_call)
            waits = waits or (start.state == "started" and _question(task, call) is not None)
            begun.append((call, replace(start, state="pending") if waits and start.state == "started" else start))
        await task.record([asked, *(start for _, start in begun)], True)
        for call, start in begun:
            await self._run_tool(task, progress, call, start)

    async def _start(self, task: Task, n: int, call: ToolCall) -> tuple[ToolCall, Step]:
        """The call as plugins leave it, and its first step: one that they block has failed before it began."""
        tool = task.tools.get(call.name)
        wish = call if tool is None else await self._hooks.wish(task.moment, call)
        if isinstance(wish, Blocked):
            return call, Step(n, "tool", "failed", call.id, _encode(call), wish.reason.encode())
        idempotent = tool is None or tool.idempotent
        return wish, Step(n, "tool", "started", call.id, _encode(wish), idempotent=idempotent)

    async def _run_tool(self, task: Task, progress: Progress, call: ToolCall, start: Step) -> None:
        if start.state == "pending":
            start = await self._begin(task, call, start)
        if task.on_tool is not None:
            task.on_tool(start.n, call, None)
        clock = asyncio.get_running_loop().time
        began = clock()
        if blocked := start.state == "failed":
            text, ok = progress.redactor.clean(start.result.decode()), False
        else:
            text, ok = await self._result(task, progress, call)
            end = replace(start, state="done" if ok else "failed", result=text.encode())
            await task.record([end], False)
            if ok:
                _enclose(task, progress, call)
        progress.new.append(Message("tool", text, tool_call_id=call.id, name=call.name))
        if task.on_tool is not None:
            task.on_tool(start.n, call, ok)
        if call.name in task.tools:
            status: ToolStatus = "blocked" if blocked else "done" if ok else "failed"
            await self._hooks.ran(task.moment, call, text, status, clock() - began)

    async def _begin(self, task: Task, call: ToolCall, pending: Step) -> Step:
        """The step of a call that waited for its turn: it has started on disk, or failed because it may not run."""
        question = _question(task, call)
        if question is None:
            permission = Permission(given=True)
        elif task.approve is None:
            permission = NOBODY
        else:
            permission = await task.approve(pending.n, call, question)
        if permission.given:
            begun = replace(pending, state="started")
        else:
            begun = replace(pending, state="failed", result=permission.reason.encode())
        await task.record([begun], True)
        return begun

    async def _result(self, task: Task, progress: Progress, call: ToolCall) -> tuple[str, bool]:
        """The text for the model, and whether the tool did what was asked. Neither plugins nor the record get to see
        a secret that the tool came upon."""
        clean, tool = progress.redactor.clean, task.tools.get(call.name)
        if tool is None:
            return clean(f"There is no tool named `{call.name}`."), False
        text, ok = await run_call(tool, task.context_of(call), call)
        text = clean(text)
        left = await self._hooks.result(task.moment, call, text)
        return text if left is text else clean(left), ok

    async def _replay(self, task: Task, progress: Progress) -> None:
        """What an earlier attempt had recorded; then the calls that it had started and may repeat."""
        again: list[tuple[ToolCall, Step]] = []
        for step in task.steps:
            progress.step = step.n
            if step.kind == "script":
                continue  # whoever ran it has made of it what the turn begins with
            if step.kind == "model":
                _take_reply(progress, _decode_reply(step.result))
                continue
            if step.kind == "input":
                progress.new.extend(_decode_messages(step.result))
                continue
            call = msgspec.json.decode(step.request, type=ToolCall)
            if step.state in ("started", "pending"):
                again.append((call, step))
            else:
                if step.state == "done":
                    _enclose(task, progress, call)
                text = _INTERRUPTED if step.state == "interrupted" else step.result.decode()
                progress.new.append(Message("tool", text, tool_call_id=call.id, name=call.name))
        for call, step in again:
            await self._run_tool(task, progress, call, step)


def _enclose(task: Task, progress: Progress, call: ToolCall) -> None:
    """Notes the file that a call has sent along."""
    tool = task.tools.get(call.name)
    arguments = arguments_of(call)
    if tool is None or arguments is None or not isinstance(tool, Enclosing):
        return
    enclosure = tool.enclosure(task.context_of(call), arguments)
    if enclosure is not None:
        progress.enclosures.append(enclosure)


def _question(task: Task, call: ToolCall) -> str | None:
    """What people must be asked before a call may run."""
    tool = task.tools.get(call.name)
    if tool is None or not isinstance(tool, Asking):
        return None
    arguments = arguments_of(call)
    return None if arguments is None else tool.question(arguments)


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


def _take_reply(progress: Progress, reply: ModelReply) -> None:
    progress.new.append(reply.message)
    progress.usage += reply.usage
    progress.model = reply.model
    progress.finish_reason = reply.finish_reason
    progress.model_calls += 1
