"""Runs: begun, followed, stopped, approved (SPEC 11.5, 16.3, 16.7)."""

import asyncio
from typing import Any

import pytest

from serai.api.run.event import RunEvents, seen
from serai.api.services import Approval
from serai.core.event import (
    ApprovalAnswered,
    ApprovalRequested,
    RunEvent,
    TextDelta,
    ToolEnded,
    ToolStarted,
    run_topic,
)
from serai.core.ids import InputId
from serai.core.message import Message, ToolCall, Usage
from serai.ports.model import ModelReply, ModelRequest
from serai.testing.model import Fail, ScriptedModel
from tests.api.stage import ADMIN_KEY, OPS_KEY, Answered
from tests.api.whole import LAB_KEY, TWIN_KEY, Sent, Whole, events, whole
from tests.gateway.test_steps import AskingTool, FakeTool, call


class Held:
    """A model that says `first`, waits for `go`, and says the rest."""

    def __init__(self, first: str, rest: str) -> None:
        self.first, self.rest, self.go = first, rest, asyncio.Event()
        self.asked = 0

    async def complete(self, request: ModelRequest, on_delta: Any = None) -> ModelReply:
        self.asked += 1
        if on_delta is not None:
            on_delta(self.first)
        await self.go.wait()
        if on_delta is not None:
            on_delta(self.rest)
        return ModelReply(Message("assistant", self.first + self.rest), Usage(3, 2), request.endpoint.name, "stop")


async def begin(one: Whole, text: Any = "hello", key: str = OPS_KEY, **more: Any) -> str:
    answer = await one.call("POST", "/v1/runs", {"input": text, "model": "ops", **more}, key)
    assert answer.status == 202, answer.body
    run: str = answer.json["run_id"]
    return run


async def state(one: Whole, run: str, key: str = OPS_KEY) -> Any:
    answer = await one.call("GET", f"/v1/runs/{run}", key=key)
    assert answer.status == 200, answer.body
    return answer.json


async def told(one: Whole, run: str, last: str | None = None, key: str = OPS_KEY) -> list[Sent]:
    """The stream up to its end."""
    headers = {} if last is None else {"Last-Event-ID": last}
    answer = await one.call("GET", f"/v1/runs/{run}/events", key=key, headers=headers)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events(answer.body)


async def first_events(one: Whole, run: str, count: int) -> list[Sent]:
    """The first events of a stream that goes on; then the client leaves."""
    async with one.http(OPS_KEY) as http, http.get(f"/v1/runs/{run}/events") as answer:
        body = b""
        while len(events(body)) < count:
            body += await answer.content.readuntil(b"\n\n")
        return events(body)[:count]


def text_of(sent: list[Sent]) -> str:
    return "".join(one.data["delta"] for one in sent if one.name == "message.delta")


async def test_a_run_is_begun_and_answered_in_the_background() -> None:
    async with whole(ScriptedModel(["one two three"])) as one:
        answer = await one.call("POST", "/v1/runs", {"input": "hello", "model": "ops"}, OPS_KEY)
        assert (answer.status, set(answer.json)) == (202, {"run_id", "status"})
        run = answer.json["run_id"]
        assert answer.headers["location"] == f"/v1/runs/{run}"
        await told(one, run)
        got = await state(one, run)
    assert (got["object"], got["run_id"], got["status"], got["model"]) == ("run", run, "completed", "ops")
    assert (got["output"], got["error"], got["approval"]) == ("one two three", None, None)
    assert got["usage"]["output_tokens"] == 3
    assert got["created_at"] <= got["started_at"] <= got["completed_at"]


async def test_the_stream_tells_text_tools_and_the_end_each_with_name_id_and_type() -> None:
    model = ScriptedModel([call(1), call(2), "It is done."])
    async with whole(model, tools={"act": FakeTool()}) as one:
        sent = await told(one, await begin(one))
    assert [e.name for e in sent if e.name != "message.delta"] == [
        *(["tool.started", "tool.completed"] * 2),
        "run.completed",
    ]
    assert text_of(sent) == "It is done."
    assert all(e.data["type"] == e.name for e in sent)
    assert len({e.id for e in sent}) == len(sent)
    assert sent[-1].data["output"] == "It is done."


