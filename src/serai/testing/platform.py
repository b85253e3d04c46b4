"""A chat platform in memory, for tests of gateways and agents.

fake = FakePlatform()
await fake.says("hello", chat="1", user="42")
assert (await fake.answer()).text == "hello yourself"
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from serai.core.delivery import Delivery
from serai.core.display import clean_name
from serai.core.error import SendFailed, SendPermanent, Startup
from serai.core.ids import DEFAULT_ACCOUNT, Account, DeliveryId
from serai.core.message import Inbound, Revision
from serai.core.source import ChatType, Source
from serai.core.split import measure
from serai.ports.platform import Capabilities, Link, Receipt, Sent

TOKEN: Final = "fake-platform-token"
"""The credential of a fake, so that tests can look for it where it must not be."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one send meets: `error`, after `seconds` of the loop's time. `arrived`: the message got there anyway."""

    error: SendFailed
    seconds: float = 0.0
    arrived: bool = False


class FakePlatform:
    """A `ports.platform.Platform` whose other side is the test.

    `sent` holds the deliveries that arrived, `attempts` every call of `send`, `connections` counts the runs. Where
    the capabilities have `send_key`, a delivery that arrived before is recognised by its id and not added again.

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
        self._troubles: list[Trouble] = []
        self._arrived = asyncio.Event()
        self._taken = 0
        self._spoken = 0
        self._known: dict[DeliveryId, Sent] = {}
        self.sent: list[Delivery] = []
        self.attempts: list[Delivery] = []
        self.connections = 0

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def run(self, link: Link) -> None:
        """Is connected until cancelled, or until `drops` says otherwise."""
        self._take_end()
        self._link = link
        self.connections += 1
        link.up(f"{self._account} bot")
        self._online.set()
        try:
            while True:
                self._take_end()
                self._ended.clear()
                await self._ended.wait()
        finally:
            self._online.clear()
            self._link = None

    async def send(self, delivery: Delivery) -> Sent:
        """Keeps the delivery in `sent`, or raises what `fails` has lined up."""
        self.attempts.append(delivery)
        limit, unit = self._capabilities.text_limit, self._capabilities.text_unit
        if measure(delivery.text, unit) > limit:
            raise SendPermanent(f"the text is longer than {limit} {unit} units")
        if not self._troubles:
            return self._arrive(delivery)
        trouble = self._troubles.pop(0)
        if trouble.seconds:
            await asyncio.sleep(trouble.seconds)
        if trouble.arrived:
            self._arrive(delivery)
        raise trouble.error

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
        return await self.delivers(Inbound(source, text, json.dumps([chat, number]), mentioned=mentioned))

    async def delivers(self, inbound: Inbound | Revision) -> Receipt:
        """Hands the gateway a message made elsewhere, or tells that one was changed; otherwise like `says`."""
        async with self._order:
            while self._link is None:
                await self._online.wait()
            return await self._link.receive(inbound)

    async def answer(self) -> Delivery:
        """The next delivery that arrived and was not yet returned here; waits for it."""
        while len(self.sent) <= self._taken:
            self._arrived.clear()
            await self._arrived.wait()
        self._taken += 1
        return self.sent[self._taken - 1]

    def fails(self, *errors: SendFailed, seconds: float = 0.0, arrived: bool = False) -> None:
        """Lines up an error for each of the next sends, raised after `seconds` of the loop's time.

        `arrived`: the message got there although the sender does not know it.
        """
        self._troubles.extend(Trouble(error, seconds, arrived) for error in errors)

    def drops(self, error: Exception) -> None:
        """Ends the connection with `error`; where there is none, the next one fails to begin with it."""
        self._ends.append(error)
        self._ended.set()

    def _take_end(self) -> None:
        if self._ends:
            raise self._ends.pop(0)

    def _arrive(self, delivery: Delivery) -> Sent:
        if self._capabilities.send_key and delivery.id in self._known:
            return self._known[delivery.id]
        self.sent.append(delivery)
        self._arrived.set()
        self._known[delivery.id] = Sent(f"r{len(self.sent)}")
        return self._known[delivery.id]
