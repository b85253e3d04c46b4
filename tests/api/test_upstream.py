"""What becomes of an upstream that fails, at all three endpoints: status, time and tries (SPEC 11.8, 7.1)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from serai.core.ids import AgentId
from serai.models.openai_chat import OpenAIChat, Timeouts, make_session
from serai.ports.model import Model, ModelReply, ModelRequest, OnDelta
from serai.testing.clock import virtual_time
from tests.api.stage import OPS_KEY, Answered
from tests.api.whole import Whole, events, whole
from tests.models.calling import Safe
from tests.models.stub import Act, answer, breaks_off, replies, serving, silent, streams

FIRST_BYTE_S: Final = 0.4
TRIES: Final = 3
LIMIT_S: Final = TRIES * FIRST_BYTE_S + 2.0
"""All tries and the waits between them, in virtual time."""

ENDPOINTS: Final[dict[str, dict[str, Any]]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}]},
    "/v1/responses": {"input": "x"},
}


@dataclass
class Case:
    """How an upstream fails; the status and code that the client gets, and how often the model was called."""

    name: str
    act: Act | None
    status: int
    code: str
    calls: int


CASES: Sequence[Case] = (
    Case("refused", None, 503, "upstream_unreachable", 0),
    Case("401", replies(401, "no"), 502, "upstream_error", 1),
    Case("429", replies(429, "slow down", {"Retry-After": "70"}), 429, "upstream_rate_limited", 1),
    Case("500", replies(500, "oops"), 502, "upstream_error", TRIES),
    Case(
        "HTML", replies(200, "<html>hello</html>", {"Content-Type": "text/html"}), 502, "upstream_bad_answer", TRIES
    ),
    Case("empty", streams([]), 502, "upstream_bad_answer", TRIES),
    Case("slow", silent, 504, "upstream_timeout", TRIES),
)


class Elsewhere:
    """The real client of models, called for an endpoint of the test's."""

    def __init__(self, inner: Model, url: str) -> None:
        self._inner = inner
        self._url = url

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        endpoint = replace(request.endpoint, base_url=self._url, key_name=None)
        return await self._inner.complete(replace(request, endpoint=endpoint), on_delta)


@asynccontextmanager
async def gateway(url: str) -> AsyncIterator[Whole]:
    timeouts = Timeouts(connect=2.0, first_byte=FIRST_BYTE_S, between_chunks=FIRST_BYTE_S)
    async with make_session() as session:
        model = OpenAIChat(session, lambda: Safe({(AgentId("ops"), "none"): ""}), timeouts)
        async with whole(Elsewhere(model, url)) as one:
            yield one


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(one: Whole, path: str, **more: Any) -> Answered:
    return await one.call("POST", path, {**ENDPOINTS[path], "model": "ops", **more}, OPS_KEY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@virtual_time
async def test_a_failure_has_its_status_everywhere_within_its_time_and_tries(case: Case) -> None:
    async with serving(case.act or silent) as stub:
        url = stub.base_url if case.act is not None else "http://127.0.0.1:1/v1"
        async with gateway(url) as one:
            for path in ENDPOINTS:
                for streamed in (False, True):
                    before, began = len(stub.seen), now()
                    got = await ask(one, path, stream=streamed)
                    assert now() - began < LIMIT_S
                    assert (got.status, got.error["code"]) == (case.status, case.code), (path, streamed)
                    assert len(stub.seen) - before == case.calls
                    assert (got.headers.get("retry-after") == "70") == (case.status == 429)
            begun = await one.call("POST", "/v1/runs", {"input": "x", "model": "ops"}, OPS_KEY)
            before = len(stub.seen)
            path = f"/v1/runs/{begun.json['run_id']}"
            sent = events((await one.call("GET", f"{path}/events", key=OPS_KEY)).body)
            run = (await one.call("GET", path, key=OPS_KEY)).json
    assert begun.status == 202
    assert [e.name for e in sent] == ["run.failed"]
    assert sent[-1].data["error"]["code"] == case.code
    assert (run["status"], run["error"]["code"]) == ("failed", case.code)


@virtual_time
async def test_a_stream_that_is_cut_ends_with_an_error_everywhere() -> None:
    pieces = answer("half an ", "answer")[:2]
    async with serving(breaks_off(pieces)) as stub, gateway(stub.base_url) as one:
        chat = events((await ask(one, "/v1/chat/completions", stream=True)).body)
        response = events((await ask(one, "/v1/responses", stream=True)).body)
        calls = len(stub.seen)
        begun = await one.call("POST", "/v1/runs", {"input": "x", "model": "ops"}, OPS_KEY)
        path = f"/v1/runs/{begun.json['run_id']}/events"
        run = events((await one.call("GET", path, key=OPS_KEY)).body)
    assert chat[-1].data["error"]["code"] == "upstream_bad_answer"
    assert response[-1].name == "response.failed"
    assert response[-1].data["response"]["error"]["type"] == "upstream_bad_answer"
    assert run[-1].name == "run.failed"
    assert run[-1].data["error"]["code"] == "upstream_bad_answer"
    assert calls == 2


@virtual_time
async def test_a_cut_that_nobody_saw_is_tried_again() -> None:
    pieces = answer("half an ", "answer")[:2]
    async with serving(breaks_off(pieces), streams(answer("a whole one"))) as stub, gateway(stub.base_url) as one:
        got = await ask(one, "/v1/responses")
    assert got.json["output"][0]["content"][0]["text"] == "a whole one"
    assert len(stub.seen) == 2


@virtual_time
async def test_failures_at_once_do_not_hold_each_other_up() -> None:
    async with serving(silent) as stub, gateway(stub.base_url) as one:
        began = now()
        got = await asyncio.gather(*(ask(one, path) for path in ENDPOINTS for _ in range(10)))
    assert {answered.status for answered in got} == {504}
    assert now() - began < 2 * LIMIT_S
