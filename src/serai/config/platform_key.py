"""The keys of an account that belong to its platform, checked by the platform's own model (SPEC 13, 16.1).

pydantic is imported by whoever passes a model: a home without platforms does not pay for it (9 MB, 0.2 s).
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serai.config.node import ListNode, MapNode, Node, ScalarNode, plain
from serai.config.report import Place
from serai.config.section import Section, wrong
from serai.config.value import is_placeholder, is_variable

if TYPE_CHECKING:
    from pydantic import BaseModel

SECRET_SUFFIX = "_env"

_TYPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a group of keys",
    "model_type": "a group of keys",
    "model_attributes_type": "a group of keys",
}
_LIMITS = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "string_too_short": ("min_length", "must have at least {} characters"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "too_short": ("min_length", "must have at least {} entries"),
    "too_long": ("max_length", "must have at most {} entries"),
    "literal_error": ("expected", "must be one of {}"),
    "enum": ("expected", "must be one of {}"),
}


def own_keys(model: "type[BaseModel]") -> tuple[str, ...]:
    """The names of the platform's keys as they stand in the file."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def read_own(section: Section, model: "type[BaseModel]") -> Mapping[str, object] | None:
    """The platform's validated keys with their defaults, or None where something was reported.

    A model sees the values as JSON, and strictly: a number is no text, a quoted `true` is not true.
    """
    from pydantic import ValidationError

    before = len(section.report.problems)
    names = [name for name in own_keys(model) if name in section]
    for name in names:
        _refuse_blank(section, name)
    document = {name: plain(node) for name in names if (node := section.node(name)) is not None}
    try:
        checked = model.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            _explain(section, fault)
        return None
    return None if len(section.report.problems) > before else checked.model_dump()


def _refuse_blank(section: Section, name: str) -> None:
    """Blank texts, leftovers of examples, and secrets where the name of one belongs (SPEC 14)."""
    node = section.node(name)
    place = section.place_of(name)
    secret = name.endswith(SECRET_SUFFIX)
    if not isinstance(node, ScalarNode):
        return
    if node.kind == "nothing" and secret:
        section.report.add(place, "must name a variable; it is blank")
    elif node.kind != "text":
        return
    elif not node.text.strip():
        section.report.add(place, "must not be blank")
    elif is_placeholder(node.text):
        section.report.add(place, "still holds the placeholder of an example")
    elif secret and not is_variable(node.text):
        section.report.add(place, "must be the NAME of a variable (letters, digits, _), never the secret itself")


def _explain(section: Section, fault: Any) -> None:
    """Reports one error of the model in our words, unless something was said about that place before."""
    kind: str = fault["type"]
    place, node = _located(section, fault["loc"])
    if any(problem.path == place.path for problem in section.report.problems):
        return
    section.report.add(place, _sentence(kind, node, fault.get("ctx") or {}))


def _sentence(kind: str, node: Node | None, context: Mapping[str, Any]) -> str:
    if kind == "missing":
        return "is missing; this platform needs it"
    if kind in _TYPES and node is not None:
        return wrong(_TYPES[kind], node)
    if kind in _LIMITS:
        name, text = _LIMITS[kind]
        return text.format(context.get(name, "what is allowed"))
    if kind in ("value_error", "assertion_error") and (error := context.get("error")):
        return str(error)
    if kind.startswith("url_"):
        return "must be an address such as https://example.org/path"
    return "does not have a value that this platform takes"


def _located(section: Section, location: tuple[int | str, ...]) -> tuple[Place, Node | None]:
    """The place that an error's location means, and the node there; the last one that exists where it goes on."""
    place, node = section.place, section.root
    found: Node | None = node
    for step in location:
        if isinstance(found, MapNode) and isinstance(step, str):
            entry = found.entries.get(step)
            place = place.key(step, entry.key.line if entry else place.line)
            found = entry.value if entry else None
        elif isinstance(found, ListNode) and isinstance(step, int) and step < len(found.items):
            found = found.items[step]
            place = place.item(step, found.line)
        else:
            break
    return place, found
