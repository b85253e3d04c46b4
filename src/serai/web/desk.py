"""Takes what people write: into the mailbox, then to the gateway, once however often it is sent (SPEC 5.1)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serai.core.error import SeraiError
from serai.core.ids import AgentId, InputId
from serai.core.message import Attachment, Inbound
from serai.core.principal import Principal
from serai.core.source import Source
from serai.ports.clock import Clock, Entropy
from serai.ports.mailbox import Mailbox, Picture, PostRow
from serai.web.driver import ACCOUNT, Web
from serai.web.hub import Hub


class ForeignChat(SeraiError):
    """The chat belongs to another key."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as the page sends it. The page makes the ids; a picture comes with its `data:` address."""

    chat: str
    id: str
    text: str
    pictures: Sequence[tuple[Picture, str]] = ()
    agent: AgentId | None = None


class Desk:
    """Accepts messages. What was begun is brought to its end also when the page does not wait for it."""

    def __init__(self, mailbox: Mailbox, hub: Hub, driver: Web, clock: Clock, entropy: Entropy) -> None:
        self._mailbox = mailbox
        self._hub = hub
        self._driver = driver
        self._clock = clock
        self._entropy = entropy
        self._under_way: dict[tuple[str, str], asyncio.Task[PostRow]] = {}

    async def take(self, letter: Letter, principal: Principal) -> PostRow:
        """The message as it is kept, once the gateway has it. A second copy gets what became of the first.

        Raises ForeignChat and what `Receive` raises; then nothing was accepted.
        """
        key = (letter.chat, letter.id)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._take(letter, principal))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        kept = await asyncio.shield(task)
        if await self._mailbox.owner(letter.chat) != principal.name:
            raise ForeignChat("there is no such chat")
        return kept

    async def _take(self, letter: Letter, principal: Principal) -> PostRow:
        run = InputId(f"run_{self._entropy.token()}")
        new = PostRow(letter.chat, letter.id, "", letter.text, "sending", self._clock.now(), input=run)
        pictures = [picture for picture, _ in letter.pictures]
        kept = await self._mailbox.add(new, principal.name, pictures)
        if kept is None or kept.author:
            raise ForeignChat("there is no such chat")
        if kept.state != "sending":
            return kept
        return await self._hand_over(letter, principal, kept, kept.input or run)

    async def _hand_over(self, letter: Letter, principal: Principal, kept: PostRow, run: InputId) -> PostRow:
        subscription = self._hub.listen(run)
        try:
            receipt = await self._driver.receive(_inbound(letter, principal, run))
        except SeraiError:
            subscription.close()
            await self._mailbox.drop(letter.chat, letter.id)
            raise
        taken = receipt.input_id or run
        accepted = replace(kept, state="running", input=taken)
        if taken != run:
            subscription.close()
            subscription = self._hub.listen(taken)
        await self._mailbox.settle(accepted)
        self._hub.follow(accepted, receipt.agent or "", subscription)
        return accepted


def _inbound(letter: Letter, principal: Principal, run: InputId) -> Inbound:
    source = Source(
        platform=ACCOUNT.platform,
        account=ACCOUNT.name,
        chat_id=letter.chat,
        user_id=principal.name,
        user_name=principal.name,
        message_id=letter.id,
        agent_id=letter.agent,
    )
    files = tuple(
        Attachment(address, picture.name, picture.media_type, len(picture.data))
        for picture, address in letter.pictures
    )
    key, agents = f"{letter.chat}:{letter.id}", principal.agents
    return Inbound(source, letter.text, key, files, admin=principal.admin, agents=agents, run=run)
