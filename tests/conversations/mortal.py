"""A store whose process can die: from then on none of its writes begins, and the one that killed it never returns."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from serai.core.error import Fenced
from serai.stores.sqlite.database import connect, prepare
from serai.stores.sqlite.store import SqliteStore
from tests.conversations.script import Kill

WRITES = (
    "accept",
    "claim",
    "join",
    "record",
    "finish",
    "release",
    "order",
    "settle",
    "next_delivery",
    "deliver",
    "tell",
    "placed",
    "seal",
    "suspend",
    "decide",
)


class Life:
    """Of one process; `kill` says when it ends by itself. Once `buried`, it can be cleaned up after."""

    def __init__(self, kill: Kill | None = None) -> None:
        self._kill = kill
        self._left = kill.nth if kill else 0
        self.over = asyncio.Event()
        self.buried = asyncio.Event()

    async def passing(self, side: str, write: str) -> None:
        """Says that a write begins or has ended. Does not return to the dead."""
        kill = self._kill
        if kill is not None and (side, write) == (kill.side, kill.write) and not self.over.is_set():
            self._left -= 1
            if not self._left:
                self.over.set()
        if self.over.is_set():
            await self.buried.wait()
            raise Fenced("this process is dead")


class MortalStore(SqliteStore):
    """The store on disk, as long as its process lives. It commits on the event loop, so it works in virtual time."""

    def __init__(self, path: Path, life: Life) -> None:
        prepare(path)
        db = connect(str(path))
        super().__init__(db, db, inline=True)
        self.db = db
        for name in WRITES:
            setattr(self, name, _mortal(getattr(self, name), name, life))


def _mortal(call: Callable[..., Awaitable[Any]], name: str, life: Life) -> Callable[..., Awaitable[Any]]:
    @wraps(call)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        await life.passing("before", name)
        result = await call(*args, **kwargs)
        await life.passing("after", name)
        return result

    return wrapped
