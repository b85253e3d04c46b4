"""A chat platform in memory, for tests of gateways and agents.

fake = FakePlatform()
await fake.says("hello", chat="1", user="42")
assert (await fake.answer()).text == "hello yourself"
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from serai.core.delivery import Delivery, Target
from serai.core.display import clean_name
from serai.core.error import FetchFailed, SendFailed, SendPermanent, Startup
from serai.core.ids import DEFAULT_ACCOUNT, Account, DeliveryId
from serai.core.message import Attachment, Inbound, Press, Revision
from serai.core.source import ChatType, Source
from serai.core.split import measure
from serai.ports.platform import Capabilities, Link, Receipt, Sent
from serai.testing.platform.trouble import Troubles

TOKEN: Final = "fake-platform-token"
"""The credential of a fake, so that tests can look for it where it must not be."""


class Written(msgspec.Struct, frozen=True):
    """What somebody says, as `FakePlatform.tells` takes it."""

    text: str
    chat: str
    user: str
    message: str


class FakePlatform:
    """A `ports.platform.Platform` whose other side is the test.

    `sent` holds the deliveries that arrived, each as people see it now: with the text of its last edit. `edits` are
    the edits that arrived, `attempts` is every call of `send` and `edit`, `typings` are chats with on or off,
    `enclosures` are the files that arrived, by their messages' ids. `connections` counts the runs. Where the
    capabilities have `send_key`, a delivery that arrived before is recognised by its id and not added again.

    Raises Startup for a blank token, as every driver does for a blank credential.
    """

    def __init__(
        self,
        name: str = "fake",
        account: str = DEFAULT_ACCOUNT,
        *,
        capabilities: Capabilities | None = None,
        token: str = TOKEN,
    ) -> None:
        if not token.strip():
            raise Startup(f"platform `{Account(name, account)}`: its token is blank; set one")
        self._account = Account(name, account)
        self._capabilities = capabilities or Capabilities(text_limit=4096)
        self._link: Link | None = None
        self._online = asyncio.Event()
        self._order = asyncio.Lock()
        self._ends: list[Exception] = []
        self._ended = asyncio.Event()
        self._troubles = Troubles()
        self._edit_troubles = Troubles()
        self._files: dict[str, bytes] = {}
        self._arrived = asyncio.Event()
        self._taken = 0
        self._spoken = 0
        self._known: dict[DeliveryId, Sent] = {}
        self.sent: list[Delivery] = []
        self.edits: list[Delivery] = []
        self.attempts: list[Delivery] = []
        self.typings: list[tuple[str, bool]] = []
        self.enclosures: dict[str, bytes] = {}
        self.connections = 0

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def run(self, link: Link) -> None:
        """Is connected until cancelled, or until `drops` or `hangs` says otherwise."""
        self._take_end()
        self._link = link
        self.connections += 1
        link.up(f"{self._account} bot")
        self._online.set()
        try:
            while True:
                self._take_end()
                self._ended.clear()
                await self._beat()
        finally:
            if self._link is link:
                self._go_offline()

    async def _beat(self) -> None:
        """Waits for an end, with signs of life as often as the capabilities make them needed."""
        silence_s = self._capabilities.silence_s
        while not self._ended.is_set():
            if self._link is not None:
                self._link.alive()
            with suppress(TimeoutError):
                async with asyncio.timeout(silence_s and silence_s / 3):
                    await self._ended.wait()

    async def send(self, delivery: Delivery) -> Sent:
        """Keeps the delivery in `sent`, or raises what `fails` has lined up."""
        self._check(delivery)
        return await self._troubles.meet(lambda: self._arrive(delivery))

    async def edit(self, delivery: Delivery) -> Sent:
        """Changes a message in `sent`, or raises what `fails_edits` has lined up."""
        self._check(delivery)
        return await self._edit_troubles.meet(lambda: self._change(delivery))

    async def typing(self, target: Target, on: bool) -> None:
        self.typings.append((target.chat_id, on))

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        data = self._files.get(attachment.ref or "")
        if data is None:
            raise FetchFailed("it is gone")
        if len(data) > limit:
            raise FetchFailed(f"it is larger than {limit} bytes")
        return data

    def _check(self, delivery: Delivery) -> None:
        self.attempts.append(delivery)
        limit, unit = self._capabilities.text_limit, self._capabilities.text_unit
        if measure(delivery.text, unit) > limit:
            raise SendPermanent(f"the text is longer than {limit} {unit} units")

    async def says(
        self,
        text: str,
        *,
        chat: str = "1",
        user: str = "42",
        chat_type: ChatType = "dm",
        thread: str | None = None,
        message: str | None = None,
        user_name: str | None = None,
        mentioned: bool = False,
        attachments: tuple[Attachment, ...] = (),
    ) -> Receipt:
        """A person writes `text`. Waits for the connection; messages reach the gateway in the order of the calls.

        `message` is the platform's id of it, a fresh one by default: the same id again is the same message again.
        Returns the gateway's receipt; raises what the gateway raised (Refused, Busy, StorageFailed).
        """
        self._spoken += 1
        number = message or f"m{self._spoken}"
        source = Source(
            self._account.platform,
            self._account.name,
            chat_id=chat,
            chat_type=chat_type,
            user_id=user,
            user_name=clean_name(user_name) if user_name else None,
            thread_id=thread,
            message_id=number,
        )
        key = json.dumps([chat, number])
        return await self.delivers(Inbound(source, text, key, attachments, mentioned=mentioned))

    async def tells(self, frame: bytes) -> Receipt | None:
        """Something comes in writing: what somebody says, as the JSON of a `Written`. Anything else is skipped."""
        try:
            written = msgspec.json.decode(frame, type=Written)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return await self.says(written.text, chat=written.chat, user=written.user, message=written.message)

    def file(self, name: str, media_type: str, data: bytes) -> Attachment:
        """A file to be attached to what somebody says."""
        ref = f"file{len(self._files) + 1}"
        self._files[ref] = data
        return Attachment(name=name, media_type=media_type, size=len(data), ref=ref)

    async def presses(self, label: str, *, user: str = "42") -> Receipt:
        """A person presses a button of that label under the last message that has one; otherwise like `says`."""
        self._spoken += 1
        sent, button = next((d, b) for d in reversed(self.sent) for b in d.buttons if b.label == label)
        place = Source(
            *self._account,
            chat_id=sent.target.chat_id,
            chat_type=sent.target.chat_type,  # type: ignore[arg-type]
            thread_id=sent.target.thread_id,
            user_id=user,
            message_id=sent.remote_id,
        )
        return await self.delivers(Press(place, button.value, f"press{self._spoken}"))

    async def delivers(self, inbound: Inbound | Revision | Press) -> Receipt:
        """Hands the gateway a message made elsewhere, or tells that one was changed; otherwise like `says`."""
        async with self._order:
            while self._link is None:
                await self._online.wait()
            return await self._link.receive(inbound)

    async def online(self) -> None:
        """Waits until there is a connection that works."""
        await self._online.wait()

    async def answer(self) -> Delivery:
        """The next delivery that arrived and was not yet returned here; waits for it, and until it grows no more."""
        while len(self.sent) <= self._taken or self.sent[self._taken].grows:
            self._arrived.clear()
            await self._arrived.wait()
        self._taken += 1
        return self.sent[self._taken - 1]

    def fails(self, *errors: SendFailed, seconds: float = 0.0, arrived: bool = False) -> None:
        """Lines up an error for each of the next sends, raised after `seconds` of the loop's time.

        `arrived`: the message got there although the sender does not know it.
        """
        self._troubles.line_up(*errors, seconds=seconds, arrived=arrived)

    def fails_edits(self, *errors: SendFailed, seconds: float = 0.0, arrived: bool = False) -> None:
        """The same for the next edits."""
        self._edit_troubles.line_up(*errors, seconds=seconds, arrived=arrived)

    def drops(self, error: Exception) -> None:
        """Ends the connection with `error`; where there is none, the next one fails to begin with it."""
        self._ends.append(error)
        self._ended.set()

    def hangs(self) -> None:
        """The connection stays open and is dead: no sign of life, and what people say waits for the next one."""
        self._go_offline()

    def _go_offline(self) -> None:
        self._online.clear()
        self._link = None

    def _take_end(self) -> None:
        if self._ends:
            raise self._ends.pop(0)

    def _arrive(self, delivery: Delivery) -> Sent:
        if self._capabilities.send_key and delivery.id in self._known:
            return self._known[delivery.id]
        sent = self._known[delivery.id] = Sent(f"r{len(self.sent) + 1}")
        if delivery.enclosure is not None:
            self.enclosures[f"r{len(self.sent) + 1}"] = Path(delivery.enclosure.path).read_bytes()
        self.sent.append(replace(delivery, remote_id=sent.remote_id))
        self._arrived.set()
        return sent

    def _change(self, delivery: Delivery) -> Sent:
        known = [sent.remote_id for sent in self.sent]
        if delivery.remote_id not in known:
            raise SendPermanent("there is no such message")
        self.sent[known.index(delivery.remote_id)] = delivery
        self.edits.append(delivery)
        self._arrived.set()
        return Sent(delivery.remote_id)
