"""Every field of every body, with a value of every kind that it does not take (SPEC 11.1).

The fields are those of the served document. What comes is 400 `invalid_value`, and names the field.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from tests.abuse.stage import running
from tests.api.stage import ADMIN_KEY

pytestmark = pytest.mark.slow

KINDS: tuple[Any, ...] = (None, True, 7, 1.5, "text", [], [7], {}, {"a": 7}, 2**70, -1, "x" * 3000)
GOOD: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}], "model": "ops"},
    "/v1/responses": {"input": "hello", "model": "ops"},
    "/v1/conversations": {"metadata": {"a": "b"}},
    "/v1/conversations/{id}": {"metadata": {"a": "b"}},
    "/v1/conversations/{id}/items": {"items": [{"role": "user", "content": "hello"}]},
    "/v1/runs": {"input": "hello", "model": "ops"},
    "/v1/runs/{id}/approval": {"choice": "deny"},
    "/api/routes/test": {"platform": "webhook"},
    "/api/deliveries": {"target": "webhook:1", "text": "x", "agent": "ops"},
    "/api/jobs": {"schedule": "0 9 1 1 *", "prompt": "hello", "agent": "ops"},
    "/api/jobs/{id}": {"name": "x"},
    "/api/jobs/preview": {"schedule": "30m"},
    "/api/jobs/adopt": {"agent": "ops"},
    "/api/sessions/{id}": {"title": "x"},
    "/api/sessions/{id}/fork": {},
    "/api/sessions/{id}/chat": {"message": "hello"},
}
"""A good body for each path that takes one."""

OTHERWISE = {"invalid_value", "missing_required_parameter", "unsupported_parameter", "unknown_parameter"}
NAMED_INSIDE = ({}, {"a": 7}, [7])
"""Values that may be of the right kind, and wrong inside: then another code may say so."""


def wrong(document: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """(method, field, value) for everything that the body's schema forbids, one field at a time."""
    for method, operation in document["paths"][path].items():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        name = body["schema"]["$ref"].rpartition("/")[2]
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            check = Draft202012Validator({**schema, "components": document["components"]})
            yield from ((method, field, value) for value in KINDS if not check.is_valid(value))


async def test_a_value_of_the_wrong_kind_is_400_and_names_its_field(tmp_path: Path) -> None:
    count, differing = 0, []
    async with (
        running(tmp_path) as gateway,
        aiohttp.ClientSession(gateway.url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as client,
    ):
        document = await (await client.get("/openapi.json")).json()
        question = GOOD["/v1/chat/completions"]
        await client.post("/v1/chat/completions", json=question, headers={"X-Hermes-Session-Id": "trip"})
        begun = await (await client.post("/v1/runs", json=GOOD["/v1/runs"])).json()
        talk = await (await client.post("/v1/conversations", json={})).json()
        job = await (await client.post("/api/jobs", json=GOOD["/api/jobs"])).json()
        ids = {"runs": begun["run_id"], "conversations": talk["id"], "sessions": "trip", "jobs": job["id"]}
        bodies = {
            path for path, methods in document["paths"].items() if any("requestBody" in m for m in methods.values())
        }
        assert bodies - {"/{platform}/{account}"} == set(GOOD), "a path with a body needs a good one above"
        for path, good in GOOD.items():
            for method, field, value in wrong(document, path):
                count += 1
                sent = json.dumps({**good, field: value})
                place = path.replace("{id}", ids.get(path.split("/")[2], ""))
                async with client.request(method, place, data=sent) as answer:
                    came = await answer.json()
                error = came.get("error", {})
                codes = OTHERWISE if value in NAMED_INSIDE else {"invalid_value"}
                named = str(error.get("param")).partition(".")[0].partition("[")[0] == field
                if answer.status != 400 or error["code"] not in codes or not named:
                    differing.append(f"{method} {path} {field} = {sent[:120]}: {answer.status} {str(came)[:200]}")
    print(f"{count} wrong values in the fields of {len(GOOD)} bodies")
    assert not differing, "\n".join(differing)
    assert count > 300
