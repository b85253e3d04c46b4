"""Names of people and chats, asked once and kept; which messages are the bot's own. All of it is an extra: without
the permission, or without an answer in time, a name is missing and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from serai.core.error import SendFailed
from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.memory import Memory
from serai.platforms.feishu.messages import Messages

_PATIENCE_SECONDS: Final = 1.0
"""For which a message waits for names; it must be acknowledged within 3 s."""

_HURRY_SECONDS: Final = 30.0
"""For which nothing is waited for once an answer was late: a burst of strangers must not add up."""

_KEPT: Final = 5000
_KEPT_SECONDS: Final = 86400.0
_AGAIN_SECONDS: Final = 600.0
"""After which a name that could not be had is asked for again."""


class Named(msgspec.Struct, frozen=True):
    name: str = ""


class User(msgspec.Struct, frozen=True):
    user: Named = Named()


class UserReply(msgspec.Struct, frozen=True):
    data: User = User()


class ChatReply(msgspec.Struct, frozen=True):
    data: Named = Named()


class Directory:
    """What one app knows of others."""

    def __init__(self, api: Api, messages: Messages) -> None:
        self._api = api
        self._messages = messages
        self._known = Memory[tuple[str, float]](_KEPT)
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._patient_from = 0.0

    async def user(self, open_id: str) -> str:
        """A person's name, or nothing."""
        return await self._look("user:" + open_id, lambda: self._ask_user(open_id))

    async def chat(self, chat_id: str) -> str:
        """A group's name, or nothing."""
        return await self._look("chat:" + chat_id, lambda: self._ask_chat(chat_id))

    async def author(self, message_id: str) -> str:
        """Who sent a message (an open_id or app_id), or nothing."""
        return await self._look("message:" + message_id, lambda: self._ask_author(message_id))

    def learn_user(self, open_id: str, name: str) -> None:
        """A name that came by itself, with a mention."""
        self._keep("user:" + open_id, name)

    def learn_author(self, message_id: str, author: str) -> None:
        """A message that was just sent."""
        self._keep("message:" + message_id, author)

    async def close(self) -> None:
        """Ends what is still being asked."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, key: str, ask: Callable[[], Awaitable[str]]) -> str:
        known = self._known.get(key)
        if known is not None and known[1] > asyncio.get_running_loop().time():
            return known[0]
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._fill(key, ask))
        now = asyncio.get_running_loop().time()
        if now >= self._patient_from:
            done, _ = await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
            if not done:
                self._patient_from = now + _HURRY_SECONDS
        known = self._known.get(key)
        return known[0] if known is not None else ""

    async def _fill(self, key: str, ask: Callable[[], Awaitable[str]]) -> None:
        try:
            self._keep(key, await ask())
        except SendFailed:
            self._keep(key, "")
        finally:
            del self._asked[key]

    def _keep(self, key: str, value: str) -> None:
        lasts = _KEPT_SECONDS if value else _AGAIN_SECONDS
        self._known[key] = (value, asyncio.get_running_loop().time() + lasts)

    async def _ask_user(self, open_id: str) -> str:
        query = {"user_id_type": "open_id"}
        return (await self._api.get(path("contact", "v3", "users", open_id), UserReply, query)).data.user.name

    async def _ask_chat(self, chat_id: str) -> str:
        return (await self._api.get(path("im", "v1", "chats", chat_id), ChatReply)).data.name

    async def _ask_author(self, message_id: str) -> str:
        return await self._messages.author(message_id) or ""
