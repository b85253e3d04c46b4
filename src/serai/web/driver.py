"""The platform `web`: an answer is delivered by putting it into the mailbox that the page shows."""

import asyncio
from typing import Final

from serai.core.delivery import Delivery
from serai.core.error import SendPermanent, SendTemporary, SendUnknown, StorageFailed
from serai.core.ids import Account
from serai.core.message import Inbound
from serai.core.snapshot import Access, AccountSettings
from serai.ports.clock import Clock
from serai.ports.mailbox import Mailbox, PostRow
from serai.ports.platform import Capabilities, Link, Receipt, Sent
from serai.web.hub import Hub

ACCOUNT: Final = Account("web")
STANDING: Final = AccountSettings(ACCOUNT, Access(open=True), merge=False)
"""Who may write has been decided before a message gets here: by a key, or by being on this machine (SPEC 6.7).
A message is one message: its sender pressed Enter when it was complete."""

_PATIENCE_S: Final = 30.0

CAPABILITIES: Final = Capabilities(
    text_limit=256 * 1024, send_key=True, names_wait=False, buttons=True, presses=False
)


class Web:
    """The one account. It is there without configuration."""

    def __init__(self, mailbox: Mailbox, hub: Hub, clock: Clock) -> None:
        self._mailbox = mailbox
        self._hub = hub
        self._clock = clock
        self._link: Link | None = None

    @property
    def account(self) -> Account:
        return ACCOUNT

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def run(self, link: Link) -> None:
        """Takes messages until cancelled."""
        self._link = link
        link.up()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._link = None

    async def receive(self, inbound: Inbound) -> Receipt:
        """Hands a message of the page to the gateway. Raises what `Link.receive` raises."""
        if self._link is None:
            raise StorageFailed("the gateway is starting or stopping; try again in a moment")
        return await self._link.receive(inbound)

    async def send(self, delivery: Delivery) -> Sent:
        """Puts an answer into its chat; the same delivery again changes nothing.

        Raises SendTemporary, SendPermanent, SendUnknown.
        """
        target = delivery.target
        if len(delivery.text) > CAPABILITIES.text_limit:
            raise SendPermanent(f"the text is longer than {CAPABILITIES.text_limit} characters")
        post = PostRow(
            target.chat_id,
            delivery.id,
            delivery.agent,
            delivery.text,
            "done",
            self._clock.now(),
            answers=() if delivery.buttons else target.reply_to,
            buttons=delivery.buttons,
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                kept = await self._mailbox.add(post)
        except TimeoutError:
            raise SendUnknown("the mailbox did not say in time that it has the answer") from None
        except StorageFailed as error:
            raise SendTemporary(str(error)) from error
        if kept is None:
            raise SendPermanent("there is no such web chat")
        await self._hub.answered(kept)
        return Sent(delivery.id)
