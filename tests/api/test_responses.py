"""POST /v1/responses and what lies under it (SPEC 11.4, 16.3)."""

import asyncio
from typing import Any

import openai
import pytest
from openai.types.responses import response_item_list

from serai.core.ids import SessionId
from serai.core.message import Message, ToolCall, Usage
from serai.ports.model import ModelReply
from serai.testing.clock import virtual_time
from serai.testing.model import Fail, ScriptedModel
from tests.api.official import check_events, check_response
from tests.api.stage import ADMIN_KEY, OPS_KEY, Answered
from tests.api.test_runs import Held
from tests.api.whole import LAB_KEY, TWIN_KEY, Whole, events, whole
from tests.gateway.test_steps import FakeTool, call

WEATHER = ToolCall("w1", "weather", '{"city": "Rome"}')
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": None}


async def ask(one: Whole, text: Any = "hello", key: str = OPS_KEY, **more: Any) -> Any:
    answer = await one.call("POST", "/v1/responses", {"input": text, "model": "ops", **more}, key)
    assert answer.status == 200, answer.body
    check_response(answer.json)
    return answer.json


async def stream(one: Whole, text: Any = "hello", **more: Any) -> list[Any]:
    answer = await one.call("POST", "/v1/responses", {"input": text, "model": "ops", "stream": True, **more}, OPS_KEY)
    assert answer.status == 200, answer.body
    sent = events(answer.body)
    assert [e.name for e in sent] == [e.data["type"] for e in sent]
    documents = [e.data for e in sent]
    check_events(documents)
    return documents


async def get(one: Whole, response: str, key: str = OPS_KEY) -> Any:
    answer = await one.call("GET", f"/v1/responses/{response}", key=key)
    assert answer.status == 200, answer.body
    check_response(answer.json)
    return answer.json


def texts(response: Any) -> list[str]:
    return [part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]]


def said(model: ScriptedModel, n: int = -1) -> list[tuple[str, str]]:
    return [(m.role, m.text or ",".join(c.id for c in m.tool_calls)) for m in model.requests[n].messages[1:]]


async def test_a_response_is_asked_and_read_again() -> None:
    reply = ModelReply(Message("assistant", "It is 4."), Usage(24, 17, 8, 3), "m", "stop")
    async with whole(ScriptedModel([reply])) as one:
        got = await ask(one, "2+2?", instructions="Be brief.", metadata={"a": "b"}, temperature=0.5)
        again = await get(one, got["id"])
    assert got == again
    assert (got["status"], got["model"], texts(got)) == ("completed", "ops", ["It is 4."])
    assert got["usage"] == {
        "input_tokens": 24,
        "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
        "output_tokens": 17,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 41,
    }
    assert (got["instructions"], got["metadata"], got["temperature"]) == ("Be brief.", {"a": "b"}, 0.5)
    assert got["completed_at"] is not None


async def test_the_official_client_is_served() -> None:
    async with whole(ScriptedModel(["It is 4.", "And 5."])) as one, one.client(OPS_KEY) as client:
        first = await client.responses.create(model="ops", input="2+2?")
        assert first.output_text == "It is 4."
        async with client.responses.stream(model="ops", input="2+3?", previous_response_id=first.id) as running:
            async for event in running:
                assert event.type
            final = await running.get_final_response()
        assert final.output_text == "And 5."
        assert (await client.responses.retrieve(final.id)).previous_response_id == first.id
        items = [item async for item in await client.responses.input_items.list(final.id)]
        assert len(items) == 1
        await client.responses.delete(final.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(final.id)


async def test_what_is_asked_reaches_the_model() -> None:
    model = ScriptedModel(["ok"])
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    async with whole(model) as one:
        body = {
            "input": [
                {"role": "developer", "content": "In English."},
                {
                    "role": "user",
                    "content": [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}],
                },
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "yes", "annotations": []}],
                },
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "and this?"},
                        {"type": "input_image", "image_url": "https://a.example/cat.png", "detail": "low"},
                    ],
                },
            ],
            "model": "ops",
            "instructions": "Be brief.",
            "max_output_tokens": 9,
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {
                "format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True},
                "verbosity": "low",
            },
            "truncation": "auto",
            "top_p": 0.5,
            "include": ["reasoning.encrypted_content"],
            "user": "u",
        }
        answer = await one.call("POST", "/v1/responses", body, OPS_KEY)
        assert answer.status == 200, answer.body
        check_response(answer.json, standard_too=False)
        listed = await one.call("GET", f"/v1/responses/{answer.json['id']}/input_items?order=asc", key=OPS_KEY)
    response_item_list.ResponseItemList.model_validate(listed.json)
    assert [item["role"] for item in listed.json["data"]] == ["system", "user", "assistant", "user"]
    assert listed.json["data"][3]["content"][1]["image_url"] == "https://a.example/cat.png"
    request = model.requests[0]
    assert request.messages[0].text.endswith("Be brief.")
    assert said(model) == [
        ("system", "In English."),
        ("user", "one\ntwo"),
        ("assistant", "yes"),
        ("user", "and this?"),
    ]
    assert request.messages[-1].images[0].detail == "low"
    assert request.options == {
        "max_completion_tokens": 9,
        "reasoning_effort": "low",
        "verbosity": "low",
        "top_p": 0.5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}},
    }


