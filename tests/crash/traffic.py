"""Chats and API clients that behave as real ones do: in order, patient, and sending again what nobody confirmed."""

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass, field

from tests.process.caller import Answer, Caller, Gone


@dataclass(slots=True, eq=False)
class Post:
    """A message of a chat. `acked`: the gateway has said that it has it. `twice`: its platform repeats it anyway."""

    id: str
    text: str
    twice: bool = False
    acked: bool = False


@dataclass(slots=True, eq=False)
class Chat:
    """One chat's messages, in their order; `waiting` those that were not confirmed yet."""

    id: str
    guild: str
    posts: list[Post] = field(default_factory=list)
    waiting: deque[Post] = field(default_factory=deque)

    def add(self, text: str, *, twice: bool = False) -> Post:
        post = Post(f"{self.id}-{len(self.posts)}", text, twice)
        self.posts.append(post)
        self.waiting.append(post)
        return post

    def document(self, post: Post) -> dict[str, str]:
        return {
            "chat_id": self.id,
            "guild_id": self.guild,
            "user_id": "alice",
            "message_id": post.id,
            "text": post.text,
        }


@dataclass(slots=True, eq=False)
class Call:
    """A question over the API. Without an idempotency key it is asked once, whatever comes of it."""

    text: str
    model: str
    key: str | None
    stream: bool = False
    session: str | None = None
    answers: list[Answer] = field(default_factory=list)
    lost: bool = False

    @property
    def is_open(self) -> bool:
        return not self.answers and not self.lost


class Traffic:
    """All that people ask of one home, over all lives of its gateway."""

    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.calls: list[Call] = []
        self.duplicates = 0
        self._open: list[Call] = []
        self._marks = itertools.count(1)

    def say(self, chat: str, kind: str, guild: str = "", *, twice: bool = False) -> Post:
        """A new message for a chat."""
        room = self.chats.setdefault(chat, Chat(chat, guild))
        return room.add(self._text(kind), twice=twice)

    def ask(
        self, kind: str, model: str = "default", *, keyed: bool, stream: bool = False, session: str | None = None
    ) -> Call:
        """A new question over the API."""
        text = self._text(kind)
        call = Call(text, model, f"key-{text.split()[0]}" if keyed else None, stream, session)
        self.calls.append(call)
        self._open.append(call)
        return call

    def _text(self, kind: str) -> str:
        return f"m{next(self._marks)} {kind}"

    async def flow(self, caller: Caller) -> None:
        """Sends all that is not confirmed, each chat in its order. Returns when all is, or the gateway is gone."""
        chats = [self._chat(caller, chat) for chat in self.chats.values() if chat.waiting]
        calls, self._open = self._open, []
        await asyncio.gather(*chats, *(self._call(caller, call) for call in calls))
        self._open += [call for call in calls if call.is_open]

    async def _chat(self, caller: Caller, chat: Chat) -> None:
        while chat.waiting:
            post = chat.waiting[0]
            try:
                await self._post(caller, chat, post)
                if post.twice:
                    await self._post(caller, chat, post)
            except Gone:
                return
            chat.waiting.popleft()

    async def _post(self, caller: Caller, chat: Chat, post: Post) -> None:
        answer = await caller.post(chat.document(post))
        assert answer.status == 202, answer
        assert not post.acked or answer.document["duplicate"], "a confirmed message was taken again"
        self.duplicates += bool(answer.document["duplicate"])
        post.acked = True

    async def repeat(self, caller: Caller, chats: int | None = None) -> None:
        """The last confirmed message of every chat, or of the newest ones, once more: each must be known."""
        for chat in list(self.chats.values())[-chats if chats else 0 :]:
            if chat.posts[-1].acked:
                try:
                    await self._post(caller, chat, chat.posts[-1])
                except Gone:
                    return

    async def _call(self, caller: Caller, call: Call) -> None:
        headers = {"Idempotency_Key": call.key} if call.key else {}
        if call.session is not None:
            headers["X_Hermes_Session_Id"] = call.session
        try:
            answer = await caller.ask(call.text, call.model, stream=call.stream, **headers)
        except Gone:
            call.lost = call.key is None
            return
        call.answers.append(answer)

    async def recall(self, caller: Caller) -> None:
        """Every keyed question that was answered, once more: each must get its first answer."""
        for call in self.calls:
            if call.key is not None and all(answer.status == 200 for answer in call.answers):
                await self._call(caller, call)
