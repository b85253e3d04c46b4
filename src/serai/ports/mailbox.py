"""What the web chat keeps: chats, what people wrote in them, what agents answered (SPEC 13).

It is to this chat what a chat service's own servers are to its users: the conversation as people see it, whichever
agents, sessions and lanes stand behind it. All times are seconds since the epoch. Every method may raise
StorageFailed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from serai.core.delivery import Button
from serai.core.ids import InputId

MessageState = Literal["sending", "running", "done", "failed", "cancelled"]
"""Of a person's message: not accepted yet, accepted, and how its turn ended. An agent's is `done`, or `cancelled`
where it was stopped half way."""


@dataclass(frozen=True, slots=True)
class ChatRow:
    """One chat in the list. `owner` is the name of the key that began it."""

    id: str
    owner: str
    title: str
    updated_at: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that came with a message."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PostRow:
    """One message as it is shown.

    `n` is its place in the chat, `revision` grows with every change in the chat. `author` is an agent's id, or empty
    for the person. `answers` lists the messages that it answers; `input` is the input that a person's message became;
    `pictures` are their names. An agent's question has `buttons`, and answers nothing: its turn goes on.
    """

    chat: str
    id: str
    author: str
    text: str
    state: MessageState
    created_at: float
    n: int = 0
    revision: int = 0
    answers: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    input: InputId | None = None
    error: str | None = None
    buttons: tuple[Button, ...] = ()


class Mailbox(Protocol):
    """The web chat's memory."""

    async def owner(self, chat: str) -> str | None:
        """Whose chat it is; None where there is none of that id."""
        ...

    async def chats(
        self, owner: str, query: str = "", limit: int = 100, before: float | None = None
    ) -> Sequence[ChatRow]:
        """The owner's chats, newest first; with a query those whose title or texts hold it, in any case. `before`:
        those whose last message is older than that."""
        ...

    async def posts(self, chat: str, after: int = 0) -> Sequence[PostRow]:
        """What changed in a chat after a revision, in the order in which it changed."""
        ...

    async def post(self, chat: str, post: str) -> PostRow | None:
        """One message."""
        ...

    async def add(self, post: PostRow, owner: str | None = None, pictures: Sequence[Picture] = ()) -> PostRow | None:
        """Keeps a message, unless there is one of that id, and returns the one that is kept.

        `owner` may begin the chat with it. None where the chat is not the owner's, or does not exist.
        """
        ...

    async def drop(self, chat: str, post: str) -> None:
        """Forgets a message that was not accepted, and its chat where it was the first."""
        ...

    async def settle(self, post: PostRow) -> None:
        """Keeps a message's new state, input and error."""
        ...

    async def unsettled(self) -> Sequence[PostRow]:
        """People's messages that are `sending` or `running`, of all chats."""
        ...

    async def picture(self, chat: str, post: str, n: int) -> Picture | None:
        """The `n`th picture of a message, from 0."""
        ...
