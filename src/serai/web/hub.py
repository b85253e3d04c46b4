"""Follows the turns of web messages from their acceptance to their end, whether somebody looks or not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from serai.core.event import RunEvent, TextDelta, ToolEnded, ToolStarted, TurnEnded, run_topic
from serai.core.ids import InputId
from serai.core.message import is_silence
from serai.gateway.persist import until_stored
from serai.ports.clock import Clock
from serai.ports.engine import Subscription
from serai.ports.mailbox import Mailbox, PostRow
from serai.web.draft import Draft
from serai.web.room import Room

_log = structlog.get_logger("web")

_LOOK_S: Final = 5.0
"""After this much silence the store is asked whether a turn has ended: events may be lost, the truth is not."""

_ANSWER_S: Final = 30.0
"""For which a draft stays when its turn has ended and the answer has not come yet."""

STOPPED: Final = "you stopped it"


@dataclass(frozen=True, slots=True)
class Turns:
    """What the hub needs of the gateway. `outcome` raises KeyError for an unknown input."""

    subscribe: Callable[[str], Subscription]
    outcome: Callable[[InputId], Awaitable[TurnEnded | None]]
    stop: Callable[[InputId, str], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Followed:
    """A message on its way to its answer."""

    post: PostRow
    draft: Draft
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False


class Hub:
    """All rooms of the process."""

    def __init__(self, mailbox: Mailbox, turns: Turns, clock: Clock) -> None:
        self._mailbox = mailbox
        self._turns = turns
        self._clock = clock
        self._rooms: dict[str, Room] = {}
        self._followed: dict[tuple[str, str], _Followed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.closed = False

    def listen(self, input_id: InputId) -> Subscription:
        """Everything that will be told about an input's turn."""
        return self._turns.subscribe(run_topic(input_id))

    def follow(self, post: PostRow, agent: str, subscription: Subscription) -> None:
        """Follows an accepted message; `agent` is the one that answers it, empty where that is not known."""
        key = (post.chat, post.id)
        if key in self._followed:
            subscription.close()
            return
        followed = self._followed[key] = _Followed(post, Draft(post.id, post.n, agent))
        self._room(post.chat).begin(followed.draft)
        task = asyncio.create_task(self._follow(followed, subscription), name="web message")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def resume(self) -> None:
        """Takes up what an earlier process was following. Messages that it had not accepted are left to be sent
        again."""
        for post in await self._mailbox.unsettled():
            if post.input is None:
                continue
            subscription = self.listen(post.input)
            try:
                ended = await self._turns.outcome(post.input)
            except KeyError:
                subscription.close()
                if post.state == "running":
                    await self._settle(post, TurnEnded("done"))
                continue
            if ended is not None:
                subscription.close()
                await self._settle(post, ended)
            else:
                self.follow(replace(post, state="running"), "", subscription)

    async def answered(self, answer: PostRow) -> None:
        """An answer is in the mailbox: what it answers is over, and so is every draft before that."""
        for post in answer.answers:
            followed = self._followed.get((answer.chat, post))
            if followed is not None:
                await self._end(followed, await self._outcome(followed) or TurnEnded("done"))
                self._clear(answer.chat, followed.draft)
        if (room := self._rooms.get(answer.chat)) is not None:
            room.tell()

    async def stop(self, chat: str) -> None:
        """Stops whatever runs or waits in a chat."""
        for followed in [one for one in self._followed.values() if one.post.chat == chat]:
            if followed.post.input is None or followed.ended:
                continue
            await self._turns.stop(followed.post.input, STOPPED)
            ended = await self._outcome(followed)
            if ended is not None:
                await self._end(followed, ended)

    @contextmanager
    def reading(self, chat: str) -> Iterator[Room]:
        """The chat's room, kept for the block."""
        room = self._room(chat)
        room.readers += 1
        try:
            yield room
        finally:
            room.readers -= 1
            self._tidy(chat)

    async def close(self) -> None:
        """Lets readers go and stops following; the next process takes it up."""
        self.closed = True
        for room in self._rooms.values():
            room.tell()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _room(self, chat: str) -> Room:
        return self._rooms.setdefault(chat, Room())

    def _tidy(self, chat: str) -> None:
        if (room := self._rooms.get(chat)) is not None and room.empty:
            del self._rooms[chat]

    def _clear(self, chat: str, answered: Draft) -> None:
        for followed in [one for one in self._followed.values() if one.post.chat == chat and one.ended]:
            if followed.draft.agent == answered.agent and followed.draft.n <= answered.n:
                followed.answered.set()
                self._room(chat).end(followed.draft)

    async def _follow(self, followed: _Followed, subscription: Subscription) -> None:
        """One message's whole way. Ends when its answer is in the mailbox, or none is to be waited for."""
        chat, draft = followed.post.chat, followed.draft
        try:
            if (ended := await self._outcome(followed)) is not None:  # a command, or what a plugin dropped
                await self._end(followed, ended)
            while not followed.ended:
                event = await self._next(followed, subscription)
                if isinstance(event, TurnEnded):
                    await self._end(followed, event)
                elif event is not None:
                    _apply(event, draft)
                    self._room(chat).tell() if isinstance(event, TextDelta) else self._room(chat).redraw()
            with suppress(TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    await followed.answered.wait()
        finally:
            subscription.close()
            self._followed.pop((chat, followed.post.id), None)
            self._room(chat).end(draft)
            self._tidy(chat)

    async def _next(self, followed: _Followed, subscription: Subscription) -> RunEvent | None:
        """The next event; after a silence the end, where the store knows of it."""
        try:
            async with asyncio.timeout(_LOOK_S):
                return await subscription.next()
        except TimeoutError:
            return await self._outcome(followed)

    async def _outcome(self, followed: _Followed) -> TurnEnded | None:
        if followed.post.input is None:
            return None
        try:
            return await self._turns.outcome(followed.post.input)
        except KeyError:
            return TurnEnded("done")

    async def _end(self, followed: _Followed, ended: TurnEnded) -> None:
        if followed.ended:
            return
        followed.ended = followed.draft.over = True
        if ended.state == "cancelled":
            await self._keep(followed)
        await self._settle(followed.post, ended)
        if not _speaks(ended):
            followed.answered.set()
            self._room(followed.post.chat).end(followed.draft)
        self._room(followed.post.chat).redraw()

    async def _keep(self, followed: _Followed) -> None:
        """What was written before a stop stays to be read; the agent's own history does not have it."""
        post, (_, text) = followed.post, followed.draft.since(0)
        if not text.strip() or not followed.draft.agent:
            return
        part = PostRow(
            post.chat,
            f"{post.id}.part",
            followed.draft.agent,
            text.rstrip(),
            "cancelled",
            self._clock.now(),
            answers=(post.id,),
        )
        await until_stored(lambda: self._mailbox.add(part), "a part of an answer", chat=post.chat)

    async def _settle(self, post: PostRow, ended: TurnEnded) -> None:
        settled = replace(post, state=ended.state, error=ended.fault.text if ended.fault else None)
        await until_stored(lambda: self._mailbox.settle(settled), "the end of a web message", chat=post.chat)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a web message is no longer followed", error=repr(error))


def _apply(event: RunEvent, draft: Draft) -> None:
    match event:
        case TextDelta(text):
            draft.write(text)
        case ToolStarted(call, name):
            draft.pause()
            draft.tools[call] = (name, "running")
        case ToolEnded(call, name, ok):
            draft.tools[call] = (name, "done" if ok else "failed")
        case _:
            pass


def _speaks(ended: TurnEnded) -> bool:
    """Whether an answer will be delivered."""
    if ended.answer is not None:
        return bool(ended.answer.text.strip()) and not is_silence(ended.answer.text)
    return ended.fault is not None and ended.state == "failed"
