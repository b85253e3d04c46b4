"""What the platform sends, as far as we read it. Unknown fields are passed over: it adds some now and then."""

from typing import Literal

import msgspec


class Ids(msgspec.Struct, frozen=True):
    """A person's ids: `open_id` differs from app to app, `union_id` is the same in all apps of one maker."""

    open_id: str | None = None
    union_id: str | None = None
    user_id: str | None = None


class Mention(msgspec.Struct, frozen=True):
    """Who a placeholder such as `@_user_1` stands for."""

    key: str
    id: Ids | None = None
    name: str | None = None

    @property
    def open_id(self) -> str | None:
        return self.id.open_id if self.id else None


class Sender(msgspec.Struct, frozen=True):
    sender_type: str = "user"
    sender_id: Ids | None = None


class Message(msgspec.Struct, frozen=True):
    """A message of `im.message.receive_v1`; `content` is JSON, by the kind of message."""

    message_id: str
    chat_id: str
    message_type: str
    content: str = "{}"
    chat_type: str = "p2p"
    root_id: str | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    mentions: tuple[Mention, ...] | None = None


class Received(msgspec.Struct, frozen=True):
    sender: Sender
    message: Message


class Recalled(msgspec.Struct, frozen=True):
    """`im.message.recalled_v1`"""

    message_id: str
    chat_id: str


class Choice(msgspec.Struct, frozen=True):
    """What our buttons bring back: the button's value, and where its message stands."""

    value: str
    chat_type: Literal["dm", "group", "channel", "thread"] = "dm"
    thread_id: str | None = None


class Action(msgspec.Struct, frozen=True):
    value: msgspec.Raw = msgspec.Raw(b"null")


class Context(msgspec.Struct, frozen=True):
    open_message_id: str = ""
    open_chat_id: str = ""


class Pressed(msgspec.Struct, frozen=True):
    """`card.action.trigger`"""

    operator: Ids
    action: Action
    context: Context = Context()


class Header(msgspec.Struct, frozen=True):
    event_type: str
    event_id: str = ""
    tenant_key: str = ""


class Event(msgspec.Struct, frozen=True):
    """An event or callback of schema 2.0; `event` is read by its type."""

    header: Header
    event: msgspec.Raw = msgspec.Raw(b"{}")


class ClientConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """How the platform wants the long connection kept: seconds; a `reconnect_count` below 0 means for ever."""

    reconnect_count: int = -1
    reconnect_interval: float = 120
    reconnect_nonce: float = 30
    ping_interval: float = 120


class Endpoint(msgspec.Struct, frozen=True):
    url: str = msgspec.field(name="URL", default="")
    client_config: ClientConfig | None = msgspec.field(name="ClientConfig", default=None)


class EndpointReply(msgspec.Struct, frozen=True):
    code: int
    data: Endpoint | None = None


class BotInfo(msgspec.Struct, frozen=True):
    """The bot itself. `activate_status` 2 is a bot in use."""

    open_id: str
    app_name: str = ""
    activate_status: int | None = None


class BotReply(msgspec.Struct, frozen=True):
    bot: BotInfo
