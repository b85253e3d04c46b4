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


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Whoever was the last to write in a direct chat, by the ids of that message."""

    user_id: str | None
    user_id_alt: str | None


class HomeChats(Protocol):
    """What is remembered of chats for those who send to them unasked."""

    async def chosen(self) -> Mapping[Account, HomeChat]:
        """The home chats that were chosen in chats; those of the configuration are not among them."""
        ...

    async def chat_type(self, connection: Account, chat: str, thread: str | None = None) -> str | None:
        """Of what type a chat, or a thread of it, is, as far as is known: as what was written there came with; where
        nobody ever wrote in that very place, as elsewhere in the chat, which is no `thread` for that. Else None."""
        ...

    async def correspondent(self, connection: Account, chat: str) -> Correspondent | None:
        """Who writes in a direct chat. Known where messages that came from it have joined a person's conversation,
        the one that person has across platforms (SPEC 3.6)."""
        ...
