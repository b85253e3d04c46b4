"""The calls of one reply: recorded, allowed, run and told, one after another (SPEC 5.3, 6.5)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from serai.agent.call import run_call
from serai.agent.hooked import LoopHooks, arguments_of
from serai.agent.progress import Progress
from serai.agent.task import Task
from serai.core.approval import Permission
from serai.core.message import ToolCall
from serai.core.turn import Step
from serai.ports.hooks import Blocked, ToolStatus
from serai.ports.tool import Asking, Enclosing

NOBODY: Final = Permission(given=False, reason="This call needs an approval, and nobody can be asked for it here.")

_encode: Final = msgspec.json.Encoder().encode


class Calls:
    """Runs calls of any turn; keeps nothing between them."""

    def __init__(self, hooks: LoopHooks) -> None:
        self._hooks = hooks

    async def run(self, task: Task, progress: Progress, asked: Step, calls: Sequence[ToolCall]) -> None:
        """All calls of the reply that is the step `asked`: their starts are on disk with it before the first one
        runs. From the first one on that needs an approval, they are pending. Raises what `Task.record` and
        `Task.approve` raise."""
        begun = []
        waits = False
        for asked_call in calls:
            progress.step += 1
            call, start = await self._start(task, progress.step, asked_call)
            waits = waits or (start.state == "started" and _question(task, call) is not None)
            begun.append((call, replace(start, state="pending") if waits and start.state == "started" else start))
        await task.record([asked, *(start for _, start in begun)], True)
        for call, start in begun:
            await self.run_one(task, progress, call, start)

    async def run_one(self, task: Task, progress: Progress, call: ToolCall, start: Step) -> None:
        """A call whose start is on disk, up to its result. Raises as `run`."""
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
                enclose(task, progress, call)
        progress.take_result(call, text)
        if task.on_tool is not None:
            task.on_tool(start.n, call, ok)
        if call.name in task.tools:
            status: ToolStatus = "blocked" if blocked else "done" if ok else "failed"
            await self._hooks.ran(task.moment, call, text, status, clock() - began)

    async def _start(self, task: Task, n: int, call: ToolCall) -> tuple[ToolCall, Step]:
        """The call as plugins leave it, and its first step: one that they block has failed before it began."""
        tool = task.tools.get(call.name)
        wish = call if tool is None else await self._hooks.wish(task.moment, call)
        if isinstance(wish, Blocked):
            return call, Step(n, "tool", "failed", call.id, _encode(call), wish.reason.encode())
        idempotent = tool is None or tool.idempotent
        return wish, Step(n, "tool", "started", call.id, _encode(wish), idempotent=idempotent)

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


def enclose(task: Task, progress: Progress, call: ToolCall) -> None:
    """Notes the file that a call, which has done what was asked, has sent along."""
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
