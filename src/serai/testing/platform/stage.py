"""The gateway's side of the platform contract, and what its tests look at."""

import asyncio
import io
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from structlog.testing import capture_logs

from serai.core.delivery import Delivery, Target
from serai.core.error import SendFailed, Shut
from serai.core.ids import AgentId, DeliveryId, InputId
from serai.core.message import Inbound, Press, Revision
from serai.core.split import measure
from serai.ports.platform import Capabilities, Receipt
from serai.testing.platform.rig import PlatformRig, Utterance

_LONGEST_SEND: Final = 120.0
"""Seconds after which a send must have given up."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A `Link` that is no more than a function."""

    hear: Callable[[Any], Awaitable[Receipt]]

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        return await self.hear(event)

    def up(self, identity: str = "") -> None: ...

    def alive(self) -> None: ...


class Gateway:
    """What a driver talks to (a `Link`): keeps what it got in `heard`, and raises what is lined up in `errors` first.

    `logins` are the identities as which it logged in; `signs` counts signs of life. `ends` are the errors with which
    its runs ended, `shut` the one after which it must not be run again.
    """

    def __init__(self) -> None:
        self.heard: list[Inbound] = []
        self.revisions: list[Revision] = []
        self.presses: list[Press] = []
        self.logins: list[str] = []
        self.signs = 0
        self.errors: list[Exception] = []
        self.ends: list[Exception] = []
        self.shut: Shut | None = None
        self._pauses = iter(range(100, 0, -20))

    async def receive(self, inbound: Inbound | Revision | Press) -> Receipt:
        """Stores a message, or notes that one was changed. The first ones take longest, so that a driver which does
        not wait mixes them up."""
        for _ in range(next(self._pauses, 0)):
            await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        if isinstance(inbound, Revision):
            self.revisions.append(inbound)
            return Receipt(None)
        if isinstance(inbound, Press):
            self.presses.append(inbound)
            return Receipt(None, note="noted")
        duplicate = any(inbound.dedupe_key == earlier.dedupe_key for earlier in self.heard)
        self.heard.append(inbound)
        return Receipt(InputId(f"i{len(self.heard)}"), duplicate)

    def up(self, identity: str = "") -> None:
        self.logins.append(identity)

    def alive(self) -> None:
        self.signs += 1


class Stage:
    """A running driver between its peer (`rig`) and a gateway."""

    def __init__(self, rig: PlatformRig, gateway: Gateway) -> None:
        self.rig = rig
        self.gateway = gateway
        self._numbers = count(1)

    async def say(self, *utterances: Utterance) -> list[bool]:
        """Tells the driver, as the platform would; returns which were acknowledged."""
        return list(await self.rig.inject([self.rig.payload(utterance) for utterance in utterances]))

    def delivery(self, text: str = "hello", *, chat: str | None = None, reply_to: tuple[str, ...] = ()) -> Delivery:
        """A delivery with an id of its own, to the rig's first chat unless told otherwise."""
        account = self.rig.platform.account
        target = Target(account.platform, chat or self.rig.ids[0], account.name, reply_to=reply_to)
        return Delivery(DeliveryId(f"d{next(self._numbers)}"), target, AgentId("main"), text, attempt=1)

    async def failure(self, delivery: Delivery) -> SendFailed:
        """How the send fails. Raises AssertionError where it does not, or not in time."""
        try:
            async with asyncio.timeout(_LONGEST_SEND):
                await self.rig.platform.send(delivery)
        except SendFailed as error:
            return error
        except TimeoutError:
            raise AssertionError(f"send did not give up within {_LONGEST_SEND:g} s") from None
        raise AssertionError("send reported a success")


def filled(capabilities: Capabilities) -> str:
    """A text of exactly the limit, of characters that count differently in each unit as far as it goes."""
    wide = "🙂" * (capabilities.text_limit // measure("🙂", capabilities.text_unit))
    return wide + "x" * (capabilities.text_limit - measure(wide, capabilities.text_unit))


def told(error: BaseException) -> str:
    """All that a log could show of an error: text, repr, and the traceback with its chain."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error)])


@contextmanager
def overheard() -> Iterator[io.StringIO]:
    """Everything that is logged inside the block, of all levels and by both logging systems."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with capture_logs() as entries:
            yield log
            log.write(repr(entries))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
