"""Events of one run: read, handed to the gateway, answered."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from serai.core.delivery import Target
from serai.core.error import Busy, Refused, SendFailed, StorageFailed
from serai.core.ids import Account
from serai.core.source import Source
from serai.platforms.feishu import content, convert
from serai.platforms.feishu.connection import Answer
from serai.platforms.feishu.directory import Directory
from serai.platforms.feishu.speaker import Speaker
from serai.platforms.feishu.wire import BotInfo, Event, Header, Pressed, Recalled, Received
from serai.ports.platform import Link

_log = structlog.get_logger("feishu")

_TAKEN: Final = Answer()
_AGAIN: Final = Answer(500)
_EVENT: Final = msgspec.json.Decoder(Event)
_SENTENCES_MOST: Final = 50
"""Sentences to refused senders that may be under way at a time."""


@dataclass(frozen=True, slots=True)
class Events:
    """What is done about an event. `app_id` is how the platform names the bot as an author."""

    account: Account
    app_id: str
    bot: BotInfo
    link: Link
    directory: Directory
    speaker: Speaker
    _sentences: set[asyncio.Task[None]] = field(default_factory=set)

    async def hear(self, payload: bytes) -> Answer:
        """Takes an event; once this returns with 200 it is stored, or nothing is to be done about it."""
        try:
            event = _EVENT.decode(payload)
            if event.header.event_type == "im.message.receive_v1":
                return await self._message(event.header, msgspec.json.decode(event.event, type=Received))
            if event.header.event_type == "im.message.recalled_v1":
                return await self._recalled(msgspec.json.decode(event.event, type=Recalled))
            if event.header.event_type == "card.action.trigger":
                return await self._pressed(event.header, msgspec.json.decode(event.event, type=Pressed))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            # The error names the field and never holds the text.
            _log.warning("an event could not be read", account=str(self.account), reason=str(error))
        except (Busy, StorageFailed) as error:
            _log.warning("an event could not be stored", account=str(self.account), reason=str(error))
            return _AGAIN
        return _TAKEN

    async def close(self) -> None:
        """Ends what is still being said."""
        for task in self._sentences:
            task.cancel()
        await asyncio.gather(*self._sentences, return_exceptions=True)

    async def _message(self, header: Header, event: Received) -> Answer:
        message = event.message
        if convert.is_own(event, self.bot) or content.is_silent(message.message_type):
            return _TAKEN
        try:
            said = content.read(message.message_type, message.content, message.message_id)
        except content.Unreadable as kind:
            if event.sender.sender_type != "app" and (
                message.chat_type == "p2p" or convert.is_mentioned(event, self.bot)
            ):
                source = convert.source(self.account, header, event)
                self._tell(source, f"I cannot read messages of this kind ({kind}). Please send it as text or a file.")
            return _TAKEN
        known = await self._known(event)
        inbound = convert.inbound(self.account, header, event, said, self.bot, self.app_id, known)
        if not inbound.text and not inbound.attachments:
            return _TAKEN
        with suppress(Refused):  # the gateway tells the chat why
            await self.link.receive(inbound)
        return _TAKEN

    async def _recalled(self, event: Recalled) -> Answer:
        await self.link.receive(convert.revision(self.account, event))
        return _TAKEN

    async def _pressed(self, header: Header, event: Pressed) -> Answer:
        """Whoever pressed is shown the note, or why not."""
        press = convert.press(self.account, header, event)
        if press is None:
            return _TAKEN
        try:
            receipt = await self.link.receive(press)
        except Refused as error:
            return Answer(data={"toast": {"type": "error", "content": str(error)}})
        if not receipt.note:
            return _TAKEN
        return Answer(data={"toast": {"type": "info", "content": receipt.note}})

    async def _known(self, event: Received) -> convert.Known:
        """Names that are not in the event, and whom it answers; all at once, for there is little time."""
        message, ids = event.message, event.sender.sender_id
        for mention in message.mentions or ():
            if mention.open_id and mention.name:
                self.directory.learn_user(mention.open_id, mention.name)
        group = message.chat_type != "p2p"
        asks_parent = group and message.parent_id and not convert.is_mentioned(event, self.bot)
        user, chat, author = await asyncio.gather(
            self.directory.user(ids.open_id) if ids and ids.open_id else _nothing(),
            self.directory.chat(message.chat_id) if group else _nothing(),
            self.directory.author(message.parent_id) if message.parent_id and asks_parent else _nothing(),
        )
        return convert.Known(user, chat, author)

    def _tell(self, source: Source, sentence: str) -> None:
        """Says something to the sender of a message, in the background: the event has to be answered first."""
        if len(self._sentences) >= _SENTENCES_MOST:
            return
        reply_to: Sequence[str] = (source.message_id,) if source.message_id else ()
        target = Target(
            source.platform,
            source.chat_id or "",
            source.account,
            source.thread_id,
            reply_to=tuple(reply_to),
            chat_type=source.chat_type,
        )
        key = "r-" + hashlib.sha256((source.message_id or "").encode()).hexdigest()[:32]
        task = asyncio.create_task(self._say(target, sentence, key))
        self._sentences.add(task)
        task.add_done_callback(self._sentences.discard)

    async def _say(self, target: Target, sentence: str, key: str) -> None:
        try:
            await self.speaker.say(target, sentence, key)
        except SendFailed as error:
            _log.warning("a sender could not be told", account=str(self.account), reason=str(error))


async def _nothing() -> str:
    return ""