async def test_a_stream_tells_texts_and_calls_as_the_protocol_has_them() -> None:
    first = ModelReply(Message("assistant", "Let me see.", tool_calls=(call(1),)), Usage(), "m", "tool_calls")
    last = ModelReply(Message("assistant", "One moment.", tool_calls=(WEATHER,)), Usage(), "m", "tool_calls")
    async with whole(ScriptedModel([first, last]), tools={"act": FakeTool()}) as one:
        sent = await stream(one, tools=[TOOL])
        again = await get(one, sent[-1]["response"]["id"])
    final = sent[-1]["response"]
    assert final["output"] == again["output"]
    assert texts(final) == ["Let me see.", "One moment."]
    assert [item["type"] for item in final["output"]] == ["message", "message", "function_call"]
    assert final["output"][2]["arguments"] == WEATHER.arguments
    assert [e["type"] for e in sent[:2]] == ["response.created", "response.in_progress"]


async def test_calls_of_the_client_are_answered_in_a_chain() -> None:
    model = ScriptedModel([[call(1), WEATHER], "It is sunny."])
    async with whole(model, tools={"act": FakeTool()}) as one:
        first = await ask(one, "weather?", tools=[TOOL])
        (wish,) = first["output"]
        output = {"type": "function_call_output", "call_id": wish["call_id"], "output": "sunny"}
        second = await ask(one, [output], previous_response_id=first["id"], tools=[TOOL])
        listed = await one.call("GET", f"/v1/responses/{second['id']}/input_items", key=OPS_KEY)
    assert texts(second) == ["It is sunny."]
    assert said(model) == [("user", "weather?"), ("assistant", "c1,w1"), ("tool", "result 1"), ("tool", "sunny")]
    assert listed.json["data"][0]["call_id"] == wish["call_id"]


async def test_calls_of_the_client_are_answered_by_one_who_brings_everything_along() -> None:
    model = ScriptedModel(
        [
            ModelReply(Message("assistant", "Let me see.", tool_calls=(call(1),)), Usage(), "m", "tool_calls"),
            ModelReply(Message("assistant", "And ask.", tool_calls=(WEATHER,)), Usage(), "m", "tool_calls"),
            "It is sunny.",
        ]
    )
    async with whole(model, tools={"act": FakeTool()}) as one:
        first = await ask(one, "weather?", tools=[TOOL])
        output = {"type": "function_call_output", "call_id": first["output"][-1]["call_id"], "output": "sunny"}
        await ask(one, [{"role": "user", "content": "weather?"}, *first["output"], output])
    assert said(model) == [
        ("user", "weather?"),
        ("assistant", "Let me see."),
        ("tool", "result 1"),
        ("assistant", "And ask."),
        ("tool", "sunny"),
    ]


async def test_a_client_may_bring_the_whole_conversation_with_the_result() -> None:
    model = ScriptedModel([[WEATHER], "Sunny."])
    async with whole(model) as one:
        first = await ask(one, "weather?", tools=[TOOL])
        asked = {"type": "message", "role": "user", "content": "weather?"}
        (wish,) = first["output"]
        output = {"type": "function_call_output", "call_id": wish["call_id"], "output": "sunny"}
        second = await ask(one, [asked, wish, output], tools=[TOOL])
    assert texts(second) == ["Sunny."]
    assert [role for role, _ in said(model)] == ["user", "assistant", "tool"]


async def test_a_chain_remembers_and_may_branch() -> None:
    model = ScriptedModel(["one", "two", "three", "two again"])
    async with whole(model) as one:
        first = await ask(one, "1")
        second = await ask(one, "2", previous_response_id=first["id"])
        await ask(one, "3", previous_response_id=second["id"])
        branch = await ask(one, "2b", previous_response_id=first["id"])
        assert branch["previous_response_id"] == first["id"]
    assert said(model, 2) == [("user", "1"), ("assistant", "one"), ("user", "2"), ("assistant", "two"), ("user", "3")]
    assert said(model, 3) == [("user", "1"), ("assistant", "one"), ("user", "2b")]


