"""What a driver's tests supply so that the contract can be run against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from serai.ports.platform import Platform

Fault = Literal["rate_limited", "server_error", "rejected", "refused", "timeout", "disconnect"]
"""What the next send meets. `refused`: no connection; `timeout` and `disconnect`: after the request was written."""

RETRY_AFTER: Final = 7.0
"""Seconds that a rig's peer asks for when it limits the rate."""

HARD_IDS: Final = ("a", "a:a", "a/a", "a|a", "!Room:server.example", "%3A b", "чат-🙂-ü", "-1002285219667", "x" * 300)
"""Ids that must come through unchanged, both ways, and whose pairs are easily taken for one another."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a person says in a chat."""

    text: str
    chat: str = "1"
    user: str = "42"
    message: str = "m1"


@dataclass(frozen=True, slots=True)
class Captured:
    """A payload as the real platform sends it. `ignored`: it carries no message, and is taken without one."""

    name: str
    payload: object
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as the peer got it."""

    chat: str
    text: str
    reply_to: tuple[str, ...] = ()


class PlatformRig(Protocol):
    """One driver with a peer to play the other side. A rig serves one test."""

    @property
    def platform(self) -> Platform:
        """The driver; the same one each time."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Texts that must be in no log, error or repr: the credentials, and parts of addresses that are secret."""
        ...

    @property
    def ids(self) -> Sequence[str]:
        """Ids to be tried; HARD_IDS wherever the platform's own ids are free text."""
        ...

    @property
    def seen(self) -> Sequence[Seen]:
        """What the peer got, in order."""
        ...

    def captured(self) -> Sequence[Captured]:
        """Payloads of every kind that the platform sends."""
        ...

    def payload(self, utterance: Utterance) -> object:
        """The payload with which the platform would tell of a message."""
        ...

    async def inject(self, payloads: Sequence[object]) -> Sequence[bool]:
        """Gives the driver payloads in order, as fast as the platform would, each waiting for nothing but what the
        protocol makes it wait for. Returns for each whether the driver told the peer that it has it."""
        ...

    async def fault(self, fault: Fault) -> None:
        """Makes the next send meet a fault; a `rate_limited` one asks for RETRY_AFTER seconds."""
        ...

    async def start_blank(self) -> None:
        """Makes a second driver, all alike but with a blank credential, and runs it."""
        ...
