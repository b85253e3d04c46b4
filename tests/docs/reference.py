"""The reference of the API, made of what the gateway serves: `python -m tests.docs.reference` writes it."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.api.stage import serving
from tests.docs.page import DOCS

PAGE: Final = DOCS / "reference.md"

_HEAD: Final = """\
# The API, call by call

Made of what the gateway serves at `/openapi.json`; [api.md](api.md) explains it, with examples. All errors have
[one shape](api.md#errors). A `?` marks what may be left out.
"""


def reference() -> str:
    """The whole page."""
    return _page(asyncio.run(_served()))


async def _served() -> Any:
    async with serving() as stage:
        return (await stage.call("GET", "/openapi.json", key=None)).json


def _page(document: Any) -> str:
    schemas = document["components"]["schemas"]
    parts = [_HEAD]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append("\n".join(_call(method.upper(), path, operation, schemas)))
    return "\n".join(parts)


def _call(method: str, path: str, operation: Any, schemas: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {method} {path}\n"
    yield f"{operation['summary']}.{'' if operation['security'] else ' Needs no key.'}\n"
    sent = [one for one in operation.get("parameters", ()) if one["in"] != "path"]
    body = operation.get("requestBody")
    if sent or body:
        yield "| sent | in | type | |"
        yield "|---|---|---|---|"
        for one in sent:
            mark = "" if one.get("required") else "?"
            yield f"| `{one['name']}`{mark} | {one['in']} | {_kind(one['schema'])} | {_told(one)} |"
        yield from _body(body, schemas) if body else ()
        yield ""
    yield "| status | answer |"
    yield "|---|---|"
    for status, answer in sorted(operation["responses"].items()):
        yield f"| {status} | {_answer(answer)} |"
    yield ""


def _body(body: Any, schemas: Mapping[str, Any]) -> Iterator[str]:
    schema = body["content"]["application/json"]["schema"]
    if "$ref" not in schema:
        yield f"| | body | {_kind(schema)} | |"
        return
    shape = schemas[_name(schema)]
    for name, field in shape.get("properties", {}).items():
        mark = "" if name in shape.get("required", ()) else "?"
        yield f"| `{name}`{mark} | body | {_kind(field)} | {_told(field)} |"


def _answer(answer: Any) -> str:
    content = answer.get("content", {})
    if "application/json" in content and "allOf" in content["application/json"]["schema"]:
        codes = content["application/json"]["schema"]["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"]
        return ", ".join(f"`{code}`" for code in codes)
    found = [
        f"events of {_kind(media['x-event-data'])}" if "x-event-data" in media else _kind(media["schema"])
        for media in content.values()
    ]
    return ", or ".join(found) or "nothing"


def _kind(schema: Any) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join("null" if one is None else f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if schema.get("items") else "list"
    return f"{schema.get('type', 'anything')}{_bounds(schema)}"


def _bounds(schema: Any) -> str:
    low = schema.get("minimum", schema.get("minLength", schema.get("exclusiveMinimum")))
    high = schema.get("maximum", schema.get("maxLength", schema.get("exclusiveMaximum")))
    if low is None and high is None:
        return ""
    unit = " characters" if schema.get("type") == "string" else ""
    if high is None:
        return f" from {low}{unit}"
    return f" to {high}{unit}" if low is None else f" from {low} to {high}{unit}"


def _told(one: Any) -> str:
    return str(one.get("description", "")).replace("\n", " ")


def _name(schema: Any) -> str:
    return str(schema["$ref"]).rpartition("/")[2].rpartition(".")[2].strip("_")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    print(f"{PAGE.name}: {len(PAGE.read_text(encoding='utf-8').splitlines())} lines")
