"""GET /openapi.json: the API described, of what stands beside its handlers (OpenAPI Specification 3.1)."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec

from serai.api.code import BODY, CALL, CODES, HOST, KEY, QUERY
from serai.api.error import ErrorDocument
from serai.api.header import CHAT, IDEMPOTENCY, LAST_EVENT, SESSION, THREAD, USER
from serai.api.operation import Operation, declared
from serai.api.path import Call, Guard, Resource
from serai.api.reply import JSON, Reply

Json = dict[str, Any]

_ABOUT: Final = (
    "One gateway that hosts many isolated AI agents. To clients of the OpenAI protocol, agents are models. A key sees"
    " what belongs to it and its agents; what is another's is not there (404)."
)
_REF: Final = "#/components/schemas/{name}"
_MODULE: Final = re.compile(rb"\bserai\.(?:api\.)?(?=(?:\w+\.)+\w)")
"""What all types have before their names; the modules' own names, which stay, tell types of one name apart."""

_EVENTS: Final = "text/event-stream"
_SCHEME: Final = "key"
_TEXT: Final = {"type": "string", "maxLength": 256}
_VISIBLE: Final = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,256}$"}
_HEADERS: Final[Mapping[str, tuple[str, Json]]] = {
    CHAT: ("The chat that the message comes from, for routing.", _TEXT),
    USER: ("The person that it comes from, for routing.", _TEXT),
    THREAD: ("The thread that it comes from, for routing.", _TEXT),
    SESSION: ("The session whose history the gateway keeps.", _VISIBLE),
    IDEMPOTENCY: ("The same request with the same key is answered once.", _VISIBLE),
    LAST_EVENT: ("The id of the last event that was received.", {"type": "string", "pattern": "^[0-9a-z.]{1,40}$"}),
}


class Undescribed(LookupError):
    """A resource has a method that nothing is declared for."""


@dataclass(frozen=True, slots=True)
class _Described:
    """A method of a path, as it is declared."""

    path: str
    method: str
    guard: Guard
    operation: Operation


class Description:
    """Serves the document; it is made when it is first asked for."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        self._document = b""

    @Operation(summary="This document", answer=dict[str, Any])
    async def answer(self, _: Call) -> Reply:
        """GET /openapi.json."""
        if not self._document:
            own = Resource("/openapi.json", {"GET": self.answer}, guard="host")
            made = await asyncio.to_thread(document, [*self._resources, own])  # 50 ms in which others are served
            self._document = msgspec.json.encode(made)
        return Reply(200, self._document)


def document(resources: Iterable[Resource]) -> Json:
    """The whole document. Raises Undescribed where a method is not declared or a placeholder has no name."""
    described = list(_described(resources))
    schemas, components = _schemas(described)
    paths: dict[str, Json] = {}
    for one in described:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    bearer = {"type": "http", "scheme": "bearer", "description": "A key of `api_server.keys`."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Serai", "version": version("serai"), "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {_SCHEME: bearer}},
    }


def _described(resources: Iterable[Resource]) -> Iterator[_Described]:
    for resource in resources:
        if "{}" in resource.path:
            raise Undescribed(f"a placeholder of {resource.path} has no name")
        for method, handler in resource.methods.items():
            operation = declared(handler)
            if operation is None:
                raise Undescribed(f"nothing is declared for {method} {resource.path}")
            yield _Described(resource.path, method, resource.guard, operation)


def _types(operation: Operation) -> list[Any]:
    found = [operation.answer, operation.body, operation.query, operation.stream, *operation.also.values()]
    return [one for one in found if one is not None]


def _schemas(described: Sequence[_Described]) -> tuple[Mapping[int, Json], Json]:
    """The schema of each type, by the type's identity, and the components to which they refer."""
    types = [ErrorDocument, *(one for entry in described for one in _types(entry.operation))]
    made = msgspec.json.schema_components(types, ref_template=_REF)
    schemas, components = msgspec.json.decode(_MODULE.sub(b"", msgspec.json.encode(made)))
    return {id(one): schema for one, schema in zip(types, schemas, strict=True)}, components


