"""The sign of typing: a reaction that is put on the message that is being answered, and taken off again."""

import asyncio
from typing import Final

from serai.core.delivery import Target
from serai.core.error import SendFailed
from serai.platforms.feishu.memory import Memory
from serai.platforms.feishu.messages import Messages

_KEPT: Final = 1000

_Mark = asyncio.Task[tuple[str, str] | None]
"""The message and the reaction on it; None where there is no message to put it on."""


class TypingSign:
    """One app's signs."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._shown = Memory[_Mark](_KEPT)

    async def show(self, target: Target) -> None:
        """Puts it on the message that is answered, else on the chat's last one. It stays until it is taken off."""
        key = _key(target)
        if key in self._shown:
            return
        # Whoever is cancelled meanwhile must still be able to take it off: nothing else ever would.
        mark = self._shown[key] = asyncio.create_task(self._mark(target))
        try:
            await asyncio.shield(mark)
        except SendFailed:
            self._shown.pop(key)
            raise

    async def hide(self, target: Target) -> None:
        """Takes it off."""
        shown = self._shown.pop(_key(target))
        if shown is not None and (mark := await shown) is not None:
            await self._messages.unmark(*mark)

    async def _mark(self, target: Target) -> tuple[str, str] | None:
        message = target.reply_to[-1] if target.reply_to else await self._messages.newest(target.chat_id)
        return None if message is None else (message, await self._messages.mark(message))


def _key(target: Target) -> str:
    return "\n".join((target.place, *target.reply_to[-1:]))
