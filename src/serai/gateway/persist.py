"""Writes that must not be given up because the disk is full."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from serai.core.error import StorageFailed

_log = structlog.get_logger("store")

_AGAIN_SECONDS: Final = 1.0

T = TypeVar("T")


async def until_stored(write: Callable[[], Awaitable[T]], what: str, **names: object) -> T:
    """What `write` returns as soon as it can be stored: what has already happened is kept until then.

    `what` waits is logged with `names` at each failure. Raises all that `write` raises except StorageFailed.
    """
    while True:
        try:
            return await write()
        except StorageFailed as error:
            _log.error(f"{what} waits to be stored", error=str(error), **names)
            await asyncio.sleep(_AGAIN_SECONDS)
