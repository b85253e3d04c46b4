"""The library's bot with what it cannot do: telling updates as they came, and being silent about them."""

import logging
from collections.abc import Sequence
from typing import Final

import aiohttp
from telegram import Bot

from serai.platforms.telegram.request import Request
from serai.platforms.telegram.wire import KINDS

MOST_UPDATES: Final = 100
"""The most that one poll brings; it is the server's bound, too."""

_GRACE_SECONDS: Final = 10.0
"""For which an answer may be late before the connection counts as dead."""


class Client(Bot):
    """One bot at one Bot API server (`root`)."""

    __slots__ = ()

    def __init__(self, token: str, root: str, session: aiohttp.ClientSession) -> None:
        # The library logs addresses, which hold the token, and texts, some of them as errors.
        logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
        request = Request(session)
        super().__init__(token, f"{root}/bot", f"{root}/file/bot", request=request, get_updates_request=request)

    async def updates(self, offset: int | None, seconds: int) -> Sequence[object]:
        """What happened from `offset` on, undecoded, waiting `seconds` for something to happen; what is before the
        offset is confirmed by this. The library's own method gives nothing where one update does not fit.

        Raises TelegramError.
        """
        data = {"offset": offset, "timeout": seconds, "limit": MOST_UPDATES, "allowed_updates": list(KINDS)}
        found = await self._post("getUpdates", data, read_timeout=seconds + _GRACE_SECONDS)
        return found if isinstance(found, list) else ()
