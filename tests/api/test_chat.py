"""POST /v1/chat/completions as the official client sees it (SPEC 11.2, 11.3)."""

import asyncio
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from serai.core.error import (
    Busy,
    ModelLimited,
    ModelTimeout,
    ModelUnreachable,
    NoModel,
    Refused,
    SeraiError,
    StorageFailed,
    Unauthorised,
    UnknownAgent,
)
from serai.core.event import TextDelta, ToolEnded, ToolStarted, TurnEnded, TurnFault
from serai.core.message import Answer, Image, Message, ToolCall
from serai.core.principal import Principal
from serai.ports.store.arrival import IdempotencyConflict, SessionTaken
from tests.api.stage import ANSWER, BROKEN, OPS, OPS_KEY, FakeRuns, browser, request, serving

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "2+2?"}


async def test_an_answer_satisfies_the_official_types() -> None:
    async with serving() as stage, stage.client() as client:
        raw = await client.chat.completions.with_raw_response.create(model="ops", messages=[USER])
    assert raw.headers["X-Hermes-Session-Id"] == "ses_1"
    answer = ChatCompletion.model_validate_json(raw.content, strict=True)
    assert answer.id == "chatcmpl-run_1"
    assert (answer.model, answer.created) == ("ops", 1_700_000_000)
    assert answer.choices[0].message.content == "It is 4."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (24, 17, 41)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 8
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 3


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "stop"),
        ("", "stop"),
    ],
)
async def test_the_reason_of_the_end_is_one_that_clients_know(upstream: str, told: str) -> None:
    async with serving(FakeRuns(TurnEnded("done", Answer("4", finish_reason=upstream)))) as stage:
        answer = await stage.chat()
    assert answer.json["choices"][0]["finish_reason"] == told


async def test_the_clients_messages_become_question_history_and_instruction() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
    messages: list[dict[str, Any]] = [
        SYSTEM,
        {
            "role": "user",
            "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
            "name": "alice",
        },
        {"role": "assistant", "content": None, "tool_calls": [call], "audio": None, "reasoning_content": "hm"},
        {"role": "tool", "content": "4", "tool_call_id": "c1"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "developer", "content": [{"type": "text", "text": "In English."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "and this?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
            ],
        },
    ]
    async with serving() as stage:
        assert (await stage.chat(messages=messages)).status == 200
    body = stage.runs.asks[0].body
    images = (Image("https://example.org/a.png"), Image("data:image/png;base64,AA==", "low"))
    assert body.message == Message("user", "and this?", images)
    assert body.history == (
        Message("user", "one\ntwo", name="alice"),
        Message("assistant", "", tool_calls=(ToolCall("c1", "add", '{"a": 2}'),)),
        Message("tool", "4", tool_call_id="c1"),
        Message("assistant", "no"),
    )
    assert body.system == "Be brief.\n\nIn English."


async def test_sampling_options_are_passed_on_as_they_are() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}}
    options: dict[str, Any] = {
        "frequency_penalty": -2.0,
        "logit_bias": {"50256": -100},
        "max_completion_tokens": 7,
        "parallel_tool_calls": False,
        "presence_penalty": 2,
        "reasoning_effort": "low",
        "response_format": schema,
        "seed": -1,
        "stop": ["\n", "."],
        "temperature": 0,
        "top_p": 0.5,
        "verbosity": "low",
    }
    async with serving() as stage:
        assert (await stage.chat(**options)).status == 200
        assert (
            await stage.chat(max_tokens=5, stop="x", temperature=None, response_format={"type": "text"})
        ).status == 200
    first, second = stage.runs.asks
    assert first.body.options == options
    assert second.body.options == {"max_tokens": 5, "stop": "x", "response_format": {"type": "text"}}


async def test_parameters_without_meaning_here_are_accepted() -> None:
    harmless: dict[str, Any] = {
        "user": "u",
        "metadata": {"a": "b"},
        "store": True,
        "service_tier": "auto",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "n": 1,
        "logprobs": False,
        "tools": [],
        "tool_choice": "none",
        "modalities": ["text"],
        "stream": False,
        "stream_options": None,
    }
    async with serving() as stage:
        assert (await stage.chat(**harmless)).status == 200
    assert stage.runs.asks[0].body.options == {}


async def test_routing_headers_make_the_source_trimmed_and_without_the_empty_ones() -> None:
    headers = {"X_Hermes_Chat_Id": " \t room 1 ", "X_Hermes_User_Id": "  ", "X_Hermes_Thread_Id": "x" * 256}
    async with serving() as stage:
        assert (await stage.chat(headers=headers)).status == 200
        assert (await stage.chat(headers={"X_Hermes_Chat_Id": "Z\xc3\xbcrich"})).status == 200
    first, second = (ask.source for ask in stage.runs.asks)
    assert (first.platform, first.account, first.chat_type) == ("api_server", "default", "dm")
    assert (first.chat_id, first.user_id, first.thread_id, first.agent_id) == ("room 1", None, "x" * 256, None)
    assert second.chat_id == "Zürich"


