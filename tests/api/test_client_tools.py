"""Client-declared tools as the official client sees them (SPEC 11.3)."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from serai.core.event import TextDelta, TurnEnded
from serai.core.ids import InputId
from serai.core.message import Answer, ClientTool, ClientTools, Message, ToolCall
from tests.api.stage import FakeRuns, serving

USER: Any = {"role": "user", "content": "weather in Rome?"}
WEATHER = ToolCall("w1", "weather", '{"city": "Rome"}')
TIME = ToolCall("t1", "time", "{}")
SHOWN = "call_" + "0" * 24
RUN = InputId(f"run_{'0' * 24}")


def tool(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, **more}}


def handing_over(text: str = "") -> FakeRuns:
    runs = FakeRuns(*([TextDelta(text)] if text else []), TurnEnded("done", Answer(text, tool_calls=(WEATHER, TIME))))
    runs.id = RUN
    return runs


async def test_calls_for_the_client_satisfy_the_official_types() -> None:
    async with serving(handing_over()) as stage, stage.client() as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="ops", messages=[USER], tools=[tool("weather")]
        )
    got = ChatCompletion.model_validate_json(raw.content, strict=True)
    assert got.choices[0].finish_reason == "tool_calls"
    message = got.choices[0].message
    assert message.content is None
    calls = [call for call in message.tool_calls or () if call.type == "function"]
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        (f"{SHOWN}_w1", "weather", '{"city": "Rome"}'),
        (f"{SHOWN}_t1", "time", "{}"),
    ]


@pytest.mark.parametrize("text", ["", "One moment."])
async def test_a_stream_tells_the_calls_in_deltas(text: str) -> None:
    async with serving(handing_over(text)) as stage, stage.client() as client:
        stream = await client.chat.completions.create(
            model="ops",
            messages=[USER],
            tools=[tool("weather")],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        for piece in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
            begun = calls.setdefault(piece.index, ["", "", ""])
            assert piece.function is not None
            for n, part in enumerate((piece.id, piece.function.name, piece.function.arguments)):
                begun[n] += part or ""
    assert calls == {0: [f"{SHOWN}_w1", "weather", '{"city": "Rome"}'], 1: [f"{SHOWN}_t1", "time", "{}"]}
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "tool_calls"
    assert chunks[-1].usage is not None


async def test_the_functions_reach_the_agent() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    offered = [tool("weather", description="tells it", parameters=schema, strict=True), tool("time")]
    async with serving() as stage:
        assert (await stage.chat(tools=offered)).status == 200
    body = stage.runs.asks[0].body
    assert body.client == ClientTools((ClientTool("weather", "tells it", schema, True), ClientTool("time")))
    assert body.options == {}


@pytest.mark.parametrize(
    ("choice", "names", "forced", "option"),
    [
        (None, ["weather", "time"], False, None),
        ("auto", ["weather", "time"], False, None),
        ("required", ["weather", "time"], True, "required"),
        (tool("time"), ["time"], True, tool("time")),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("time")]}},
            ["time"],
            False,
            None,
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [tool("time")]}},
            ["time"],
            True,
            "required",
        ),
    ],
)
async def test_the_choice_among_them_is_kept(choice: Any, names: list[str], forced: bool, option: Any) -> None:
    async with serving() as stage:
        assert (await stage.chat(tools=[tool("weather"), tool("time")], tool_choice=choice)).status == 200
    body = stage.runs.asks[0].body
    assert body.client is not None
    assert ([one.name for one in body.client.tools], body.client.forced) == (names, forced)
    assert body.options.get("tool_choice") == option


async def test_none_leaves_them_all_out() -> None:
    async with serving() as stage:
        assert (await stage.chat(tools=[tool("weather")], tool_choice="none")).status == 200
    assert stage.runs.asks[0].body.client is None


def assistant() -> Any:
    call = {"id": f"{SHOWN}_w1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    other = {**call, "id": f"{SHOWN}_t1"}
    return {"role": "assistant", "content": None, "tool_calls": [call, other]}


RESULTS: list[Any] = [
    {"role": "tool", "content": "sunny", "tool_call_id": f"{SHOWN}_w1"},
    {"role": "tool", "content": [{"type": "text", "text": "noon"}], "tool_call_id": f"{SHOWN}_t1"},
]


async def test_results_come_with_their_history_where_there_is_no_session() -> None:
    async with serving() as stage:
        assert (await stage.chat(messages=[USER, assistant(), *RESULTS])).status == 200
    body = stage.runs.asks[0].body
    assert [one.role for one in body.history] == ["user", "assistant"]
    assert body.before == (Message("tool", "sunny", tool_call_id=f"{SHOWN}_w1"),)
    assert body.message == Message("tool", "noon", tool_call_id=f"{SHOWN}_t1")


@pytest.mark.parametrize("more", [[], [{"role": "system", "content": "Brief."}, USER]])
async def test_a_session_takes_the_new_results_alone(more: list[Any]) -> None:
    async with serving() as stage:
        messages = [USER, assistant(), *RESULTS, *more]
        assert (await stage.chat(headers={"X_Hermes_Session_Id": "mine"}, messages=messages)).status == 200
    body = stage.runs.asks[0].body
    assert body.history == ()
    assert [one.text for one in (*body.before, body.message)] == ["sunny", "noon", "weather in Rome?"][
        : 3 if more else 2
    ]
