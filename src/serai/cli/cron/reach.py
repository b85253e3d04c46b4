"""The chats that targets can mean, as the configuration and the database are now (SPEC 9.5)."""

import asyncio

from serai.app.offline_jobs import accounts, home_chats
from serai.cli.place import Place
from serai.core.reach import Chats
from serai.core.snapshot import Snapshot


def chats_of(place: Place, snapshot: Snapshot) -> Chats:
    """Those of a home. Raises Startup, StorageFailed."""
    return Chats(accounts(snapshot), asyncio.run(home_chats(place.layout, snapshot)))