@pytest.mark.parametrize("branches", [2])
async def test_branches_that_begin_at_once_do_not_mix(branches: int) -> None:
    async with whole(ScriptedModel(lambda r: f"re {r.messages[-1].text}")) as one:
        first = await ask(one, "root")
        got = await asyncio.gather(*(ask(one, f"b{n}", previous_response_id=first["id"]) for n in range(branches)))
        for n, response in enumerate(got):
            after = await ask(one, "tell", previous_response_id=response["id"])
            assert texts(after) == ["re tell"]
            assert texts(response) == [f"re b{n}"]
        model = one.stage
    assert model is not None


async def test_with_store_false_nothing_is_found_afterwards() -> None:
    async with whole(ScriptedModel(["secret", "more"])) as one:
        got = await ask(one, "hello", store=False)
        sent = await stream(one, "hello", store=False)
        for response in (got, sent[-1]["response"]):
            assert response["store"] is False
            gone = await one.call("GET", f"/v1/responses/{response['id']}", key=OPS_KEY)
            assert (gone.status, gone.error["code"]) == (404, "response_not_found")
            chained = await one.call(
                "POST", "/v1/responses", {"input": "x", "previous_response_id": response["id"]}, OPS_KEY
            )
            assert (chained.status, chained.error["param"]) == (404, "previous_response_id")
            session = SessionId(response["id"].replace("resp_", "ses_"))
            assert await one.stage.store.holder(session) is None


async def test_a_deleted_response_is_gone_and_what_builds_on_it_stays() -> None:
    model = ScriptedModel(["one", "two", "three"])
    async with whole(model) as one:
        first = await ask(one, "1")
        second = await ask(one, "2", previous_response_id=first["id"])
        gone = await one.call("DELETE", f"/v1/responses/{first['id']}", key=OPS_KEY)
        assert (gone.status, gone.json["deleted"]) == (200, True)
        assert (await one.call("GET", f"/v1/responses/{first['id']}", key=OPS_KEY)).status == 404
        await ask(one, "3", previous_response_id=second["id"])
    assert said(model)[0] == ("user", "1")


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
async def test_an_answer_that_was_cut_short_is_incomplete(finish: str, reason: str) -> None:
    reply = ModelReply(Message("assistant", "It is"), Usage(), "m", finish)
    async with whole(ScriptedModel([reply, reply])) as one:
        got = await ask(one)
        sent = await stream(one)
    for response in (got, sent[-1]["response"]):
        assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert sent[-1]["type"] == "response.incomplete"


FAILURES = [
    (Fail("unreachable"), 503),
    (Fail(401), 502),
    (Fail(429, retry_after=70), 429),
    (Fail(500), 502),
    (Fail("garbled"), 502),
    (Fail("timeout"), 504),
]


@pytest.mark.parametrize(("failure", "status"), FAILURES)
@pytest.mark.parametrize("streamed", [False, True])
@virtual_time
async def test_an_upstream_failure_has_its_status(failure: Fail, status: int, streamed: bool) -> None:
    async with whole(ScriptedModel(lambda _: failure)) as one:
        answer = await one.call("POST", "/v1/responses", {"input": "x", "model": "ops", "stream": streamed}, OPS_KEY)
    assert answer.status == status
    assert answer.error["code"].startswith("upstream_")
    assert (answer.headers.get("retry-after") == "70") == (status == 429)


async def test_a_stream_that_is_cut_ends_with_a_failure() -> None:
    async with whole(ScriptedModel([Fail("garbled", "cut", after="half an ")])) as one:
        sent = await stream(one)
    assert sent[-1]["type"] == "response.failed"
    final = sent[-1]["response"]
    assert (final["status"], final["error"]["code"], final["error"]["type"]) == (
        "failed",
        "server_error",
        "upstream_bad_answer",
    )
    assert final["output"][0]["status"] == "incomplete"
    assert texts(final) == ["half an "]


async def test_a_background_response_is_answered_later() -> None:
    model = Held("half ", "whole")
    async with whole(model) as one:
        got = await ask(one, background=True)
        assert got["status"] == "queued"
        assert (await get(one, got["id"]))["status"] == "in_progress"
        early = await one.call("POST", "/v1/responses", {"input": "x", "previous_response_id": got["id"]}, OPS_KEY)
        assert (early.status, early.error["code"]) == (409, "response_not_ready")
        model.go.set()
        sent = await followed(one, got["id"])
        assert texts(await get(one, got["id"])) == ["half whole"]
    assert [e["type"] for e in sent[:3]] == ["response.created", "response.queued", "response.in_progress"]


