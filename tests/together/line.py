"""Accounts of chat platforms as their people see them: say something, and look at what the bot has said."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody writes. `chat` is the platform's own id; in a `group`, the bot is named."""

    chat: str
    user: str = "42"
    thread: str = ""
    group: bool = False


class Line(Protocol):
    """One account. `redelivers`: what was not acknowledged is told again, as the real platform does."""

    @property
    def account(self) -> str: ...

    @property
    def redelivers(self) -> bool: ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What stands in config.yaml for it."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]: ...

    def dial(self, url: str) -> None:
        """Where the gateway listens now, for platforms that call it; blank while it is away."""
        ...

    async def ready(self) -> None:
        """Waits until the gateway is logged in."""
        ...

    async def say(self, place: Place, text: str) -> None:
        """Somebody writes; returns when the platform has it."""
        ...

    def heard(self) -> Sequence[tuple[str, str]]:
        """Chat and text of everything that the bot has said, as it is now."""
        ...


@dataclass
class Later:
    """Work that goes on behind the scenes: tellings that are repeated until they are acknowledged."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@asynccontextmanager
async def opened(*openers: Any) -> AsyncIterator[list[Line]]:
    """All lines of all platforms. Each opener is an async context manager that gives some."""
    async with AsyncExitStack() as stack:
        lines: list[Line] = []
        for opener in openers:
            lines += await stack.enter_async_context(opener)
        yield lines
