"""The home's database for commands, whether or not a gateway runs: SQLite lets several processes share it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serai.config.layout import Layout
from serai.core.error import Startup
from serai.ports.store import Store
from serai.ports.store.archive import Archive
from serai.stores.sqlite.archive import SqliteArchive
from serai.stores.sqlite.store import open_store


@asynccontextmanager
async def archive(layout: Layout) -> AsyncIterator[Archive]:
    """For reading. Raises Startup where nothing was ever stored."""
    _must_exist(layout)
    reader = SqliteArchive(layout.database)
    try:
        yield reader
    finally:
        await reader.close()


@asynccontextmanager
async def store(layout: Layout) -> AsyncIterator[Store]:
    """For changing one thing; made where there is none. A running gateway sees it in its next sweep.

    Raises Startup.
    """
    opened = open_store(layout.database)
    try:
        yield opened
    finally:
        await opened.close()


def _must_exist(layout: Layout) -> None:
    if not layout.database.exists():
        raise Startup(f"nothing is stored yet: {layout.database} does not exist")
