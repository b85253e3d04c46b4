"""The Bot API as aiogram's generated models tell it (aiogram 3.31, Bot API 10.3): a JSON schema in `contract.json`.

They do not come from the library that the driver uses. Importing aiogram takes four seconds, so what it says is kept
in a file; `python -m tests.platforms.telegram.contract` tells it anew, and a test compares the two.
"""

import json
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match, by_relevance

FILE: Final = Path(__file__).parent / "contract.json"
METHODS: Final = (
    "AnswerCallbackQuery",
    "EditMessageText",
    "GetFile",
    "GetMe",
    "GetUpdates",
    "GetWebhookInfo",
    "SendChatAction",
    "SendDocument",
    "SendMessage",
    "SendPhoto",
)
"""What the driver may call."""

_UPLOAD: Final = {"const": "<upload>"}
"""What stands in a request for a file that comes with it."""


class Breach(AssertionError):
    """A request, or an update, that the Bot API does not know."""


def checked(method: str, form: dict[str, str], uploads: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The parameters of a call, decoded as the server does it. Raises Breach for an unknown method, parameter or
    type, for a missing parameter and for a bound that is broken. A method's name may come in any case."""
    name = next((name for name in METHODS if name.lower() == method.lower()), None)
    if name is None:
        raise Breach(f"there is no method {method}, or the driver is not supposed to call it")
    properties = _schema()["$defs"][name]["properties"]
    parameters = {key: _decoded(value, properties.get(key, {})) for key, value in form.items()}
    _validate(name, {**parameters, **dict.fromkeys(uploads, _UPLOAD["const"])})
    return parameters


def checked_update(update: dict[str, Any]) -> dict[str, Any]:
    """The update itself. Raises Breach for one that Telegram would not send."""
    _validate("Update", update)
    return update


def _validate(name: str, value: dict[str, Any]) -> None:
    error = best_match(_validator(name).iter_errors(value), key=by_relevance(weak=()))
    if error is not None:
        raise Breach(f"{name}: {error.json_path}: {error.message}")


def _decoded(value: str, schema: dict[str, Any]) -> Any:
    """Text stays text where text is allowed; everything else is JSON."""
    kinds = [schema, *schema.get("anyOf", [])]
    if any(kind.get("type") == "string" for kind in kinds):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(FILE.read_text())
    return schema


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _schema()["$defs"]})


def generated() -> dict[str, Any]:
    """The schema as the installed aiogram has it: without words, and closed, for its models let unknown keys by."""
    from aiogram import methods, types
    from pydantic.json_schema import GenerateJsonSchema, models_json_schema

    class Generator(GenerateJsonSchema):
        def is_instance_schema(self, schema: Any) -> Any:
            return dict(_UPLOAD) if schema["cls"] is types.InputFile else {"not": {}}

        def datetime_schema(self, schema: Any) -> Any:
            return {"type": "integer"}  # Telegram's times are seconds since the epoch

    models = [getattr(methods, name) for name in METHODS] + [types.Update]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, schema = models_json_schema([(model, "validation") for model in models], schema_generator=Generator)
    return {"$defs": {name: _bare(part) for name, part in sorted(schema["$defs"].items())}}


def _bare(part: Any) -> Any:
    if isinstance(part, list):
        return [_bare(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: part[key] for key in part if key not in ("title", "description", "default") or not _is_word(part, key)
    }
    bare = {key: _bare(value) for key, value in kept.items()}
    if "properties" in bare and isinstance(part.get("properties"), dict) and part.get("type") == "object":
        bare["additionalProperties"] = False
    return bare


def _is_word(part: dict[str, Any], key: str) -> bool:
    """Whether the key is the schema's own, and not a field of that name."""
    return key == "default" or isinstance(part[key], str)


if __name__ == "__main__":
    json.dump(generated(), sys.stdout, separators=(",", ":"), sort_keys=True)
