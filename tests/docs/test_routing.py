"""docs/routing.md explains every match key, and docs/plugins.md every hook with its exact arguments."""

import inspect
import re
from typing import get_args

from serai import plugin
from serai.core.decision import Reason
from serai.core.route import MATCH_KEYS
from serai.core.source import CHAT_TYPES, Source
from tests.docs.page import quoted, read, rows

ROUTING = read("routing.md")
PLUGINS = read("plugins.md")


def hooks() -> dict[str, list[str]]:
    """Each hook of the specification with its arguments."""
    found = (
        one for one in vars(plugin).items() if inspect.isfunction(one[1]) and one[1].__module__ == plugin.__name__
    )
    return {name: list(inspect.signature(hook).parameters) for name, hook in found}


def test_every_match_key_is_explained_and_no_other() -> None:
    assert sorted(name for row in rows(ROUTING, "match key") for name in row.names) == sorted(MATCH_KEYS)


def test_every_chat_type_is_named() -> None:
    assert quoted(ROUTING) >= CHAT_TYPES


def test_every_reason_of_a_decision_is_explained() -> None:
    assert sorted(name for row in rows(ROUTING, "reason") for name in row.names) == sorted(get_args(Reason))


def test_every_hook_is_explained_with_its_exact_arguments() -> None:
    explained = dict(re.findall(r"^## (\w+)\(([^)]*)\)$", PLUGINS, re.MULTILINE))
    assert {name: arguments.split(", ") for name, arguments in explained.items()} == hooks()


def test_every_field_that_a_hook_sees_is_named() -> None:
    assert set(Source.__dataclass_fields__) <= quoted(PLUGINS)
