"""What Slack tells over Socket Mode, as far as we look at it (Slack's reference of events and payloads)."""

from typing import Any, Final, TypeVar

import msgspec


class Envelope(msgspec.Struct):
    """Any frame. Those with `envelope_id` want to be acknowledged by it, within three seconds."""

    type: str
    envelope_id: str = ""
    payload: msgspec.Raw = msgspec.Raw()
    reason: str = ""


class File(msgspec.Struct):
    id: str = ""
    name: str | None = None
    mimetype: str | None = None
    size: int | None = None
    url_private_download: str = ""
    url_private: str = ""


class Said(msgspec.Struct):
    """The inner message of an edit."""

    ts: str = ""
    text: str = ""
    user: str = ""
    bot_id: str = ""


class Event(msgspec.Struct):
    """A message, or something about one."""

    type: str
    channel: str = ""
    channel_type: str = ""
    user: str = ""
    bot_id: str = ""
    app_id: str = ""
    subtype: str = ""
    text: str = ""
    ts: str = ""
    thread_ts: str = ""
    parent_user_id: str = ""
    deleted_ts: str = ""
    message: Said | None = None
    files: list[File] = []


class Callback(msgspec.Struct):
    """The payload of `events_api`."""

    event: Event
    team_id: str = ""
    event_id: str = ""


class Named(msgspec.Struct):
    id: str = ""
    name: str = ""


class Action(msgspec.Struct):
    action_id: str = ""
    value: str = ""
    action_ts: str = ""


class Container(msgspec.Struct):
    message_ts: str = ""
    channel_id: str = ""
    thread_ts: str = ""


class Interaction(msgspec.Struct):
    """The payload of `interactive`."""

    type: str
    user: Named = msgspec.field(default_factory=Named)
    channel: Named = msgspec.field(default_factory=Named)
    team: Named = msgspec.field(default_factory=Named)
    container: Container = msgspec.field(default_factory=Container)
    actions: list[Action] = []
    response_url: str = ""
    trigger_id: str = ""


class Slash(msgspec.Struct):
    """The payload of `slash_commands`."""

    command: str
    text: str = ""
    user_id: str = ""
    user_name: str = ""
    channel_id: str = ""
    team_id: str = ""
    trigger_id: str = ""
    response_url: str = ""


T = TypeVar("T")

_ENVELOPE: Final = msgspec.json.Decoder(Envelope)


def parse(text: str | bytes) -> Envelope:
    """Raises msgspec.DecodeError (of which ValidationError is one)."""
    try:
        return _ENVELOPE.decode(text)
    except RecursionError:
        raise msgspec.DecodeError("nested too deep") from None


def read(raw: msgspec.Raw, shape: type[T]) -> T:
    """Raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except RecursionError:
        raise msgspec.DecodeError("nested too deep") from None


def acknowledgement(envelope: Envelope) -> str:
    document: dict[str, Any] = {"envelope_id": envelope.envelope_id}
    return msgspec.json.encode(document).decode()
