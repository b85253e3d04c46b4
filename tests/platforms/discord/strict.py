"""Checks what a bot sends against Discord's own API description, and what a fake sends, too.

The models are generated from that description. They pass over keys that they do not know, and so does Discord; here
those are faults.
"""

import functools
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Annotated, Any, Literal

import msgspec
from pydantic import ValidationError

TEXT_MOST = 2000
"""What a bot may send; the description has 4000, which holds for some people."""


def _unopened(package: str) -> None:
    """Makes a package known without running its `__init__`, which would build all of its 460 models: that takes ten
    times as long as the few that are needed."""
    found = find_spec(package)
    assert found is not None, package
    sys.modules.setdefault(package, module_from_spec(found))


@functools.cache
def model(name: str) -> Any:
    """A model by its file's name."""
    _unopened("openapi_client")
    _unopened("openapi_client.models")
    return getattr(import_module(f"openapi_client.models.{name}"), "".join(part.title() for part in name.split("_")))


def faults(name: str, document: Mapping[str, Any]) -> list[str]:
    """What is wrong with a document; nothing where it is right."""
    kind = model(name)
    known = {*getattr(kind, f"_{kind.__name__}__properties"), *_HABITS.get(name, ())}
    found = [f"{name}: unknown key `{key}`" for key in document if key not in known]
    try:
        msgspec.convert(document.get("components") or [], list[Row])
        kind.from_dict(_as_described(document))
    except (ValidationError, msgspec.ValidationError, ValueError) as error:
        found.append(f"{name}: {error}")
    return found


_HABITS = {"message_edit_request_partial": ("tts",)}
"""What the library always adds, and Discord passes over."""


def _as_described(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what the models cannot read: components (their kinds are not told apart by their type; `Row`
    has them), and ids that the library sends as numbers, which Discord takes."""
    found = {key: [] if key == "components" else value for key, value in document.items()}
    if isinstance(reference := found.get("message_reference"), dict):
        found["message_reference"] = {k: str(v) if k.endswith("_id") else v for k, v in reference.items()}
    if isinstance(files := found.get("attachments"), list):
        found["attachments"] = [{**file, "id": str(file["id"])} for file in files]
    return found


class Button(msgspec.Struct, forbid_unknown_fields=True):
    """A button as it is documented under Message Components."""

    type: Literal[2]
    style: Literal[1, 2, 3, 4]
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    disabled: bool = False
    id: int | None = None


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """A row of buttons."""

    type: Literal[1]
    components: Annotated[list[Button], msgspec.Meta(min_length=1, max_length=5)]
    id: int | None = None


class Properties(msgspec.Struct, forbid_unknown_fields=True):
    os: str
    browser: str
    device: str


class Identify(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    properties: Properties
    intents: int
    compress: bool = False
    large_threshold: int = 50
    shard: tuple[int, int] | None = None


class Resume(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    session_id: str
    seq: int


class Frame(msgspec.Struct, forbid_unknown_fields=True):
    op: int
    d: msgspec.Raw


class Ack(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to an interaction: 6 acknowledges a pressed button without a change."""

    type: int
    data: dict[str, Any] | None = None


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """What is shown to whoever pressed."""

    content: str
    flags: int
    allowed_mentions: dict[str, Any] | None = None
    tts: bool = False
