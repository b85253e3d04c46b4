"""What a driver's tests supply so that the contract can be run against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, runtime_checkable

from serai.ports.platform import Platform
from serai.testing.platform.malformed import Malformed

Fault = Literal["rate_limited", "server_error", "rejected", "refused", "timeout", "disconnect"]
"""What the next send meets. `refused`: no connection; `timeout` and `disconnect`: after the request was written."""

Sever = Literal["closed_1000", "closed_1001", "cut", "silent"]
"""How a live connection ends: closed cleanly by either code (or what comes nearest), cut, or open and dead."""

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
    """A message as the peer has it now: after the last edit, `edits` of them so far. `text` is what people read, with
    the platform's markup taken away; `buttons` are their labels. `thread` is the thread that it stands in."""

    chat: str
    text: str
    reply_to: tuple[str, ...] = ()
    message: str = ""
    thread: str | None = None
    edits: int = 0
    buttons: tuple[str, ...] = ()
    enclosure: bytes | None = None


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

    def malformed(self) -> Sequence[Malformed]:
        """What the platform should never send, of every kind that `serai.testing.platform.malformed` makes."""
        ...

    async def garble(self, payload: object) -> None:
        """Sends the driver something malformed as it is, by the way on which messages come."""
        ...

    async def fault(self, fault: Fault) -> None:
        """Makes the next send meet a fault; a `rate_limited` one asks for RETRY_AFTER seconds."""
        ...

    async def logged_in(self) -> None:
        """Waits until the driver is connected, logged in, and told of messages (again). Returns at once where there
        is no connection."""
        ...

    async def start_blank(self) -> None:
        """Makes a second driver, all alike but with a blank credential, and runs it."""
        ...


@runtime_checkable
class LiveRig(Protocol):
    """The rig of a driver that keeps a connection (`Capabilities.silence_s`)."""

    async def sever(self, how: Sever) -> None:
        """Ends the driver's connection; from now on `logged_in` waits for the next one. After `silent`, the peer
        takes a new one but says nothing on the old."""
        ...

    async def revoke(self) -> None:
        """The peer no longer takes the credentials, and ends the connection as the platform would."""
        ...

    def echo(self, text: str) -> object:
        """The payload with which the platform would tell of a message that the bot itself has sent."""
        ...


@runtime_checkable
class ExclusiveRig(Protocol):
    """The rig of a platform that tells a second login of the same credentials (`Capabilities.exclusive`)."""

    async def log_in_elsewhere(self) -> None:
        """Somebody else logs in with the driver's credentials."""
        ...


@runtime_checkable
class ButtonRig(Protocol):
    """The rig of a platform that has buttons (`Capabilities.buttons`)."""

    async def press(self, label: str, *, user: str = "42") -> bool:
        """Somebody presses a button of the last message that has one of that label. Returns whether the driver told
        the peer in time that it has it."""
        ...


@runtime_checkable
class FileRig(Protocol):
    """The rig of a platform whose messages bring files (`Capabilities.fetches`)."""

    def file(self, name: str, media_type: str, data: bytes, *, message: str = "f1") -> object:
        """The payload with which the platform would tell of a message with that file, which the peer then has."""
        ...


@runtime_checkable
class TypingRig(Protocol):
    """The rig of a platform that shows typing (`Capabilities.typing_s`)."""

    @property
    def typings(self) -> Sequence[tuple[str, bool]]:
        """Chat and on or off, as the peer was told, in order."""
        ...
