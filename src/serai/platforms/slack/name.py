"""People's names, which Slack's events do not tell: asked for once, and done without where that is not allowed."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

_KEPT: Final = 4096
_PATIENCE_S: Final = 1.0
"""A message must be stored and acknowledged within three seconds, with or without a name."""


class Names:
    """The names of one team's people, the latest ones kept."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self._known: OrderedDict[str, str] = OrderedDict()

    async def of(self, user: str) -> Mapping[str, str]:
        """The name of a person, by id; without an entry where it could not be had."""
        if user and user not in self._known:
            self._known[user] = await self._asked(user)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known

    async def _asked(self, user: str) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found: dict[str, Any] = (await self._web.users_info(user=user)).get("user", {})
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError):
            return ""
        profile = found.get("profile") or {}
        return str(profile.get("display_name") or found.get("real_name") or found.get("name") or "")