async def followed(one: Whole, response: str, after: int | None = None) -> list[Any]:
    path = f"/v1/responses/{response}?stream=true" + ("" if after is None else f"&starting_after={after}")
    answer = await one.call("GET", path, key=OPS_KEY)
    assert answer.status == 200, answer.body
    return [e.data for e in events(answer.body)]


async def test_a_background_stream_is_the_same_each_time_and_goes_on_anywhere() -> None:
    first = ModelReply(Message("assistant", "Let me see.", tool_calls=(call(1),)), Usage(), "m", "tool_calls")
    async with whole(ScriptedModel([first, [WEATHER]]), tools={"act": FakeTool()}) as one:
        live = await stream(one, background=True, tools=[TOOL])
        response = live[-1]["response"]["id"]
        assert await followed(one, response) == live
        for n in range(len(live)):
            assert await followed(one, response, n) == live[n + 1 :]
        bad = await one.call("GET", f"/v1/responses/{response}?stream=true&starting_after=x", key=OPS_KEY)
        assert (bad.status, bad.error["param"]) == (400, "starting_after")


async def test_a_background_response_is_cancelled() -> None:
    model = Held("half", "")
    async with whole(model) as one:
        got = await ask(one, background=True)
        following = asyncio.create_task(followed(one, got["id"]))
        await asyncio.sleep(0.05)
        answer = await one.call("POST", f"/v1/responses/{got['id']}/cancel", key=OPS_KEY)
        assert answer.status == 200
        check_response(answer.json)
        sent = await following
        check_events(sent)
        final = await get(one, got["id"])
        again = await one.call("POST", f"/v1/responses/{got['id']}/cancel", key=OPS_KEY)
        front = await one.call(
            "POST", "/v1/responses", {"input": "x", "model": "ops", "background": True, "store": False}, OPS_KEY
        )
    assert (sent[-1]["type"], sent[-1]["response"]["status"]) == ("response.incomplete", "cancelled")
    assert (final["status"], again.json["status"]) == ("cancelled", "cancelled")
    assert (front.status, front.error["param"]) == (400, "background")


async def test_a_background_response_goes_on_after_a_restart_under_its_id_and_numbers() -> None:
    first = Held("half of something else", "")
    async with whole(first) as one:
        got = await ask(one, background=True)
        before = asyncio.create_task(followed(one, got["id"]))
        await asyncio.sleep(0.05)
        before.cancel()
    async with whole(ScriptedModel(["the answer"]), store=one.stage.store, recover=True) as other:
        sent = await followed(other, got["id"])
        check_events(sent)
        assert texts(await get(other, got["id"])) == ["the answer"]
        assert await followed(other, got["id"], 2) == sent[3:]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_repeated_request_gets_the_one_answer(streamed: bool) -> None:
    model = ScriptedModel(["only once"])
    async with whole(model) as one:
        body = {"input": "x", "model": "ops", "stream": streamed}
        answers = [await one.call("POST", "/v1/responses", body, OPS_KEY, {"Idempotency-Key": "k"}) for _ in range(2)]
    assert len(model.requests) == 1
    if streamed:
        finals = []
        for answer in answers:
            sent = [e.data for e in events(answer.body)]
            check_events(sent)
            finals.append(sent[-1]["response"])
    else:
        finals = [answer.json for answer in answers]
    assert finals[0]["id"] == finals[1]["id"]
    assert [texts(final) for final in finals] == [["only once"]] * 2


@pytest.mark.parametrize("key", [TWIN_KEY, LAB_KEY])
async def test_a_response_of_another_key_does_not_exist(key: str) -> None:
    async with whole(ScriptedModel(["secret"])) as one:
        got = await ask(one)
        path = f"/v1/responses/{got['id']}"
        calls = [("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", "")]
        answers: list[Answered] = [await one.call(m, path + p, key=key) for m, p in calls]
        assert [(a.status, a.error["code"]) for a in answers] == [(404, "response_not_found")] * 4
        for who in (key, ADMIN_KEY):
            body = {"input": "x", "previous_response_id": got["id"]}
            assert (await one.call("POST", "/v1/responses", body, who)).status == 404
        assert texts(await get(one, got["id"], ADMIN_KEY)) == ["secret"]


