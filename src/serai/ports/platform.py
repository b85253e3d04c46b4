"""A chat platform's driver: connect, receive, send, stop (DESIGN 5)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from serai.core.delivery import Delivery
from serai.core.ids import Account, AgentId, InputId
from serai.core.message import Inbound, Revision


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do. `text_limit` counts `text_unit`s; `send_key`: a repeated send is recognised."""

    text_limit: int
    text_unit: Literal["codepoint", "utf16", "byte"] = "codepoint"
    send_key: bool = False
    edit: bool = False
    threads: bool = False
    buttons: bool = False
    files: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway's word that a message is stored. `duplicate`: it had been before. `ignored`: nothing is done about
    it and nothing is stored; a group's talk among people, or another bot's (SPEC 6.8). `agent` is who answers it."""

    input_id: InputId | None
    duplicate: bool = False
    ignored: bool = False
    agent: AgentId | None = None


Receive = Callable[[Inbound | Revision], Awaitable[Receipt]]
"""Hands a message to the gateway; only when it returns may the platform be told that it arrived (SPEC 5.1).

Raises Refused, Busy or StorageFailed, each with the sentence for the sender.
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivered message. `remote_id` is the platform's id of it, where it has one."""

    remote_id: str | None = None


class Platform(Protocol):
    """One account's connection.

    A driver's class also has `configured(settings, secrets, session, clock)`, which makes the connection of a
    configured account (`serai.app.platforms`).
    """

    @property
    def account(self) -> Account: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def run(self, receive: Receive) -> None:
        """Connects and receives until cancelled. Raises Startup or ConnectionError when it cannot go on."""
        ...

    async def send(self, delivery: Delivery) -> Sent:
        """Sends one delivery whose text fits. Raises SendTemporary, SendPermanent or SendUnknown.

        Text over the limit is refused with SendPermanent, never cut.
        """
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
