"""Showing people that an answer is being written, while its turn runs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from serai.core.delivery import Target
from serai.core.error import SendFailed, SendTemporary
from serai.core.ids import Account
from serai.ports.platform import Platform, Typing

_log = structlog.get_logger("presence")

_BACK_SECONDS: Final = 5.0
"""For which taking it back may last."""


class Presence:
    """Keeps typing shown in the chats where turns run."""

    def __init__(self, connections: Callable[[Account], Platform | None]) -> None:
        self._connections = connections
        self._shown: set[asyncio.Task[None]] = set()

    def begin(self, target: Target) -> asyncio.Task[None] | None:
        """Shows it until the returned task is cancelled; None where the platform cannot."""
        platform = self._connections(target.connection)
        if (
            platform is None
            or (every_s := platform.capabilities.typing_s) is None
            or not isinstance(platform, Typing)
        ):
            return None
        task = asyncio.create_task(_show(platform, target, every_s))
        self._shown.add(task)
        task.add_done_callback(self._shown.discard)
        return task


async def _show(platform: Typing, target: Target, every_s: float) -> None:
    """A platform that fails at it is left alone: nobody misses an answer for that."""
    try:
        while True:
            wait = every_s
            try:
                await platform.typing(target, True)
            except SendTemporary as error:
                wait = max(every_s, error.retry_after or 0.0)
            await asyncio.sleep(wait)
    except SendFailed as error:
        _log.info("typing is not shown", chat=target.chat_id, reason=str(error))
    except Exception:  # noqa: BLE001  the drivers' supervisor: one's fault must not cost an answer
        _log.exception("the driver failed", account=str(target.connection))
    finally:
        with suppress(Exception):
            async with asyncio.timeout(_BACK_SECONDS):
                await platform.typing(target, False)
