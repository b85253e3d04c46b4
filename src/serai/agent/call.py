"""Running one tool for a turn, in a way that can be stopped (SPEC 5.3, 6.2)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from serai.core.error import ToolFailed
from serai.core.message import ToolCall
from serai.ports.tool import Tool, ToolContext

_STOP_SECONDS: Final = 5.0
"""For which a tool may go on after it was told to stop."""

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


async def run_call(tool: Tool, context: ToolContext, call: ToolCall) -> tuple[str, bool]:
    """The text for the model, and whether the tool did what was asked."""
    try:
        arguments = _decode(call.arguments or "{}")
    except msgspec.DecodeError as error:
        return f"The arguments are not a JSON object: {error}", False
    try:
        return await _stoppable(tool.run(context, arguments)), True
    except ToolFailed as error:
        return str(error), False


async def _stoppable(work: Coroutine[Any, Any, str]) -> str:
    """Runs a tool. When the turn is stopped, a tool that does not stop within its time is left behind: what it still
    does has no more effect on the turn."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        task.add_done_callback(_look_away)
        await asyncio.wait({task}, timeout=_STOP_SECONDS)
        raise


def _look_away(task: "asyncio.Task[str]") -> None:
    """Nobody wants the result any more, nor the error."""
    if not task.cancelled():
        task.exception()
