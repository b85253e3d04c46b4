"""The long connection's frames by google's protobuf, built from a descriptor: independent of the driver's codec."""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD: Final = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = (
    ("SeqID", _FIELD.TYPE_UINT64, _FIELD.LABEL_REQUIRED),
    ("LogID", _FIELD.TYPE_UINT64, _FIELD.LABEL_REQUIRED),
    ("service", _FIELD.TYPE_INT32, _FIELD.LABEL_REQUIRED),
    ("method", _FIELD.TYPE_INT32, _FIELD.LABEL_REQUIRED),
    ("headers", _FIELD.TYPE_MESSAGE, _FIELD.LABEL_REPEATED),
    ("payload_encoding", _FIELD.TYPE_STRING, _FIELD.LABEL_OPTIONAL),
    ("payload_type", _FIELD.TYPE_STRING, _FIELD.LABEL_OPTIONAL),
    ("payload", _FIELD.TYPE_BYTES, _FIELD.LABEL_OPTIONAL),
    ("LogIDNew", _FIELD.TYPE_STRING, _FIELD.LABEL_OPTIONAL),
)


def _frame() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="pbbp2.proto", package="pbbp2", syntax="proto2")
    header = file.message_type.add(name="Header")
    for number, name in enumerate(("key", "value"), 1):
        header.field.add(name=name, number=number, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_REQUIRED)
    frame = file.message_type.add(name="Frame")
    for number, (name, kind, label) in enumerate(_SCALARS, 1):
        field = frame.field.add(name=name, number=number, type=kind, label=label)
        if kind == _FIELD.TYPE_MESSAGE:
            field.type_name = ".pbbp2.Header"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("pbbp2.Frame"))


GoogleFrame: Final = _frame()
"""The message class."""


def google_frame(method: int, headers: dict[str, str], payload: bytes = b"", service: int = 0) -> Any:
    """A frame with headers."""
    frame = GoogleFrame(SeqID=0, LogID=0, service=service, method=method, payload=payload)
    for key, value in headers.items():
        frame.headers.add(key=key, value=value)
    return frame
