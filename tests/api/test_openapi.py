"""GET /openapi.json: everything that is served is described, and described as it is (SPEC 11.6)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from serai.api.code import CODES
from serai.api.completion.chunk import Chunk
from serai.api.operator.openapi import Undescribed, document
from serai.api.path import Call, Resource
from serai.api.reply import Reply
from serai.core.event import TextDelta
from tests.api.hosted import LAB, OPERATOR, OPS, Whole, whole
from tests.api.stage import ANSWER, FakeRuns, serving
from tests.docs.page import read, rows


async def described() -> Any:
    async with serving() as stage:
        answer = await stage.call("GET", "/openapi.json", key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def operations(whole_document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in whole_document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


async def test_every_path_of_the_reference_is_described() -> None:
    told = {word for row in rows(read("api.md"), "path") for name in row.names for word in [name.split()[-1]]}
    assert set((await described())["paths"]) == told | {"/{platform}/{account}"}


async def test_the_document_is_sound() -> None:
    found = await described()
    assert found["openapi"] == "3.1.0"
    schemas = found["components"]["schemas"]
    for reference in references(found):
        assert reference.removeprefix("#/components/schemas/") in schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    names = [operation["operationId"] for _, _, operation in operations(found)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(found):
        assert operation["summary"], (method, path)
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert named == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        assert operation["security"] == ([] if path in OPEN else [{"key": []}])


OPEN = {"/health", "/ready", "/openapi.json", "/{platform}/{account}"}


async def test_every_code_stands_at_a_call_or_is_of_no_call() -> None:
    text = json.dumps(await described())
    missing = {code for code in CODES if f"`{code}`" not in text}
    assert missing == {"method_not_allowed"}


def test_a_method_that_nothing_is_declared_for_is_an_error() -> None:
    async def handler(call: Call) -> Reply:
        raise AssertionError

    with pytest.raises(Undescribed, match="GET /x"):
        document([Resource("/x", {"GET": handler})])
    with pytest.raises(Undescribed, match="has no name"):
        document([Resource("/x/{}", {"GET": handler})])


async def test_pieces_of_a_stream_are_as_described() -> None:
    async with serving(FakeRuns(TextDelta("It is"), ANSWER)) as stage:
        answer = await stage.chat(stream=True, stream_options={"include_usage": True})
    lines = [line[6:] for line in answer.body.split(b"\n") if line.startswith(b"data: {")]
    chunks = [msgspec.json.decode(line, type=Chunk) for line in lines]
    assert chunks[-1].usage


async def test_answers_are_as_described(tmp_path: Path) -> None:
    async with whole(tmp_path) as gateway:
        found = await gateway.get("/openapi.json")
        await gateway.says("hello", "trip")
        chat = gateway.hosted.connection()
        await chat.says("hello", chat="ops-room")
        await chat.answer()
        for path in ("/v1/models", "/v1/models/ops", "/api/sessions", "/api/agents", "/api/agents/ops", "/api/usage"):
            for key in (OPS, LAB, OPERATOR):
                await conforms(gateway, found, "GET", path, key)
        for path in ("/api/deliveries", "/api/deliveries/x", "/health", "/ready", "/openapi.json"):
            await conforms(gateway, found, "GET", path, OPERATOR)
        await conforms(gateway, found, "GET", "/api/sessions/trip", OPS)
        await conforms(gateway, found, "GET", "/api/sessions/trip/messages", OPS)
        await conforms(gateway, found, "POST", "/api/sessions/trip/chat", OPS, {"message": "hello"})
        await conforms(gateway, found, "POST", "/api/sessions/trip/fork", OPS, {})
        await conforms(gateway, found, "PATCH", "/api/sessions/trip", OPS, {"title": "x"})
        await conforms(gateway, found, "DELETE", "/api/sessions/trip", OPS)
        await conforms(gateway, found, "POST", "/api/routes/test", OPERATOR, {"platform": "webhook"})
        await conforms(gateway, found, "POST", "/api/reload", OPERATOR)
        await conforms(gateway, found, "POST", "/api/agents/ops/stop", OPERATOR)
        question = {"messages": [{"role": "user", "content": "hello"}], "model": "lab"}
        await conforms(gateway, found, "POST", "/v1/chat/completions", LAB, question)


async def conforms(gateway: Whole, found: Any, method: str, path: str, key: str, body: object = None) -> None:
    """Calls, and holds the answer against the schema of its status."""
    status, answer = await gateway.call(method, path, body, key)
    described = found["paths"][template(found, path)][method.lower()]["responses"][str(status)]
    schema = {**described["content"]["application/json"]["schema"], "components": found["components"]}
    validator_for(schema, default=Draft202012Validator)(schema).validate(answer)


def template(found: Any, path: str) -> str:
    """The described path that a path is one of."""
    parts = path.split("/")
    for known in found["paths"]:
        wanted = known.split("/")
        if len(wanted) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(wanted, parts, strict=True)):
            return str(known)
    raise LookupError(path)