async def test_a_stream_resumes_after_any_event_with_nothing_lost_or_doubled() -> None:
    first = ModelReply(
        Message("assistant", "Let me see. ", tool_calls=(call(1), call(2))), Usage(), "m", "tool_calls"
    )
    async with whole(ScriptedModel([first, "It is done now."]), tools={"act": FakeTool()}) as one:
        run = await begin(one)
        live = await told(one, run)
        again = await told(one, run)
        assert text_of(again) == text_of(live) == "Let me see. It is done now."
        for n, event in enumerate(live[:-1]):
            rest = await told(one, run, event.id)
            assert text_of(live[: n + 1]) + text_of(rest) == text_of(live)
            tools = [e.id for e in live if e.name.startswith("tool.")]
            assert [e.id for e in (*live[: n + 1], *rest) if e.name.startswith("tool.")] == tools
            assert rest[-1].name == "run.completed"
        assert (
            await one.call("GET", f"/v1/runs/{run}/events", key=OPS_KEY, headers={"Last-Event-ID": "end"})
        ).status == 204


async def test_who_comes_in_the_midst_gets_what_was_said_before() -> None:
    model = Held("half ", "whole")
    async with whole(model) as one:
        run = await begin(one)
        (early,) = await first_events(one, run, 1)
        assert early.data["delta"] == "half "
        assert (await state(one, run))["status"] == "running"
        late = asyncio.create_task(told(one, run))
        back = asyncio.create_task(told(one, run, early.id))
        await asyncio.sleep(0.05)
        model.go.set()
        assert text_of(await late) == "half whole"
        assert text_of(await back) == "whole"


async def test_a_failed_run_says_why_and_its_stream_ends_with_it() -> None:
    async with whole(ScriptedModel([Fail("rejected", "no such model", after="half")])) as one:
        run = await begin(one)
        sent = await told(one, run)
        got = await state(one, run)
    assert sent[-1].name == "run.failed"
    assert sent[-1].data["error"]["code"] == "upstream_error"
    assert (got["status"], got["error"]["code"], got["output"]) == ("failed", "upstream_error", None)


async def test_a_run_is_stopped_while_it_runs_and_before_it_begins() -> None:
    model = Held("half", "")
    async with whole(model) as one:
        running = await begin(one, session_id="same")
        queued = await begin(one, session_id="same")
        await first_events(one, running, 1)
        assert (await state(one, queued))["status"] == "queued"
        streams = [asyncio.create_task(told(one, run)) for run in (running, queued)]
        for run, states in ((queued, {"cancelled"}), (running, {"stopping", "cancelled"})):
            answer = await one.call("POST", f"/v1/runs/{run}/stop", key=OPS_KEY)
            assert answer.json["status"] in states
        for stream in streams:
            assert (await stream)[-1].name == "run.cancelled"
        assert [(await state(one, run))["status"] for run in (running, queued)] == ["cancelled", "cancelled"]
        again = await one.call("POST", f"/v1/runs/{running}/stop", key=OPS_KEY)
        assert (again.status, again.json["status"]) == (200, "cancelled")


async def test_a_run_takes_a_conversation_instructions_and_a_session() -> None:
    model = ScriptedModel(["yes", "again"])
    async with whole(model) as one:
        messages = [
            {"role": "user", "content": "I am Ann."},
            {"role": "assistant", "content": "Hello Ann."},
            {"role": "user", "content": "Who am I?"},
        ]
        await told(one, await begin(one, messages, instructions="Be brief."))
        run = await begin(one, "and now?", session_id="mine")
        await told(one, run)
        assert (await state(one, run))["session_id"] == "mine"
    said = [m.text for m in model.requests[0].messages]
    assert said[0].endswith("Be brief.")
    assert said[1:] == ["I am Ann.", "Hello Ann.", "Who am I?"]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "input"),
        ({"input": ""}, "invalid_value", "input"),
        ({"input": []}, "invalid_value", "input"),
        ({"input": 7}, "invalid_value", "input"),
        ({"input": [{"role": "robot"}]}, "invalid_value", "input[0].role"),
        ({"input": "x", "session_id": "a b"}, "invalid_value", "session_id"),
        ({"input": "x", "stream": True}, "unknown_parameter", "stream"),
    ],
)
async def test_a_wrong_run_is_refused_by_name(body: Any, code: str, param: str) -> None:
    async with whole(ScriptedModel([])) as one:
        answer = await one.call("POST", "/v1/runs", body)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, code, param)


async def test_a_repeat_with_the_same_key_is_the_same_run() -> None:
    model = ScriptedModel(["once"])
    async with whole(model) as one:
        headers = {"Idempotency-Key": "k1"}
        body = {"input": "hello", "model": "ops"}
        answers = await asyncio.gather(*(one.call("POST", "/v1/runs", body, OPS_KEY, headers) for _ in range(3)))
        assert {a.status for a in answers} == {202}
        assert len({a.json["run_id"] for a in answers}) == 1
        other = await one.call("POST", "/v1/runs", {**body, "input": "else"}, OPS_KEY, headers)
        assert other.error["code"] == "idempotency_conflict"
    assert len(model.requests) <= 1


