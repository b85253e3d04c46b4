"""A chat platform's driver: connect, receive, send, stop (DESIGN 5).

What every driver must do is `Platform`. What some can do besides is a protocol of its own (`Growing`, `Typing`,
`Fetching`, `HttpEndpoint`), declared in `Capabilities`. Splitting, retries, order, the pace of edits, merging and
supervision are the gateway's, once for all platforms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from serai.core.delivery import Delivery, Target
from serai.core.ids import Account, AgentId, InputId
from serai.core.message import Attachment, Inbound, Press, Revision


@dataclass(frozen=True, slots=True)
class Growth:
    """How an answer may grow in place: an edit every `interval_s` seconds at most, `edits_most` of them beside the
    final one, and none later than `lifetime_s` seconds after it was opened. None: without bound."""

    interval_s: float
    edits_most: int | None = None
    lifetime_s: float | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """How an answer is told in parts where nothing can be edited: a part is sent once it has `length` units, or when
    nothing was added to it for `idle_s` seconds."""

    length: int
    idle_s: float


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do.

    `text_limit` counts `text_unit`s of a delivery's text as it is given to the driver (Markdown). `send_key`: a
    repeated send of the same delivery is recognised. `names_wait`: a rate limit says how long to wait. `growth`: the
    driver is `Growing`. `typing_s`: it is `Typing`, and says so again after that many seconds. `buttons`: messages
    can have some; where it `presses`, one that is pressed comes as a Press, else as the command that it stands for.
    `fetches`: it is `Fetching`. `enclosure_bytes`: the largest file that it sends, None where it sends none.
    `silence_s`: a connection with no sign of life for so long is down; None where there is no connection that could
    be. `exclusive`: a second login of the same credentials is detected.
    """

    text_limit: int
    text_unit: Literal["codepoint", "utf16", "byte"] = "codepoint"
    send_key: bool = False
    names_wait: bool = True
    growth: Growth | None = None
    blocks: Blocks | None = None
    typing_s: float | None = None
    threads: bool = False
    buttons: bool = False
    presses: bool = True
    fetches: bool = False
    enclosure_bytes: int | None = None
    silence_s: float | None = None
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway's word that a message is stored. `duplicate`: it had been before. `ignored`: nothing is done about
    it and nothing is stored; a group's talk among people, or another bot's (SPEC 6.8). `agent` is who answers it.
    `note` is what whoever pressed a button should be shown, where the platform can show it to them alone."""

    input_id: InputId | None
    duplicate: bool = False
    ignored: bool = False
    agent: AgentId | None = None
    note: str | None = None


class Link(Protocol):
    """What a driver tells the gateway while it runs."""

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        """Hands a message to the gateway; only when it returns may the platform be told that it arrived (SPEC 5.1).

        Raises Refused, Busy or StorageFailed, each with the sentence for the sender.
        """
        ...

    def up(self, identity: str = "") -> None:
        """The connection is there and logged in, as `identity` (a bot's name, for people). Called again after each
        reconnecting that the driver does by itself."""
        ...

    def alive(self) -> None:
        """A sign of life of the other side: any frame, a finished poll. Puts the deadline of silence off."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivered message. `remote_id` is the platform's id of it, where it has one."""

    remote_id: str | None = None


class Platform(Protocol):
    """One account's connection.

    A driver's class also has `configured(surroundings)`, which makes the connection of a configured account
    (`serai.platforms.Surroundings`).
    """

    @property
    def account(self) -> Account: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def run(self, link: Link) -> None:
        """Connects and receives until cancelled.

        Raises ConnectionError or Startup when it cannot go on, and is then run again after a while; raises Shut
        (CredentialsRefused, LoggedInElsewhere) where that would be wrong.
        """
        ...

    async def send(self, delivery: Delivery) -> Sent:
        """Sends one delivery whose text fits. Raises SendTemporary, SendPermanent or SendUnknown.

        Text over the limit is refused with SendPermanent, never cut. One that `grows` is opened: edits will follow,
        so its `remote_id` is needed.
        """
        ...


@runtime_checkable
class Growing(Protocol):
    """A platform on which a message of ours can be changed."""

    async def edit(self, delivery: Delivery) -> Sent:
        """Makes `delivery.text` the whole text of the message `delivery.remote_id`; the last edit is one that no
        longer `grows`. Raises as `send`; SendPermanent where this message cannot be changed (any more): its text is
        then sent as a new one. That the text is already the same is no error."""
        ...


@runtime_checkable
class Typing(Protocol):
    """A platform on which people see that an answer is being written."""

    async def typing(self, target: Target, on: bool) -> None:
        """Shows it, until `typing_s` seconds have passed or it is taken back. A SendFailed that it raises harms
        nothing."""
        ...


@runtime_checkable
class Fetching(Protocol):
    """A platform that has the bytes of files that came with messages."""

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """The file, of at most `limit` bytes. Raises FetchFailed, before reading on, for one that is larger, and for
        one that is gone; ConnectionError where another try may help."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request as a platform's callback gets it: header names in lower case, the body unread by others."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpReply:
    """The answer: a status and either a JSON document or an error (code and sentence)."""

    status: int
    document: Mapping[str, object] | None = None
    code: str = ""
    text: str = ""
    retry_after: float | None = None


@runtime_checkable
class HttpEndpoint(Protocol):
    """A platform that receives over the gateway's own HTTP port, at `POST /<platform>/<account>`."""

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answers one request. Never raises for bad input: that is a 4xx reply."""
        ...
