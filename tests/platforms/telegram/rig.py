"""A Telegram account and its peer, for the contract."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp

from serai.core.ids import Account
from serai.platforms.telegram.driver import Telegram
from serai.ports.platform import Receipt
from serai.testing.platform.malformed import Malformed, spoilt, texts
from serai.testing.platform.rig import RETRY_AFTER, Captured, Fault, Seen, Sever, Utterance
from serai.testing.platform.stage import Listening
from tests.platforms.telegram.bot import Answer, Posted
from tests.platforms.telegram.peer import TelegramPeer, person, place

ACCOUNT: Final = Account("telegram", "work")
TOKEN: Final = "7000001:AAfake-telegram-token-for-tests"
NAME: Final = "serai_bot"
IDS: Final = ("1", "42", "-1002285219667", "-42", "9007199254740991")
"""Telegram's ids are numbers of up to 52 bits; a group's is negative."""

_SEVERED: Final[dict[Sever, int]] = {"closed_1000": -2, "closed_1001": -2, "cut": 0, "silent": -1}
_SENDS: Final = ("sendmessage", "editmessagetext", "senddocument", "sendphoto")


class TelegramRig:
    """The contract's rig, and what Telegram's own tests need beyond it."""

    def __init__(self, session: aiohttp.ClientSession, peer: TelegramPeer) -> None:
        self.session = session
        self.peer = peer
        self.bot = peer.bot(TOKEN, NAME)
        self.platform = Telegram(ACCOUNT, TOKEN, session, peer.url)
        self._messages: dict[str, int] = {}
        self._free = count(900_001)
        self._withdrawn: dict[str, int] = {}
        self._pressed = count(1)

    @property
    def secrets(self) -> Sequence[str]:
        return (TOKEN, TOKEN.partition(":")[2])

    @property
    def ids(self) -> Sequence[str]:
        return IDS

    @property
    def seen(self) -> Sequence[Seen]:
        return [_seen(posted) for posted in self.bot.posted]

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        return [(chat, True) for chat, _ in self.bot.typings]

    def captured(self) -> Sequence[Captured]:
        files = sorted((Path(__file__).parent / "captured").glob("*.json"))
        return [Captured(file.stem, json.loads(file.read_text()), file.stem.startswith("ignored_")) for file in files]

    def payload(self, utterance: Utterance) -> object:
        number = self._number(utterance.message)
        return self.peer.says(utterance.text, chat=utterance.chat, user=utterance.user, message=number)

    def echo(self, text: str) -> object:
        return {"channel_post": self.peer.message(chat="42", text=text) | {"from": self.bot.user}}

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        number = self._number(message)
        self.bot.files[f"file{number}"] = data
        document = {
            "file_id": f"file{number}",
            "file_unique_id": f"u{number}",
            "file_name": name,
            "mime_type": media_type,
            "file_size": len(data),
        }
        return {"message": self.peer.message(message=number, document=document)}

    def _number(self, message: str) -> int:
        """The number of a message: its name, where that is one."""
        if message.removeprefix("-").isdigit():
            return int(message)
        return self._messages.setdefault(message, next(self._free))

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        """Offers updates; each is taken when a poll confirms it, and not when a poll asks for it again."""
        keys = [json.dumps(payload, sort_keys=True) for payload in payloads]
        numbers = [
            self.bot.offer(payload, self._withdrawn.pop(key, None))
            for key, payload in zip(keys, payloads, strict=True)
            if isinstance(payload, dict)
        ]
        taken = [await self._is_taken(number, payload) for number, payload in zip(numbers, payloads, strict=True)]
        for key, number, is_taken in zip(keys, numbers, taken, strict=True):
            if not is_taken:
                self.bot.withdraw(number)
                self._withdrawn[key] = number
        return taken

    async def _is_taken(self, number: int, payload: Any) -> bool:
        """The last piece of an album is always asked for again: more of it may come."""
        patience = 1 if "media_group_id" in json.dumps(payload) else 0
        while number in self.bot.pending:
            if self.bot.asked_again.get(number, 0) > patience:
                return False
            await self.bot.changed.wait()
        return True

    def malformed(self) -> Sequence[Malformed]:
        good = self.payload(Utterance("spoilt", message="7"))
        assert isinstance(good, dict)
        return [*texts(ends=True), *spoilt(good), *_answers()]

    async def garble(self, payload: object) -> None:
        """A text is the whole answer of a poll; anything else is an update, which has to be confirmed."""
        await self.logged_in()
        if isinstance(payload, str):
            self.bot.end_poll(Answer(200, raw=payload.encode()))
            return
        number = self.bot.offer_malformed(payload)
        while number in self.bot.pending:
            await self.bot.changed.wait()

    async def fault(self, fault: Fault) -> None:
        answers = {
            "rate_limited": Answer(429, "Too Many Requests: retry after 7", {"retry_after": int(RETRY_AFTER)}),
            "server_error": Answer(502, raw=b"<html>Bad Gateway</html>"),
            "rejected": Answer(403, "Forbidden: bot was blocked by the user"),
            "timeout": Answer(-1),
            "disconnect": Answer(0),
        }
        if fault == "refused":
            await self.peer.refuse()
            return
        for method in _SENDS:
            self.bot.answers[method] = [answers[fault]]

    async def logged_in(self) -> None:
        while not self.bot.is_waiting:
            await asyncio.sleep(0.05)

    async def sever(self, how: Sever) -> None:
        self.bot.end_poll(Answer(_SEVERED[how]))

    async def revoke(self) -> None:
        self.bot.revoked = True
        self.bot.end_poll(Answer(401, "Unauthorized"))

    async def log_in_elsewhere(self) -> None:
        self.peer.polls_elsewhere(self.bot)

    async def press(self, label: str, *, user: str = "42") -> bool:
        posted = next(p for p in reversed(self.bot.posted) if label in dict(p.buttons))
        name = f"press{next(self._pressed)}"
        self.bot.offer(pressed(name, posted, dict(posted.buttons)[label], self.bot.user, user))
        for _ in range(100):
            if name in self.bot.answered:
                return True
            await asyncio.sleep(0.1)
        return False

    async def start_blank(self) -> None:
        blank = Telegram(ACCOUNT, " ", self.session, self.peer.url)
        await blank.run(Listening(_never))


def pressed(name: str, posted: Posted, value: str, bot: dict[str, Any], user: str) -> dict[str, Any]:
    """The update of a pressed button."""
    message = {
        "message_id": posted.message,
        "date": 1_700_000_000,
        "chat": place(posted.chat),
        "from": {key: bot[key] for key in ("id", "is_bot", "first_name", "username")},
        "text": posted.text,
    }
    if posted.thread is not None:
        message |= {"message_thread_id": posted.thread, "is_topic_message": True}
    query = {"id": name, "from": person(user), "chat_instance": "1", "message": message, "data": value}
    return {"callback_query": query}


def _answers() -> list[Malformed]:
    """Answers of a poll with updates that have no number."""
    updates = ("null", "7", "[]", "{}", '{"update_id": "1"}', '{"update_id": null}', '{"update_id": 1e999}')
    answers = [f'{{"ok": true, "result": [{update}]}}' for update in updates]
    answers += ['{"ok": true}', '{"ok": true, "result": 7}', '{"ok": true, "result": null}', '{"ok": 7}']
    return [Malformed(f"a poll answered with {answer}", answer, ends=True) for answer in answers]


def _seen(posted: Posted) -> Seen:
    return Seen(
        posted.chat,
        posted.text,
        () if posted.reply_to is None else (str(posted.reply_to),),
        str(posted.message),
        None if posted.thread is None else str(posted.thread),
        posted.edits,
        tuple(label for label, _ in posted.buttons),
        posted.file,
    )


async def _never(inbound: object) -> Receipt:
    raise AssertionError("a driver without a token received something")


@asynccontextmanager
async def rig() -> AsyncIterator[TelegramRig]:
    """An account at a peer of its own."""
    async with TelegramPeer() as peer, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield TelegramRig(session, peer)