@pytest.mark.parametrize("model", [None, "", "default", "gpt-4o", "ops"])
async def test_only_a_model_that_names_an_agent_stamps_it(model: str | None) -> None:
    async with serving(model_aliases=frozenset({"gpt-4o"})) as stage:
        assert (await stage.chat(model=model)).status == 200
    assert stage.runs.asks[0].source.agent_id == (OPS if model == "ops" else None)


async def test_any_model_will_do_where_the_operator_says_so() -> None:
    async with serving(accept_any_model=True) as stage:
        assert (await stage.chat(model="gpt-9")).status == 200
        assert (await stage.chat(OPS_KEY, model="main")).error["code"] == "unauthorised"
    assert stage.runs.asks[0].source.agent_id is None


async def test_a_disabled_agent_is_left_to_routing_to_refuse() -> None:
    async with serving() as stage:
        assert (await stage.chat(model=BROKEN)).status == 200
    assert stage.runs.asks[0].source.agent_id == BROKEN


async def test_the_key_is_passed_on_as_a_principal() -> None:
    async with serving() as stage:
        await stage.chat(OPS_KEY)
    assert stage.runs.asks[0].principal == Principal("ops", frozenset({OPS}))


async def test_with_a_session_only_the_new_message_counts() -> None:
    earlier = [SYSTEM, USER, {"role": "assistant", "content": "4"}, {"role": "user", "content": "and 3+3?"}]
    async with serving() as stage:
        answer = await stage.chat(messages=earlier, headers={"X_Hermes_Session_Id": "my-session"})
    ask = stage.runs.asks[0]
    assert answer.headers["x-hermes-session-id"] == "my-session"
    assert (ask.session, ask.body.message.text, ask.body.history) == ("my-session", "and 3+3?", ())
    assert ask.body.system == "Be brief."


async def test_an_empty_session_header_asks_for_no_session() -> None:
    async with serving() as stage:
        assert (await stage.chat(headers={"X_Hermes_Session_Id": " "})).status == 200
    assert stage.runs.asks[0].session is None


async def test_an_idempotency_key_comes_with_digests_of_the_route_and_of_the_body() -> None:
    key = {"Idempotency_Key": "k1"}
    async with serving() as stage:
        await stage.chat(headers=key)
        await stage.chat(headers=key)
        await stage.chat(headers={**key, "X_Hermes_Chat_Id": "1"})
        await stage.chat(headers={**key, "X_Hermes_User_Id": "1"})
        await stage.chat(headers={**key, "X_Hermes_Session_Id": "1"})
        await stage.chat(headers=key, model="ops")
        await stage.chat(headers=key, temperature=1)
        await stage.chat()
    first, again, chat, user, session, model, body, none = stage.runs.asks
    assert first.idempotency_key == "k1"
    assert (first.route_digest, first.body_digest) == (again.route_digest, again.body_digest)
    assert len({ask.route_digest for ask in (first, chat, user, session, model)}) == 5
    assert (body.route_digest, body.body_digest != first.body_digest) == (first.route_digest, True)
    assert (none.idempotency_key, none.route_digest, none.body_digest) == (None, "", "")


async def test_a_replayed_answer_is_the_same_answer() -> None:
    async with serving() as stage:
        first = await stage.chat(headers={"Idempotency_Key": "k"})
        stage.runs.replayed = True
        assert (await stage.chat(headers={"Idempotency_Key": "k"})).body == first.body


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (UnknownAgent("off"), 403, "agent_refused", None),
        (Unauthorised("no"), 403, "unauthorised", None),
        (Refused("no"), 403, "refused", None),
        (Busy("full", retry_after=2.2), 429, "busy", "3"),
        (StorageFailed("the disk is full"), 503, "storage_failed", None),
        (NoModel("set a model"), 503, "no_model", None),
        (SessionTaken("no session"), 404, "session_not_found", None),
        (IdempotencyConflict("another body"), 409, "idempotency_conflict", None),
        (ModelLimited("slow down", retry_after=9), 429, "upstream_rate_limited", "9"),
        (ModelUnreachable("down"), 503, "upstream_unreachable", None),
        (ModelTimeout("slow"), 504, "upstream_timeout", None),
    ],
)
async def test_a_refusal_has_its_status(error: SeraiError, status: int, code: str, retry_after: str | None) -> None:
    async with serving() as stage:
        stage.runs.refusal = error
        for stream in (False, True):
            answer = await stage.chat(stream=stream)
            assert (answer.status, answer.error["code"], answer.error["message"]) == (status, code, str(error))
            assert answer.headers.get("retry-after") == retry_after


