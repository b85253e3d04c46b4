"""Telling a chat why nothing comes of its message, where nobody else does (SPEC 5.8, 16.6)."""

import asyncio
from typing import Final

import structlog

from serai.core.delivery import Delivery, Target
from serai.core.error import Busy, Refused, SendFailed
from serai.core.ids import GATEWAY, DeliveryId
from serai.core.message import Inbound
from serai.ports.clock import Entropy
from serai.ports.platform import Platform

_log = structlog.get_logger("courtesy")

_AGAIN_SECONDS: Final = 60.0
"""A chat is told once in this time: some platforms send again what was not taken."""

_CHATS_MOST: Final = 4096


class Courtesy:
    """Best effort: what is said here is stored nowhere, and where it cannot be said, nothing is lost."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._told: dict[tuple[str, str], float] = {}
        self._working: set[asyncio.Task[None]] = set()

    def tell(self, platform: Platform, inbound: Inbound, error: Refused | Busy) -> None:
        """Says why, soon. For platforms that keep a connection: the others answer their caller."""
        source = inbound.source
        now = asyncio.get_running_loop().time()
        place = (str(source.connection), source.chat_id or "")
        if platform.capabilities.silence_s is None or now - self._told.get(place, float("-inf")) < _AGAIN_SECONDS:
            return
        if len(self._told) >= _CHATS_MOST:
            self._told.clear()
        self._told[place] = now
        target = Target(
            source.platform,
            source.chat_id or "",
            source.account,
            source.thread,
            reply_to=(source.message_id,) if source.message_id else (),
            chat_type=source.chat_type,
            user_id=source.user_id,
        )
        name = DeliveryId(f"dlv_{self._entropy.token()}")
        text = f"Sorry, I cannot answer: {error}."
        task = asyncio.create_task(_say(platform, Delivery(name, target, GATEWAY, text, attempt=1, state="sending")))
        self._working.add(task)
        task.add_done_callback(self._working.discard)


async def _say(platform: Platform, delivery: Delivery) -> None:
    try:
        await platform.send(delivery)
    except SendFailed as error:
        _log.info("a chat could not be told", account=str(platform.account), error=str(error))
