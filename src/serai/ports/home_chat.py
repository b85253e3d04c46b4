"""Home chats that people have chosen (SPEC 6.4, 9.5). Every method may raise StorageFailed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from serai.core.home_chat import HomeChat
from serai.core.ids import Account


@dataclass(frozen=True, slots=True)
class SetHomeChat:
    """What a command does: its account has this home chat from now on; None takes the chosen one back."""

    home: HomeChat | None


class HomeChats(Protocol):
    """What is remembered of chats for those who send to them unasked."""

    async def chosen(self) -> Mapping[Account, HomeChat]:
        """The home chats that were chosen in chats; those of the configuration are not among them."""
        ...

    async def chat_type(self, connection: Account, chat: str) -> str | None:
        """Of what type a chat is, as far as is known; None where nobody ever wrote in it."""
        ...