async def test_an_unforeseen_error_tells_nothing() -> None:
    async with serving() as stage:
        stage.runs.refusal = RuntimeError("fake-secret")
        answer = await stage.chat()
    assert (answer.status, answer.error["code"]) == (500, "internal_error")
    assert b"fake-secret" not in answer.body


@pytest.mark.parametrize(
    ("ended", "status", "code", "retry_after"),
    [
        (TurnEnded("failed", fault=TurnFault("bad", 502, "upstream_error")), 502, "upstream_error", None),
        (
            TurnEnded("failed", fault=TurnFault("wait", 429, "upstream_rate_limited", 0.2)),
            429,
            "upstream_rate_limited",
            "1",
        ),
        (TurnEnded("failed"), 500, "turn_failed", None),
        (TurnEnded("cancelled", fault=TurnFault("stopped")), 503, "run_cancelled", None),
        (TurnEnded("cancelled"), 503, "run_cancelled", None),
    ],
)
async def test_a_turn_without_an_answer_has_its_status(
    ended: TurnEnded, status: int, code: str, retry_after: str | None
) -> None:
    async with serving(FakeRuns(ended)) as stage:
        for stream in (False, True):
            answer = await stage.chat(stream=stream)
            assert (answer.status, answer.error["code"]) == (status, code)
            assert answer.headers.get("retry-after") == retry_after
            assert answer.headers["x-hermes-session-id"] == "ses_1"
    assert all(run.closed and not run.abandoned.is_set() for run in stage.runs.runs)


async def test_the_official_client_raises_the_right_errors() -> None:
    async with serving() as stage, stage.client() as client, stage.client("fake-key-other") as stranger:
        ask = {"model": "default", "messages": [USER]}
        with pytest.raises(openai.AuthenticationError, match="not known"):
            await stranger.chat.completions.create(**ask)
        with pytest.raises(openai.NotFoundError) as missing:
            await client.chat.completions.create(**{**ask, "model": "gpt-9"})
        assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
        with pytest.raises(openai.BadRequestError) as unsupported:
            await client.chat.completions.create(**ask, n=2)
        assert (unsupported.value.code, unsupported.value.param) == ("unsupported_parameter", "n")
        stage.runs.refusal = Busy("full")
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**ask)
        stage.runs.refusal = IdempotencyConflict("another body")
        with pytest.raises(openai.ConflictError):
            await client.chat.completions.create(**ask)


async def test_a_client_that_goes_away_abandons_its_run() -> None:
    async with serving(FakeRuns(asyncio.Event())) as stage:
        data = request(
            "POST", "/v1/chat/completions", {"messages": [USER]}, [("Authorization", "Bearer fake-key-all")]
        )
        _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(data)
        await stage.runs.started.wait()
        writer.close()
        (run,) = stage.runs.runs
        await run.abandoned.wait()
        assert run.closed


async def test_tool_steps_are_no_part_of_the_answer() -> None:
    script = (ToolStarted("c1", "add"), ToolEnded("c1", "add", ok=True), TextDelta("It is 4."), ANSWER)
    async with serving(FakeRuns(*script)) as stage:
        assert (await stage.chat()).json["choices"][0]["message"]["content"] == "It is 4."


async def test_one_connection_carries_many_requests() -> None:
    async with serving() as stage, browser(stage) as session:
        for _ in range(3):
            async with session.post("/v1/chat/completions", json={"messages": [USER]}) as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"] == "application/json"
                ChatCompletion.model_validate_json(await answer.read(), strict=True)
        async with session.get("/v1/nothing") as answer:
            assert answer.status == 404


async def test_a_client_that_waits_for_permission_to_send_is_told_to_go_on() -> None:
    ask = {"json": {"messages": [USER]}, "expect100": True}
    async with serving() as stage, browser(stage) as session, session.post("/v1/chat/completions", **ask) as answer:
        assert answer.status == 200


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    spaces = b" " * (10 * 2**20 - 44)
    body = b'{"messages":[{"role":"user","content":"4"}]}' + spaces
    assert len(body) == 10 * 2**20
    async with serving() as stage:
        assert (await stage.call("POST", "/v1/chat/completions", body)).status == 200


async def test_a_chunked_body_is_bounded_too() -> None:
    async def endless() -> Any:
        for _ in range(11):
            yield b" " * 2**20

    ask = {"data": endless()}
    async with serving() as stage, browser(stage) as session, session.post("/v1/chat/completions", **ask) as answer:
        assert answer.status == 413
        assert (await answer.json())["error"]["code"] == "body_too_large"
