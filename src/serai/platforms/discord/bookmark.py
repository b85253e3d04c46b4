"""Up to where an account's messages are stored, so that a gap in the connection can be read up.

Discord replays what a connection missed only while its session can be resumed. After a restart, or a longer cut, the
driver reads the channels' history from the bookmark on. What is read twice is known by its key.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

_EPOCH_MS: Final = 1_420_070_400_000
"""When Discord's ids begin: 2015-01-01 UTC."""

_DIRECT_MOST: Final = 100
"""Direct chats that are looked at after a gap, the latest ones: Discord lists a bot's servers, not those."""


def snowflake(seconds: float) -> int:
    """The lowest id that something made at this time (seconds since the epoch) can have."""
    return max(0, int(seconds * 1000) - _EPOCH_MS) << 22


class _File(msgspec.Struct):
    newest: int
    direct: list[int]


@dataclass(frozen=True, slots=True)
class Gap:
    """What may have been missed: everything after `after`, in any channel of a server or one of `direct`."""

    after: int
    direct: tuple[int, ...]


class Bookmark:
    """One account's. `path` may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest: int | None = None
        self._direct: dict[int, None] = {}
        self._behind: dict[int, int] = {}
        self._dirty = False

    @property
    def mark(self) -> int | None:
        """The id up to which everything is stored; None before the first start."""
        return None if self._newest is None else min([self._newest, *self._behind.values()])

    @property
    def gap(self) -> Gap:
        return Gap(self.mark or 0, tuple(self._direct))

    async def load(self, now: float) -> None:
        """Reads the file. Without one, or with one that cannot be read, everything counts as stored until `now`."""
        if self._newest is not None:
            return
        try:
            found = msgspec.json.decode(await asyncio.to_thread(self._path.read_bytes), type=_File)
        except (OSError, msgspec.MsgspecError):
            self._newest, self._dirty = snowflake(now), True
            return
        self._newest, self._direct = found.newest, dict.fromkeys(found.direct)

    def stored(self, channel: int, message: int, *, direct: bool) -> None:
        """Notes that a message is stored, or needs no storing."""
        self._newest = max(self._newest or 0, message)
        if direct:
            self._direct.pop(channel, None)
            self._direct[channel] = None
            while len(self._direct) > _DIRECT_MOST:
                del self._direct[next(iter(self._direct))]
        self._dirty = True

    def fall_behind(self, channel: int, message: int) -> None:
        """Notes that a message could not be stored: its channel must be read from there on."""
        self._behind[channel] = min(message - 1, self._behind.get(channel, message))
        self._dirty = True

    def behind(self, channel: int) -> int | None:
        """The id after which a channel must be read; None where nothing is missing."""
        return self._behind.get(channel)

    def catch_up(self, channel: int) -> None:
        """Notes that nothing is missing of a channel any more."""
        self._behind.pop(channel, None)
        self._dirty = True

    async def save(self) -> None:
        """Writes what has changed. Raises OSError."""
        if self._dirty and self.mark is not None:
            self._dirty = False
            await asyncio.to_thread(self._write, msgspec.json.encode(_File(self.mark, list(self._direct))))

    def _write(self, data: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(data)
        os.replace(fresh, self._path)  # noqa: PTH105  one step, on all systems
