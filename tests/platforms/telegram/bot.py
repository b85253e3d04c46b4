"""One bot at the peer: its updates as Telegram keeps them, its messages, and what it will meet."""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from tests.platforms.telegram.contract import checked_update


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the bot, its parameters decoded; `file` is what was uploaded with it."""

    method: str
    parameters: dict[str, Any]
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the bot as people see it now."""

    chat: str
    message: int
    text: str
    reply_to: int | None = None
    thread: int | None = None
    buttons: tuple[tuple[str, str], ...] = ()
    file: bytes | None = None
    file_name: str | None = None
    kind: str = "message"
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A scripted answer to the next call: `status` 0 stands for a connection that is cut, -1 for one that is silent
    after the request was read."""

    status: int
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    location: str = ""


class Poll:
    """A waiting getUpdates."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.ending: Answer | None = None

    def end(self, answer: Answer) -> None:
        self.ending = answer
        self.ended.set()


class FakeBot:
    """A bot account. `answers` are lined up for calls, by method in lower case; `faults` for the next send."""

    def __init__(self, token: str, name: str, number: int) -> None:
        self.token = token
        self.id = number
        self.username = name
        self.reads_all = False
        self.joins_groups = True
        self.revoked = False
        self.webhook = ""
        self.calls: list[Call] = []
        self.posted: list[Posted] = []
        self.typings: list[tuple[str, int | None]] = []
        self.answered: dict[str, str | None] = {}
        self.answers: dict[str, list[Answer]] = {}
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, int] = {}
        self.pending: dict[int, Any] = {}
        self.offers: dict[int, int] = {}
        self.asked_again: dict[int, int] = {}
        self.polls = 0
        self.changed = asyncio.Event()
        self._poll: Poll | None = None
        self._updates = count(1_000_001)
        self._messages = count(5001)

    @property
    def user(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.username,
            "username": self.username,
            "can_join_groups": self.joins_groups,
            "can_read_all_group_messages": self.reads_all,
            "supports_inline_queries": False,
        }

    @property
    def is_waiting(self) -> bool:
        """Whether a poll waits for something to happen."""
        return self._poll is not None and not self._poll.ended.is_set()

    def offer(self, update: dict[str, Any], number: int | None = None) -> int:
        """Something happened; returns the update's number. Raises Breach for what Telegram would not tell."""
        number = next(self._updates) if number is None else number
        self.pending[number] = checked_update({"update_id": number, **update})
        self._wake()
        return number

    def offer_malformed(self, update: object) -> int:
        """An update of a shape that is not checked."""
        number = next(self._updates)
        self.pending[number] = {"update_id": number, **update} if isinstance(update, dict) else update
        self._wake()
        return number

    def withdraw(self, number: int) -> None:
        for record in (self.pending, self.offers, self.asked_again):
            record.pop(number, None)

    def confirm(self, offset: int) -> None:
        for number in list(self.pending):
            if number < offset:
                del self.pending[number]
            elif self.offers.get(number):
                self.asked_again[number] = self.asked_again.get(number, 0) + 1
        self._wake()

    def told(self, limit: int) -> list[Any]:
        numbers = sorted(self.pending)[:limit]
        for number in numbers:
            self.offers[number] = self.offers.get(number, 0) + 1
        return [self.pending[number] for number in numbers]

    def begin_poll(self) -> Poll:
        """A poll that begins ends the one before."""
        if self._poll is not None:
            self._poll.end(
                Answer(409, "Conflict: terminated by other getUpdates request; make sure that only one bot")
            )
        self._poll = Poll()
        return self._poll

    def end_poll(self, answer: Answer) -> None:
        """Ends the waiting poll, as a fault does."""
        if self._poll is not None:
            self._poll.end(answer)
            self._poll = None

    def finish_poll(self, poll: Poll) -> None:
        if self._poll is poll:
            self._poll = None

    def post(self, posted: Posted) -> Posted:
        posted = replace(posted, message=next(self._messages))
        self.posted.append(posted)
        self._wake()
        return posted

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