async def test_a_stored_response_fixes_the_agent() -> None:
    model = ScriptedModel(["one", "two"])
    async with whole(model) as one:
        first = await ask(one, key="fake-key-all")
        body = {"input": "x", "previous_response_id": first["id"]}
        other = await one.call("POST", "/v1/responses", {**body, "model": "lab"}, "fake-key-all")
        assert (other.status, other.error["code"]) == (404, "response_not_found")
        routed = await one.call("POST", "/v1/responses", body, "fake-key-all", {"X-Hermes-Chat-Id": "elsewhere"})
        assert routed.json["model"] == "ops"
    assert [r.agent for r in model.requests] == ["ops", "ops"]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "missing_required_parameter", "input"),
    ({"input": ""}, "invalid_value", "input"),
    ({"input": []}, "invalid_value", "input"),
    ({"input": [{"role": "user"}]}, "missing_required_parameter", "input[0].content"),
    ({"input": [{"content": "x"}]}, "missing_required_parameter", "input[0].role"),
    ({"input": [{"role": "assistant", "content": "x"}]}, "invalid_value", "input"),
    ({"input": [{"type": "reasoning"}]}, "invalid_value", "input"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "unsupported_parameter", "input[0].type"),
    ({"input": [{"type": "web_search_call", "id": "x"}]}, "invalid_value", "input[0].type"),
    ({"input": [{"type": "function_call_output", "output": "x"}]}, "missing_required_parameter", "input[0].call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "invalid_value", "input"),
    (
        {
            "input": [
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"role": "user", "content": "x"},
            ]
        },
        "invalid_value",
        "input",
    ),
    ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "invalid_value", "input[0].content[0].type"),
    (
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
        "unsupported_parameter",
        "input[0].content[0].file_id",
    ),
    (
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc"}]}]},
        "invalid_value",
        "input[0].content[0].image_url",
    ),
    (
        {"input": [{"role": "system", "content": [{"type": "input_image", "image_url": "https://a.example"}]}]},
        "invalid_value",
        "input[0].content[0].type",
    ),
    ({"input": "x", "tools": [{"type": "web_search"}]}, "invalid_value", "tools[0].type"),
    ({"input": "x", "tool_choice": "required"}, "invalid_value", "tool_choice"),
    ({"input": "x", "tool_choice": {"type": "file_search"}}, "invalid_value", "tool_choice.type"),
    ({"input": "x", "include": ["file_search_call.results"]}, "invalid_value", "include[0]"),
    ({"input": "x", "prompt": {"id": "p"}}, "unsupported_parameter", "prompt"),
    ({"input": "x", "max_tool_calls": 3}, "unsupported_parameter", "max_tool_calls"),
    ({"input": "x", "top_logprobs": 3}, "unsupported_parameter", "top_logprobs"),
    ({"input": "x", "reasoning": {"summary": "detailed"}}, "invalid_value", "reasoning.summary"),
    ({"input": "x", "stream_options": {"include_obfuscation": False}}, "invalid_value", "stream_options"),
    ({"input": "x", "metadata": {"k": "v" * 513}}, "invalid_value", "metadata"),
    ({"input": "x", "verbosity": "low"}, "unknown_parameter", "verbosity"),
    ({"input": "x", "n": 2}, "unknown_parameter", "n"),
]


@pytest.mark.parametrize(("body", "code", "param"), REFUSED)
async def test_what_is_wrong_or_not_honoured_is_refused_by_name(body: Any, code: str, param: str) -> None:
    async with whole(ScriptedModel([])) as one:
        answer = await one.call("POST", "/v1/responses", body, OPS_KEY)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, code, param)


async def test_input_items_come_in_pages() -> None:
    async with whole(ScriptedModel(["ok"])) as one:
        items = [{"role": "user", "content": str(n)} for n in range(5)]
        got = await ask(one, items)
        path = f"/v1/responses/{got['id']}/input_items"
        first = (await one.call("GET", f"{path}?limit=2", key=OPS_KEY)).json
        assert [item["content"][0]["text"] for item in first["data"]] == ["4", "3"]
        assert (first["has_more"], first["last_id"], first["next"]) == (
            True,
            first["data"][1]["id"],
            first["last_id"],
        )
        rest = (await one.call("GET", f"{path}?after={first['last_id']}", key=OPS_KEY)).json
        assert [item["content"][0]["text"] for item in rest["data"]] == ["2", "1", "0"]
        assert (rest["has_more"], rest["next"]) == (False, None)
        for query in ("limit=0", "limit=101", "limit=x", "order=up", "after=none"):
            bad = await one.call("GET", f"{path}?{query}", key=OPS_KEY)
            assert (bad.status, bad.error["param"]) == (400, query.partition("=")[0])
