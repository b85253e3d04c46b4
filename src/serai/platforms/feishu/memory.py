"""A few of the last things, so that nothing grows without bound."""

from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """A mapping that forgets what was set longest ago once it holds more than `most` entries."""

    __slots__ = ("_entries", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[str, V] = {}

    def get(self, key: str) -> V | None:
        return self._entries.get(key)

    def pop(self, key: str) -> V | None:
        return self._entries.pop(key, None)

    def __setitem__(self, key: str, value: V) -> None:
        self._entries.pop(key, None)
        self._entries[key] = value
        if len(self._entries) > self._most:
            del self._entries[next(iter(self._entries))]

    def __contains__(self, key: str) -> bool:
        return key in self._entries
