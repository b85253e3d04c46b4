"""Reading and changing the database from the command line, whether a gateway runs or not."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.ids import AgentId
    from serai.ports.store import Store
    from serai.ports.store.archive import Archive

T = TypeVar("T")
U = TypeVar("U")


def read(place: Place, question: "Callable[[Archive], Awaitable[T]]", nothing: U) -> T | U:
    """The answer of the archive; `nothing` where there is no database yet. Raises StorageFailed."""
    import asyncio

    from serai.app.offline import archive

    async def reading() -> T:
        async with archive(place.layout) as opened:
            return await question(opened)

    return asyncio.run(reading()) if place.layout.database.exists() else nothing


def change(place: Place, work: "Callable[[Store], Awaitable[T]]", nothing: U, *, make: bool = False) -> T | U:
    """As `read`, with the store itself; `make` makes the database where there is none yet."""
    import asyncio

    from serai.app.offline import store

    async def changing() -> T:
        async with store(place.layout) as opened:
            return await work(opened)

    return asyncio.run(changing()) if make or place.layout.database.exists() else nothing


def stopped_agents(place: Place) -> "frozenset[AgentId]":
    """The agents that somebody has stopped (SPEC 7.6)."""

    async def stopped(archive: "Archive") -> "frozenset[AgentId]":
        return await archive.stopped()

    return read(place, stopped, frozenset())