async def test_too_many_runs_are_refused_and_room_is_made_by_those_that_end() -> None:
    model = Held("", "x")
    async with whole(model, max_runs=2) as one:
        runs = [await begin(one), await begin(one)]
        refused = await one.call("POST", "/v1/runs", {"input": "x", "model": "ops"}, OPS_KEY)
        assert (refused.status, refused.error["code"]) == (429, "busy")
        assert "retry-after" in refused.headers
        model.go.set()
        await told(one, runs[0])
        await told(one, runs[1])
        await begin(one)


@pytest.mark.parametrize("key", [TWIN_KEY, LAB_KEY])
async def test_a_run_of_another_key_does_not_exist(key: str) -> None:
    async with whole(ScriptedModel(["secret"])) as one:
        run = await begin(one)
        await told(one, run)
        paths = [("GET", ""), ("GET", "/events"), ("POST", "/stop"), ("POST", "/approval")]
        answers: list[Answered] = [await one.call(m, f"/v1/runs/{run}{p}", key=key) for m, p in paths]
        assert [(a.status, a.error["code"]) for a in answers] == [(404, "run_not_found")] * 4
        assert (await state(one, run, ADMIN_KEY))["output"] == "secret"


async def test_a_run_waits_for_an_approval_and_takes_the_answer() -> None:
    model = Held("half", "")
    async with whole(model) as one:
        run = await begin(one)
        await first_events(one, run, 1)
        path = f"/v1/runs/{run}/approval"
        early = await one.call("POST", path, {"choice": "once"}, OPS_KEY)
        assert (early.status, early.error["code"]) == (409, "no_approval")
        one.approvals.waiting[InputId(run)] = Approval("apr_1", "terminal", "{}")
        got = await state(one, run)
        assert (got["status"], got["approval"]["id"]) == ("waiting_for_approval", "apr_1")
        wrong = await one.call("POST", path, {"choice": "once", "approval_id": "apr_9"}, OPS_KEY)
        assert (wrong.status, wrong.error["code"]) == (409, "no_approval")
        bad = await one.call("POST", path, {"choice": "perhaps"}, OPS_KEY)
        assert (bad.status, bad.error["param"]) == (400, "choice")
        good = await one.call("POST", path, {"choice": "once", "approval_id": "apr_1"}, OPS_KEY)
        assert (good.status, good.json["status"]) == (200, "running")
        assert one.approvals.answers == [("apr_1", "once", "ops")]
        model.go.set()


async def test_an_event_id_that_is_none_is_refused() -> None:
    async with whole(ScriptedModel(["x"])) as one:
        run = await begin(one)
        answer = await one.call("GET", f"/v1/runs/{run}/events", key=OPS_KEY, headers={"Last-Event-ID": "7"})
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "invalid_header", "Last-Event-ID")


@pytest.mark.parametrize(("second", "restarts"), [("half and whole", False), ("something else", True), ("ha", True)])
async def test_a_run_goes_on_after_a_restart_and_so_does_its_stream(second: str, restarts: bool) -> None:
    tool = FakeTool()
    first = Held("half", " never")
    wishes = iter([call(1)])

    class Twice:
        async def complete(self, request: ModelRequest, on_delta: Any = None) -> ModelReply:
            wish: ToolCall | None = next(wishes, None)
            if wish is None:
                return await first.complete(request, on_delta)
            return ModelReply(Message("assistant", tool_calls=(wish,)), Usage(), "m", "tool_calls")

    async with whole(Twice(), tools={"act": tool}) as one:
        run = await begin(one)
        seen = await first_events(one, run, 3)
        assert [e.name for e in seen] == ["tool.started", "tool.completed", "message.delta"]
    async with whole(ScriptedModel([second]), tools={"act": tool}, store=one.stage.store, recover=True) as other:
        rest = await told(other, run, seen[-1].id)
        got = await state(other, run)
        whole_stream = await told(other, run)
    assert got["output"] == second
    assert len(tool.calls) == 1
    assert [e.name for e in rest if e.name != "message.delta"] == (
        ["message.restarted", "run.completed"] if restarts else ["run.completed"]
    )
    assert text_of(rest) == (second if restarts else second.removeprefix("half"))
    assert [e.name for e in whole_stream][:2] == ["tool.started", "tool.completed"]
    assert text_of(whole_stream) == second


