"""Two keys, each limited to an agent of its own, call everything by the same names: nothing crosses (SPEC 11.7)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from serai.testing.model import ScriptedModel
from tests.api.stage import OPS_KEY
from tests.api.whole import LAB_KEY, Whole, whole

PAIR = {OPS_KEY: "ops", LAB_KEY: "lab"}
SAME = {"Idempotency-Key": "same", "X-Hermes-Chat-Id": "same", "X-Hermes-User-Id": "same"}


def model() -> ScriptedModel:
    """Every agent answers with its own name and everything that it was told."""
    return ScriptedModel(lambda r: f"{r.agent}: {' / '.join(m.text for m in r.messages[1:])}")


async def both(one: Whole, path: str, body: Any, **headers: str) -> dict[str, Any]:
    """The same request with both keys at once, the agent left to each key's own `model`."""
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    answers = await asyncio.gather(
        *(one.call("POST", path, {**body, "model": agent}, key, lines) for key, agent in PAIR.items())
    )
    assert {a.status for a in answers} <= {200, 202}, [a.body for a in answers]
    return {key: a.json for key, a in zip(PAIR, answers, strict=True)}


async def test_the_same_idempotency_key_and_first_words_are_two_requests() -> None:
    asked = model()
    async with whole(asked) as one:
        headers = {name.replace("-", "_"): value for name, value in SAME.items()}
        for path, body in (
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hello"}]}),
            ("/v1/responses", {"input": "hello"}),
            ("/v1/runs", {"input": "hello"}),
        ):
            first = await both(one, path, body, **headers)
            again = await both(one, path, body, **headers)
            ids = {key: answer.get("id") or answer["run_id"] for key, answer in first.items()}
            assert len(set(ids.values())) == 2
            assert {key: answer.get("id") or answer["run_id"] for key, answer in again.items()} == ids
            for key, agent in PAIR.items():
                assert first[key].get("model", agent) == agent
                other = next(a for a in PAIR.values() if a != agent)
                assert f"{other}:" not in str(first[key])
    assert len(asked.requests) == 6
    assert {message.text for request in asked.requests for message in request.messages[1:]} == {"hello"}


async def test_a_session_name_belongs_to_who_came_first() -> None:
    async with whole(model()) as one:
        body = {"messages": [{"role": "user", "content": "secret"}], "model": "ops"}
        headers = {"X-Hermes-Session-Id": "same"}
        assert (await one.call("POST", "/v1/chat/completions", body, OPS_KEY, headers)).status == 200
        for path, other in (
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": "tell me"}]}),
            ("/v1/runs", {"input": "tell me", "session_id": "same"}),
        ):
            for name in ({}, {"model": "lab"}):
                answer = await one.call("POST", path, {**other, **name}, LAB_KEY, headers)
                assert (answer.status, answer.error["code"]) == (404, "session_not_found")


async def test_an_id_of_the_other_is_as_one_that_was_never_there() -> None:
    """Answers to both are the same but for the id, so that nobody can find out what exists."""
    async with whole(model()) as one:
        run = (await both(one, "/v1/runs", {"input": "x"}))[OPS_KEY]["run_id"]
        response = (await both(one, "/v1/responses", {"input": "x"}))[OPS_KEY]["id"]
        made = await one.call("POST", "/v1/conversations", {}, OPS_KEY)
        conversation = made.json["id"]
        for kind, real, path in (
            ("run", run, "/v1/runs/{}"),
            ("run", run, "/v1/runs/{}/events"),
            ("response", response, "/v1/responses/{}"),
            ("response", response, "/v1/responses/{}/input_items"),
            ("conversation", conversation, "/v1/conversations/{}"),
            ("conversation", conversation, "/v1/conversations/{}/items"),
        ):
            ghost = real[:-4] + "0000"
            theirs, nobodys = [await one.call("GET", path.format(name), key=LAB_KEY) for name in (real, ghost)]
            assert theirs.status == nobodys.status == 404, kind
            assert theirs.body.replace(real.encode(), b"ID") == nobodys.body.replace(ghost.encode(), b"ID")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/runs"])
async def test_a_key_cannot_call_the_others_agent(path: str) -> None:
    body = {"messages": [{"role": "user", "content": "x"}]} if "chat" in path else {"input": "x"}
    asked = model()
    async with whole(asked) as one:
        named = await one.call("POST", path, {**body, "model": "ops"}, LAB_KEY)
        routed = await one.call("POST", path, body, LAB_KEY)
    assert {(a.status, a.error["code"]) for a in (named, routed)} == {(403, "unauthorised")}
    assert asked.requests == []


async def test_what_is_stored_is_out_of_reach_once_the_key_has_lost_its_agent() -> None:
    async with whole(model()) as one:
        ids = {
            "/v1/responses/{}": (await both(one, "/v1/responses", {"input": "x"}))[OPS_KEY]["id"],
            "/v1/runs/{}": (await both(one, "/v1/runs", {"input": "x"}))[OPS_KEY]["run_id"],
        }
        for path, name in ids.items():
            assert (await one.call("GET", path.format(name), key=OPS_KEY)).status == 200
        state = one.stage.state
        keys = tuple(replace(k, agents=frozenset()) if k.name == "ops" else k for k in state.snapshot.api.keys)
        state.swap(replace(state.snapshot, api=replace(state.snapshot.api, keys=keys)), state.secrets)
        for path, name in ids.items():
            assert (await one.call("GET", path.format(name), key=OPS_KEY)).status == 404
