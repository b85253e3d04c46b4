"""Checks what the API says against the official client's own types and those of Open Responses."""

import enum
from typing import Any, Final

import openresponses_types as standard
from openai.types import responses as official
from pydantic import BaseModel, TypeAdapter

_EVENT: Final[TypeAdapter[Any]] = TypeAdapter(official.ResponseStreamEvent)


def _standard_events() -> dict[str, type[BaseModel]]:
    """The event types of Open Responses by their `type`."""
    found = {}
    for name in dir(standard):
        model = getattr(standard, name)
        if name.endswith("StreamingEvent") and issubclass(model, BaseModel):
            kind = model.model_fields["type"].annotation
            assert isinstance(kind, type)
            assert issubclass(kind, enum.Enum)
            found.update(dict.fromkeys([one.value for one in kind], model))
    return found


STANDARD_EVENTS: Final = _standard_events()


def check_response(document: Any, *, standard_too: bool = True) -> official.Response:
    """A response object. `standard_too` is false where the two disagree: a schema is null in Open Responses."""
    if standard_too:
        standard.ResponseResource.model_validate(document)
    return official.Response.model_validate(document)


def check_events(documents: list[Any]) -> list[Any]:
    """A whole stream: each event, their numbers, and that it ends by a terminal event and in no other place."""
    parsed = []
    for n, document in enumerate(documents):
        STANDARD_EVENTS[document["type"]].model_validate(document)
        parsed.append(_EVENT.validate_python(document))
        assert document["sequence_number"] == n
    ends = {"response.completed", "response.failed", "response.incomplete"}
    assert [d["type"] for d in documents if d["type"] in ends] == [documents[-1]["type"]]
    check_items(documents)
    return parsed


def check_items(documents: list[Any]) -> None:
    """The pieces of every item come to what its end says, and the items to the output of the response."""
    pieces: dict[str, str] = {}
    done: list[Any] = []
    for one in documents:
        match one["type"]:
            case "response.output_text.delta" | "response.function_call_arguments.delta":
                pieces[one["item_id"]] = pieces.get(one["item_id"], "") + one["delta"]
            case "response.output_text.done":
                assert pieces[one["item_id"]] == one["text"]
            case "response.function_call_arguments.done":
                assert pieces[one["item_id"]] == one["arguments"]
            case "response.output_item.added":
                assert one["output_index"] == len(done)
                assert one["item"]["status"] == "in_progress"
            case "response.output_item.done":
                done.append(one["item"])
    assert documents[-1]["response"]["output"] == done
