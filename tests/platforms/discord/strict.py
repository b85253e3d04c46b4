"""Checks what a bot sends against Discord's own API description, and what a fake sends, too.

The models are generated from that description. They pass over keys that they do not know, and so does Discord; here
those are faults.
"""

import functools
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec
from pydantic import ValidationError

TEXT_MOST = 2000
"""What a bot may send; the description has 4000, which holds for some people."""


@functools.cache
def model(name: str) -> Any:
    """A model by its file's name."""
    return getattr(import_module(f"openapi_client.models.{name}"), "".join(part.title() for part in name.split("_")))


def faults(name: str, document: Mapping[str, Any]) -> list[str]:
    """What is wrong with a document; nothing where it is right."""
    kind = model(name)
    known = set(getattr(kind, f"_{kind.__name__}__properties"))
    document = {**document, **_references(document)}
    found = [f"{name}: unknown key `{key}`" for key in document if key not in known]
    try:
        kind.from_dict(dict(document))
    except (ValidationError, ValueError) as error:
        found.append(f"{name}: {error}")
    return found


def _references(document: Mapping[str, Any]) -> dict[str, Any]:
    """Discord takes an id as a number, too, and the library sends it so where a message is answered."""
    reference = document.get("message_reference")
    if not isinstance(reference, dict):
        return {}
    return {"message_reference": {k: str(v) if k.endswith("_id") else v for k, v in reference.items()}}


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
