"""The model and the tools that scripts direct by what people say."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any, Final

from serai.core.message import Message, ToolCall
from serai.ports.model import ModelRequest, ToolSpec
from serai.ports.tool import ToolContext
from serai.testing.model import Reply, ScriptedModel

_ROLES: Final = {"user": "user", "assistant": "agent"}
_DIRECTION: Final = re.compile(r"\s*\[(think|work|stubborn|late) ([\d.]+)\]\s*")


def plain(text: str) -> str:
    """A text on one line, without directions."""
    return " / ".join(_DIRECTION.sub(" ", line).strip() for line in text.splitlines())


def shown(messages: Sequence[Message]) -> str:
    """What a model is told, or a history, on one line."""
    return " | ".join(_shown(message) for message in messages if message.role != "system")


def _shown(message: Message) -> str:
    if message.tool_calls:
        return " ".join(f"call {call.name}" for call in message.tool_calls)
    if message.role == "tool":
        return f"result {message.text}"
    return f"{_ROLES[message.role]} {plain(message.text)}"


def make_model() -> ScriptedModel:
    """A model that does what the directions say, and answers with what it was told."""
    numbers = count(1)

    async def reply(request: ModelRequest) -> Reply:
        said = _open_question(request.messages)
        last = request.messages[-1]
        directions = dict(_DIRECTION.findall("\n".join(message.text for message in said)))
        if last.role == "user":
            now = dict(_DIRECTION.findall(last.text))
            await asyncio.sleep(float(now.get("think", 0)))
            for tool in ("work", "stubborn"):
                if tool in now:
                    return ToolCall(f"c{next(numbers)}", tool, f'{{"seconds": {now[tool]}}}')
        else:
            await asyncio.sleep(float(directions.get("late", 0)))
        return "re: " + " + ".join(plain(message.text).replace(" / ", "\n") for message in said)

    return ScriptedModel(reply)


def _open_question(messages: Sequence[Message]) -> list[Message]:
    """What people said since the last answer."""
    since = takewhile(lambda m: m.role != "assistant" or m.tool_calls, reversed(messages))
    return [message for message in since if message.role == "user"][::-1]


@dataclass(frozen=True, slots=True)
class Work:
    """A tool that takes its time. A stubborn one goes on when it is told to stop."""

    name: str
    stubborn: bool = False
    idempotent: bool = False

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, "takes time", {"type": "object", "properties": {}})

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        seconds = float(arguments["seconds"])
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                if not self.stubborn:
                    raise
        return f"worked {seconds:g} s"


TOOLS: Final = {"work": Work("work"), "stubborn": Work("stubborn", stubborn=True)}
