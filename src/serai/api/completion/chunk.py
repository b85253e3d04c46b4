"""The shape of what `answer.Chunks` writes piece by piece (OpenAI API reference, "Streaming events of Chat")."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from serai.api.completion.answer import FinishReason, UsageReport


class FunctionDelta(Struct, forbid_unknown_fields=True):
    """First the function's name, then its arguments."""

    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class CallDelta(Struct, forbid_unknown_fields=True):
    """A piece of a call for the client to run."""

    index: int
    function: FunctionDelta
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = UNSET


class Delta(Struct, forbid_unknown_fields=True):
    """What is new."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    tool_calls: list[CallDelta] | UnsetType = UNSET


class ChunkChoice(Struct, forbid_unknown_fields=True):
    """The one answer, growing."""

    index: int
    delta: Delta
    logprobs: None
    finish_reason: FinishReason | None


class Chunk(Struct, tag_field="object", tag="chat.completion.chunk", forbid_unknown_fields=True):
    """One event of a streamed answer. `usage` comes with the last one, where it was asked for."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: UsageReport | UnsetType | None = UNSET
