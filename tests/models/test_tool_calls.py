"""Tool calls in all the ways in which servers send them."""

from typing import Any

import msgspec
import pytest

from serai.core.message import ToolCall
from serai.models.draft import Draft
from serai.models.fault import Upstream
from serai.ports.model import ModelReply

A, B = '{"q": 1}', '{"q": 2}'


def reply(*pieces: list[dict[str, Any]], finish: str = "tool_calls") -> ModelReply:
    """The reply of a stream whose chunks have these `tool_calls`."""
    draft = Draft(Upstream("m", "host"))
    for calls in pieces:
        draft.take(msgspec.json.encode({"choices": [{"delta": {"tool_calls": calls}}]}))
    draft.take(msgspec.json.encode({"choices": [{"delta": {}, "finish_reason": finish}]}))
    return draft.reply()


def piece(
    index: int | None = None, call: str | None = None, name: str | None = None, text: Any = None
) -> dict[str, Any]:
    """A piece of a call; what is None is left out."""
    function = {key: value for key, value in {"name": name, "arguments": text}.items() if value is not None}
    fields = {"index": index, "id": call, "function": function or None}
    return {key: value for key, value in fields.items() if value is not None}


BOTH = (ToolCall("a", "look", A), ToolCall("b", "find", B))
TWINS = (ToolCall("a", "look", A), ToolCall("b", "look", B))


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        pytest.param(
            [[piece(0, "a", "look", "")], [piece(0, text=A[:3])], [piece(0, text=A[3:])], [piece(1, "b", "find", B)]],
            BOTH,
            id="by the book",
        ),
        pytest.param(
            [
                [piece(0, "a", "look", A[:3]), piece(1, "b", "find", B[:3])],
                [piece(1, text=B[3:]), piece(0, text=A[3:])],
            ],
            BOTH,
            id="interleaved",
        ),
        pytest.param([[piece(0, "a", "look", A), piece(1, "b", "find", B)]], BOTH, id="whole, in one chunk"),
        pytest.param([[piece(0, "a", "look", A)], [piece(0, "b", "find", B)]], BOTH, id="whole, all at index 0"),
        pytest.param([[piece(0, "a", "look", A)], [piece(0, "b", "look", B)]], TWINS, id="twins at index 0"),
        pytest.param([[piece(None, "a", "look", A)], [piece(None, "b", "find", B)]], BOTH, id="no index"),
        pytest.param([[piece(None, "a", "look", A), piece(None, "b", "look", B)]], TWINS, id="twins without index"),
        pytest.param(
            [[piece(None, "a", "look", A[:2])], [piece(text=A[2:])], [piece(None, "b", "find")], [piece(text=B)]],
            BOTH,
            id="pieces without index",
        ),
        pytest.param(
            [[piece(0, "a", "look", A[:2])], [piece(text=A[2:])], [piece(1, "b", "find", B)]],
            BOTH,
            id="index in the first piece only",
        ),
        pytest.param(
            [[piece(0, "a", "look", A[:2])], [piece(0, "a", "look", A[2:])], [piece(1, "b", "find", B)]],
            BOTH,
            id="id and name repeated",
        ),
        pytest.param(
            [[piece(0, "a")], [piece(0, name="look")], [piece(0, text=A)], [piece(1, "b", "find", B)]],
            BOTH,
            id="id, name and arguments apart",
        ),
        pytest.param(
            [[piece(0, "a", "look", {"q": 1}), piece(1, "b", "find", B)]], BOTH, id="arguments as an object"
        ),
        pytest.param([[piece(0, "a", "look")]], (ToolCall("a", "look", "{}"),), id="no arguments"),
        pytest.param([[piece(0, "a", "look", "")]], (ToolCall("a", "look", "{}"),), id="empty arguments"),
        pytest.param([[{**piece(0, "a", "look"), "type": None}]], (ToolCall("a", "look", "{}"),), id="null type"),
        pytest.param(
            [
                [{"index": 0, "id": "a", "function": {"name": "look", "arguments": None}}],
                [{"index": 0, "function": None}],
            ],
            (ToolCall("a", "look", "{}"),),
            id="nulls",
        ),
        pytest.param([[piece(0, "a", "look", '{"q"')]], (ToolCall("a", "look", '{"q"'),), id="arguments as they are"),
    ],
)
def test_calls_are_put_together(pieces: list[list[dict[str, Any]]], calls: tuple[ToolCall, ...]) -> None:
    said = [(call.id, call.name, call.arguments.replace('{"q":1}', A)) for call in reply(*pieces).message.tool_calls]
    assert said == [(call.id, call.name, call.arguments) for call in calls]


@pytest.mark.parametrize(
    "pieces",
    [
        [[piece(0, None, "look", A), piece(1, None, "look", B)]],
        [[piece(None, None, "look", A)], [piece(None, None, "look", B)]],
        [[piece(0, "same", "look", A), piece(1, "same", "look", B)]],
        [[piece(0, "", "look", A), piece(1, "", "look", B)]],
    ],
)
def test_each_call_has_an_id_of_its_own(pieces: list[list[dict[str, Any]]]) -> None:
    calls = reply(*pieces).message.tool_calls
    assert [call.arguments for call in calls] == [A, B]
    assert len({call.id for call in calls} - {""}) == 2
    assert all(call.id == "same" or (len(call.id) == 9 and call.id.isalnum()) for call in calls)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("tool_calls", "tool_calls"), ("stop", "tool_calls"), ("function_call", "tool_calls"), ("length", "length")],
)
def test_an_answer_with_calls_says_so_unless_it_was_cut(finish: str, reason: str) -> None:
    assert reply([piece(0, "a", "look", A)], finish=finish).finish_reason == reason


def test_an_answer_that_promises_calls_and_has_none_is_finished() -> None:
    assert reply(finish="tool_calls").finish_reason == "stop"
