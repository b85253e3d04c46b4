"""Keeping files that came with messages, in the agent's own workspace (SPEC 6.8)."""

from typing import Protocol

from serai.core.profile import AgentProfile


class Inbox(Protocol):
    """Paths are from the workspace on, as `serai.core.inbox` makes them."""

    async def read(self, profile: AgentProfile, path: str, most: int) -> bytes | None:
        """A file that is kept already; None where there is none, or it has more than `most` bytes."""
        ...

    async def keep(self, profile: AgentProfile, path: str, data: bytes) -> None:
        """Keeps a file, in one step. Raises FetchFailed with a sentence where that cannot be done."""
        ...


class Fetch(Protocol):
    """Fetches by address, wherever people may point it (SPEC 14)."""

    async def __call__(self, url: str, limit: int) -> bytes:
        """What is there, of at most `limit` bytes. Raises FetchFailed; ConnectionError where another try may help."""
        ...
