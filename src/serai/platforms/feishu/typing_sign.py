"""The sign of typing: a reaction that is put on the message that is being answered, and taken off again."""

from typing import Final

from serai.core.delivery import Target
from serai.platforms.feishu.memory import Memory
from serai.platforms.feishu.messages import Messages

_KEPT: Final = 1000


class TypingSign:
    """One app's signs."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._shown = Memory[tuple[str, str]](_KEPT)

    async def show(self, target: Target) -> None:
        """Puts it on the message that is answered, else on the chat's last one. It stays until it is taken off."""
        key = _key(target)
        if key in self._shown:
            return
        message = target.reply_to[-1] if target.reply_to else await self._messages.newest(target.chat_id)
        if message is not None:
            self._shown[key] = (message, await self._messages.mark(message))

    async def hide(self, target: Target) -> None:
        """Takes it off."""
        shown = self._shown.pop(_key(target))
        if shown is not None:
            await self._messages.unmark(*shown)


def _key(target: Target) -> str:
    return "\n".join((target.place, *target.reply_to[-1:]))