def everything(asked: ApprovalRequested) -> list[RunEvent]:
    """What happens in the run of the next test, but for its end."""
    answered = ApprovalAnswered("apr_1", "once", "ann", 2)
    started, ended = ToolStarted("c1", "terminal", 2), ToolEnded("c1", "terminal", ok=True, step=2)
    return [TextDelta("half", 1), asked, answered, started, ended]


async def test_a_stream_tells_what_the_run_waits_for_and_what_was_answered() -> None:
    model = Held("half", "")
    asked = ApprovalRequested("apr_1", "c1", "terminal", '{"x": 1}', "run `ls`", 1_700_000_600.0, 2)
    async with whole(model) as one:
        run = await begin(one)
        await first_events(one, run, 1)
        following = asyncio.create_task(told(one, run))
        publish, topic = one.stage.engine.publish, run_topic(InputId(run))
        for event in (*everything(asked)[1:], asked):  # asked again after a restart
            publish(topic, event)
        await asyncio.sleep(0.05)
        again = await first_events(one, run, 5)
        await one.call("POST", f"/v1/runs/{run}/stop", key=OPS_KEY)
        sent = await following
    names = ["message.delta", "approval.request", "approval.responded", "tool.started", "tool.completed"]
    assert [e.name for e in sent] == [*names, "run.cancelled"]
    assert again == sent[:5]
    assert sent[1].data == {
        "type": "approval.request",
        "run_id": run,
        "approval_id": "apr_1",
        "question": "run `ls`",
        "expires_at": 1_700_000_600.0,
        "tool": "terminal",
        "call_id": "c1",
        "arguments": '{"x": 1}',
    }
    assert (sent[2].data["choice"], sent[2].data["by"]) == ("once", "ann")
    for n, event in enumerate(sent[:5]):
        client = RunEvents(InputId(run), seen(event.id))
        rest = b"".join(client.take(happened) for happened in everything(asked))
        assert [e.name for e in events(rest)] == names[n + 1 :]


@pytest.mark.parametrize(("choice", "runs"), [("once", 1), ("deny", 0)])
@pytest.mark.parametrize("restart", [False, True])
async def test_a_run_asks_its_client_and_goes_on_with_the_answer(choice: str, runs: int, restart: bool) -> None:
    tool = AskingTool()
    model = ScriptedModel([call(1), "Done."])
    async with whole(model, tools={"act": tool}, asking=True) as one:
        run = await begin(one)
        (question,) = await first_events(one, run, 1)
        assert (question.name, question.data["question"]) == ("approval.request", "act on 1")
        got = await state(one, run)
        assert (got["status"], got["approval"]["tool"]) == ("waiting_for_approval", "act")
        if not restart:
            await answered_by_client(one, run, question, choice, len(tool.calls))
    if restart:
        other_one = whole(model, tools={"act": tool}, asking=True, store=one.stage.store, recover=True, seed=8)
        async with other_one as other:
            assert (await first_events(other, run, 1)) == [question]
            await answered_by_client(other, run, question, choice, len(tool.calls))
    assert len(tool.calls) == runs


async def answered_by_client(one: Whole, run: str, question: Sent, choice: str, calls: int) -> None:
    """Gives the answer; then the run goes on, and its stream tells everything once."""
    assert calls == 0
    path = f"/v1/runs/{run}/approval"
    body = {"choice": choice, "approval_id": question.data["approval_id"]}
    assert (await one.call("POST", path, body, TWIN_KEY)).status == 404
    assert (await one.call("POST", path, body, OPS_KEY)).status == 200
    rest = await told(one, run, question.id)
    assert [e.name for e in rest if e.name != "message.delta"] == [
        "approval.responded",
        "tool.started",
        "tool.completed",
        "run.completed",
    ]
    assert rest[0].data["choice"] == choice
    assert await told(one, run) == [question, *rest]
    again = await one.call("POST", path, body, OPS_KEY)
    assert (again.status, again.error["code"]) == (409, "no_approval")


async def test_a_run_that_waits_for_an_approval_is_stopped() -> None:
    tool = AskingTool()
    async with whole(ScriptedModel([call(1)]), tools={"act": tool}, asking=True) as one:
        run = await begin(one)
        await first_events(one, run, 1)
        assert (await one.call("POST", f"/v1/runs/{run}/stop", key=OPS_KEY)).json["status"] == "cancelled"
        assert (await told(one, run))[-1].name == "run.cancelled"
    assert tool.calls == []
