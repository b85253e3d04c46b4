"""Yuanbao's messages as protobuf types, built from one table (protocol: the Yuanbao team's MIT-licensed plugin for
OpenClaw, version 2.18.2).

`int` stands for every number: all of them are varints, and none is negative but for a status.
"""

from functools import cache
from typing import Any, Final, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

PACKAGE: Final = "serai.yuanbao"

Fields = dict[int, tuple[str, str]]

MESSAGES: Final[dict[str, Fields]] = {
    "Head": {
        1: ("cmd_type", "int"),
        2: ("cmd", "text"),
        3: ("seq_no", "int"),
        4: ("msg_id", "text"),
        5: ("module", "text"),
        6: ("need_ack", "int"),
        10: ("status", "int"),
    },
    "ConnMsg": {1: ("head", "Head"), 2: ("data", "bytes")},
    "AuthInfo": {1: ("uid", "text"), 2: ("source", "text"), 3: ("token", "text")},
    "DeviceInfo": {
        1: ("app_version", "text"),
        2: ("app_operation_system", "text"),
        10: ("instance_id", "text"),
        24: ("bot_version", "text"),
    },
    "AuthBindReq": {
        1: ("biz_id", "text"),
        2: ("auth_info", "AuthInfo"),
        3: ("device_info", "DeviceInfo"),
        5: ("env_name", "text"),
    },
    "AuthBindRsp": {1: ("code", "int"), 2: ("message", "text"), 3: ("connect_id", "text"), 4: ("timestamp", "int")},
    "PingRsp": {1: ("heart_interval", "int"), 2: ("timestamp", "int")},
    "KickoutMsg": {1: ("status", "int"), 2: ("reason", "text"), 3: ("other_device_name", "text")},
    "PushMsg": {1: ("cmd", "text"), 2: ("module", "text"), 3: ("msg_id", "text"), 4: ("data", "bytes")},
    "DirectedPush": {1: ("type", "int"), 2: ("content", "bytes")},
    "Image": {1: ("type", "int"), 2: ("size", "int"), 3: ("width", "int"), 4: ("height", "int"), 5: ("url", "text")},
    "Entry": {1: ("key", "text"), 2: ("value", "text")},
    "Content": {
        1: ("text", "text"),
        2: ("uuid", "text"),
        3: ("image_format", "int"),
        4: ("data", "text"),
        5: ("desc", "text"),
        6: ("ext", "text"),
        7: ("sound", "text"),
        8: ("image_info_array", "Image*"),
        9: ("index", "int"),
        10: ("url", "text"),
        11: ("file_size", "int"),
        12: ("file_name", "text"),
        999: ("ext_map", "Entry*"),
    },
    "Element": {1: ("msg_type", "text"), 2: ("msg_content", "Content")},
    "Recalled": {1: ("msg_seq", "int"), 2: ("msg_id", "text")},
    "LogExt": {1: ("trace_id", "text")},
    "InboundMessagePush": {
        1: ("callback_command", "text"),
        2: ("from_account", "text"),
        3: ("to_account", "text"),
        4: ("sender_nickname", "text"),
        5: ("group_id", "text"),
        6: ("group_code", "text"),
        7: ("group_name", "text"),
        8: ("msg_seq", "int"),
        9: ("msg_random", "int"),
        10: ("msg_time", "int"),
        11: ("msg_key", "text"),
        12: ("msg_id", "text"),
        13: ("msg_body", "Element*"),
        14: ("cloud_custom_data", "text"),
        15: ("event_time", "int"),
        16: ("bot_owner_id", "text"),
        17: ("recall_msg_seq_list", "Recalled*"),
        18: ("claw_msg_type", "int"),
        19: ("private_from_group_code", "text"),
        20: ("log_ext", "LogExt"),
    },
    "SendC2CMessageReq": {
        1: ("msg_id", "text"),
        2: ("to_account", "text"),
        3: ("from_account", "text"),
        4: ("msg_random", "int"),
        5: ("msg_body", "Element*"),
        6: ("group_code", "text"),
        7: ("msg_seq", "int"),
        8: ("log_ext", "LogExt"),
    },
    "SendGroupMessageReq": {
        1: ("msg_id", "text"),
        2: ("group_code", "text"),
        3: ("from_account", "text"),
        4: ("to_account", "text"),
        5: ("random", "text"),
        6: ("msg_body", "Element*"),
        7: ("ref_msg_id", "text"),
        8: ("msg_seq", "int"),
        9: ("log_ext", "LogExt"),
    },
    "SendRsp": {1: ("code", "int"), 2: ("message", "text")},
    "SendPrivateHeartbeatReq": {1: ("from_account", "text"), 2: ("to_account", "text"), 3: ("heartbeat", "int")},
    "SendGroupHeartbeatReq": {
        1: ("from_account", "text"),
        2: ("to_account", "text"),
        3: ("group_code", "text"),
        4: ("send_time", "int"),
        5: ("heartbeat", "int"),
    },
}

_Field = descriptor_pb2.FieldDescriptorProto
_KINDS: Final = {"int": _Field.TYPE_INT64, "text": _Field.TYPE_STRING, "bytes": _Field.TYPE_BYTES}


@cache
def message(name: str) -> type[Any]:
    """The class of a message."""
    found = _pool().FindMessageTypeByName(f"{PACKAGE}.{name}")
    return cast("type[Message]", message_factory.GetMessageClass(found))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """A pool of our own: other users of protobuf in this process have nothing to do with these names."""
    file = descriptor_pb2.FileDescriptorProto(name="serai/yuanbao.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        made = file.message_type.add(name=name)
        for number, (field, kind) in fields.items():
            bare = kind.removesuffix("*")
            made.field.add(
                name=field,
                number=number,
                label=_Field.LABEL_REPEATED if bare != kind else _Field.LABEL_OPTIONAL,
                type=_KINDS.get(bare, _Field.TYPE_MESSAGE),
                type_name=None if bare in _KINDS else f".{PACKAGE}.{bare}",
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool
