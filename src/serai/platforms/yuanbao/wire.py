"""Frames of the connection, both ways, as plain values; protobuf stays in here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from google.protobuf.message import DecodeError

from serai.platforms.yuanbao.schema import message

ACCESS: Final = "conn_access"
PROXY: Final = "yuanbao_openclaw_proxy"

REQUEST: Final = 0
RESPONSE: Final = 1
PUSH: Final = 2
ACK: Final = 3


class Malformed(ValueError):
    """Bytes that are no message of Yuanbao."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a frame is about; `msg_id` matches a response to its request."""

    kind: int
    cmd: str
    msg_id: str
    module: str
    need_ack: bool = False
    status: int = 0


@dataclass(frozen=True, slots=True)
class Element:
    """A part of a message: its type (`TIMTextElem` …) and its content's fields that are set."""

    kind: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pushed:
    """A message that people sent, or took back (`recalled` are the ids of those)."""

    command: str
    sender: str
    nickname: str
    group: str
    group_name: str
    message_id: str
    seq: int
    elements: tuple[Element, ...]
    quote: str
    recalled: tuple[str, ...] = field(default=())


def frame(head: Head, data: bytes = b"", seq: int = 0) -> bytes:
    """A frame of ours."""
    made = message("ConnMsg")()
    made.head.cmd_type, made.head.cmd, made.head.seq_no = head.kind, head.cmd, seq
    made.head.msg_id, made.head.module, made.head.need_ack = head.msg_id, head.module, int(head.need_ack)
    made.head.status = head.status
    made.data = data
    return bytes(made.SerializeToString())


def parse(data: bytes) -> tuple[Head, bytes]:
    """A frame of theirs. Raises Malformed."""
    found = _read("ConnMsg", data)
    head = found.head
    return Head(head.cmd_type, head.cmd, head.msg_id, head.module, bool(head.need_ack), head.status), found.data


def log_in(bot_id: str, source: str, token: str, version: str, instance: str) -> bytes:
    """The request `auth-bind`."""
    made = message("AuthBindReq")()
    made.biz_id = "ybBot"
    made.auth_info.uid, made.auth_info.source, made.auth_info.token = bot_id, source, token
    device = made.device_info
    device.app_version = device.bot_version = version
    device.app_operation_system, device.instance_id = "linux", instance
    return bytes(made.SerializeToString())


def code(data: bytes, kind: Literal["AuthBindRsp", "SendRsp"] = "SendRsp") -> tuple[int, str]:
    """Number and words of a response. Raises Malformed."""
    found = _read(kind, data)
    return found.code, found.message


def heart_interval(data: bytes) -> int:
    """The seconds between pings that a response to one asks for; 0 where it asks for nothing. Raises Malformed."""
    return int(_read("PingRsp", data).heart_interval)


def kicked_out(data: bytes) -> str:
    """Why the server ended it. Raises Malformed."""
    return str(_read("KickoutMsg", data).reason)


def text_message(
    *, to: str, bot: str, text: str, message_id: str, group: bool, number: int, ref: str = ""
) -> tuple[str, bytes]:
    """The command and its data for a text to a person, or to a group."""
    made = message("SendGroupMessageReq" if group else "SendC2CMessageReq")()
    made.msg_id, made.from_account = message_id, bot
    if group:
        made.group_code, made.random, made.ref_msg_id = to, str(number), ref
    else:
        made.to_account, made.msg_random = to, number
    part = made.msg_body.add(msg_type="TIMTextElem")
    part.msg_content.text = text
    return ("send_group_message" if group else "send_c2c_message"), bytes(made.SerializeToString())


def typing(*, to: str, bot: str, group: bool, on: bool, at_ms: int) -> tuple[str, bytes]:
    """The command and its data that show or take back that an answer is being written."""
    made = message("SendGroupHeartbeatReq" if group else "SendPrivateHeartbeatReq")()
    made.from_account, made.heartbeat = bot, 1 if on else 2
    if group:
        made.group_code, made.send_time = to, at_ms
    else:
        made.to_account = to
    return ("send_group_heartbeat" if group else "send_private_heartbeat"), bytes(made.SerializeToString())


def pushed(data: bytes) -> Pushed:
    """A message that came, however it is wrapped: in a PushMsg, a DirectedPush, or bare; as protobuf or as JSON.

    Raises Malformed.
    """
    for inner in _unwrapped(data):
        found = _bare(inner)
        if found is not None:
            return found
    raise Malformed("no message is in it")


def _unwrapped(data: bytes) -> Sequence[bytes]:
    candidates = []
    for kind, inner in (("PushMsg", "data"), ("DirectedPush", "content")):
        try:
            candidates.append(bytes(getattr(_read(kind, data), inner)))
        except Malformed:
            continue
    return [*filter(None, candidates), data]


def _bare(data: bytes) -> Pushed | None:
    if data.lstrip()[:1] == b"{":
        try:
            return _from_json(json.loads(data))
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            return None
    try:
        found = _read("InboundMessagePush", data)
    except Malformed:
        return None
    if not (found.from_account and (found.msg_body or found.recall_msg_seq_list)):
        return None
    elements = tuple(Element(part.msg_type, _set_fields(part.msg_content)) for part in found.msg_body)
    return Pushed(
        found.callback_command,
        found.from_account,
        found.sender_nickname,
        found.group_code,
        found.group_name,
        found.msg_id or found.msg_key,
        found.msg_seq,
        elements,
        found.cloud_custom_data,
        tuple(one.msg_id for one in found.recall_msg_seq_list),
    )


def _from_json(document: dict[str, Any]) -> Pushed | None:
    """The same fields by the same names, as JSON."""

    def text(name: str) -> str:
        return str(document.get(name) or "")

    body = document.get("msg_body") or []
    recalled = tuple(str(one["msg_id"]) for one in document.get("recall_msg_seq_list") or [])
    if not (text("from_account") and (body or recalled)):
        return None
    elements = tuple(Element(str(part["msg_type"]), dict(part.get("msg_content") or {})) for part in body)
    return Pushed(
        text("callback_command"),
        text("from_account"),
        text("sender_nickname"),
        text("group_code"),
        text("group_name"),
        text("msg_id") or text("msg_key"),
        int(document.get("msg_seq") or 0),
        elements,
        text("cloud_custom_data"),
        recalled,
    )


def _set_fields(content: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for descriptor, value in content.ListFields():
        if descriptor.name == "image_info_array":
            value = [_set_fields(one) for one in value]
        elif descriptor.name == "ext_map":
            value = {one.key: one.value for one in value}
        found[descriptor.name] = value
    return found


def _read(kind: str, data: bytes) -> Any:
    made = message(kind)()
    try:
        made.ParseFromString(data)
    except DecodeError:
        raise Malformed(f"these bytes are no {kind}") from None
    return made