def _operation(one: _Described, schemas: Mapping[int, Json]) -> Json:
    made = one.operation
    entry: Json = {
        "operationId": _name(one),
        "summary": made.summary,
        "tags": [_tag(one.path)],
        "security": [{_SCHEME: []}] if one.guard == "key" else [],
        "responses": {**_answers(made, schemas), **_errors(one, schemas)},
    }
    if parameters := [*_path(one.path), *_query(made), *_header(made)]:
        entry["parameters"] = parameters
    if made.body is not None:
        entry["requestBody"] = {"required": not made.optional, "content": {JSON: {"schema": schemas[id(made.body)]}}}
    return entry


def _name(one: _Described) -> str:
    words = [word.strip("{}") for word in one.path.replace(".", "/").split("/") if word]
    return "_".join([one.method.lower(), *words])


def _tag(path: str) -> str:
    first, *rest = path.strip("/").split("/")
    return rest[0] if first in ("api", "v1") and rest else "operation"


def _answers(made: Operation, schemas: Mapping[int, Json]) -> Json:
    content: Json = {}
    if made.media is not None:
        content[made.media] = {"schema": {"type": "string"}}
    elif made.answer is not None:
        content[JSON] = {"schema": schemas[id(made.answer)]}
    if made.stream is not None:
        content[_EVENTS] = {"schema": {"type": "string"}, "x-event-data": schemas[id(made.stream)]}
    found: Json = {str(made.status): {"description": HTTPStatus(made.status).phrase, "content": content}}
    for status, kind in made.also.items():
        found[str(status)] = {"description": HTTPStatus(status).phrase}
        if kind is not None:
            found[str(status)]["content"] = {JSON: {"schema": schemas[id(kind)]}}
    return found


def _errors(one: _Described, schemas: Mapping[int, Json]) -> Json:
    """The errors by their status, each with the codes that it may have."""
    by_status: dict[int, list[str]] = {}
    for code in sorted({*_implied(one), *one.operation.errors}):
        for status in CODES[code][0]:
            by_status.setdefault(status, []).append(code)
    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {CODES[code][1]}" for code in codes),
            "content": {JSON: {"schema": {"allOf": [schemas[id(ErrorDocument)], _of(codes)]}}},
        }
        for status, codes in sorted(by_status.items())
        if status not in one.operation.also
    }


def _implied(one: _Described) -> Iterator[str]:
    yield from CALL
    yield from () if one.guard == "none" else HOST
    yield from KEY if one.guard == "key" else ()
    yield from QUERY if one.operation.query is not None else ()
    yield from BODY if one.operation.body is not None else ()


def _of(codes: Sequence[str]) -> Json:
    return {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}


def _path(path: str) -> Iterator[Json]:
    for part in path.split("/"):
        if part.startswith("{"):
            schema = {"type": "string", "minLength": 1}
            yield {"name": part.strip("{}"), "in": "path", "required": True, "schema": schema}


def _query(made: Operation) -> Iterator[Json]:
    if made.query is None:
        return
    _, components = msgspec.json.schema_components([made.query], ref_template=_REF)
    shape = components[made.query.__name__]
    for name, schema in shape["properties"].items():
        yield {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": _sent(schema)}


def _sent(schema: Json) -> Json:
    """A parameter's schema: null cannot be sent, it is left out."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default") or value is not None}
    if len(kinds) == 1:
        return {**{key: value for key, value in rest.items() if key != "anyOf"}, **kinds[0]}
    if "enum" in rest:
        return {**rest, "enum": [value for value in rest["enum"] if value is not None]}
    return rest


def _header(made: Operation) -> Iterator[Json]:
    for name in made.headers:
        text, schema = _HEADERS[name]
        yield {"name": str(name), "in": "header", "description": text, "schema": schema}
