"""The outside world of the crash tests: a model that follows its users' words, and the chat they read."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.patience import PATIENCE_S
from tests.process.model import Asked, Reply, Wish

PLANS: Final[Mapping[str, Sequence[tuple[str, ...]]]] = {
    "plain": [],
    "note": [("note",)],
    "ping": [("ping",)],
    "both": [("note", "ping")],
    "twice": [("note",), ("ping",)],
}
"""By the second word of a message: the tools that the model asks for, reply by reply, before it answers."""

_MARK: Final = re.compile(r"m\d+")


def mark_of(text: str) -> str:
    """The word that makes a message, and every answer to it, unique."""
    found = _MARK.search(text)
    assert found is not None, f"no mark in {text!r}"
    return found.group()


class Conversation:
    """The model's script: runs the plan that a message asks for, then answers, naming the message.

    `told` is what it was told about each tool call, `faults` what was wrong about that; `asks` counts how often each
    reply (a message's, counted from 0) was asked for. `held` names
    messages, and which of their model calls (counted from 0) gets no reply until `go` is set.
    """

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self.asks: Counter[tuple[str, int]] = Counter()
        self.held: dict[str, int] = {}
        self.go = asyncio.Event()
        self.faults: list[str] = []
        self._asked = asyncio.Condition()
        self._waiting: list[str] = []

    async def __call__(self, asked: Asked) -> Reply:
        mark, kind = asked.user_text.split()[:2]
        since = asked.since_user
        self._check(asked.messages)
        done = sum(1 for message in since if message["role"] == "assistant")
        self.asks[mark, done] += 1
        if self.held.get(mark) == done:
            await self._hold(mark)
        plan = PLANS[kind]
        if done < len(plan):
            return tuple(Wish(tool, {"text": mark}) for tool in plan[done])
        results = " | ".join(message["content"] for message in since if message["role"] == "tool")
        return f"answer to {mark} from {asked.body['model']} | {results}"

    async def waits(self, mark: str, times: int = 1) -> None:
        """Waits until the reply to a held message has been asked for so many times."""
        async with asyncio.timeout(PATIENCE_S), self._asked:
            await self._asked.wait_for(lambda: self._waiting.count(mark) >= times)

    async def _hold(self, mark: str) -> None:
        async with self._asked:
            self._waiting.append(mark)
            self._asked.notify_all()
        await self.go.wait()

    def _check(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Every call has exactly one result, and a call is told the same thing each time."""
        asked = [call["id"] for one in messages if one["role"] == "assistant" for call in one.get("tool_calls", ())]
        told = [(one["tool_call_id"], one["content"]) for one in messages if one["role"] == "tool"]
        if sorted(asked) != sorted(call for call, _ in told):
            self.faults.append(f"asked for {asked}, told about {told}")
        for call, text in told:
            if self.told.setdefault(call, text) != text:
                self.faults.append(f"{call} was told {self.told[call]!r}, then {text!r}")
