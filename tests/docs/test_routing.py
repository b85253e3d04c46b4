"""docs/routing.md explains every match key and every reason of a decision."""

from typing import get_args

from serai.core.decision import Reason
from serai.core.route import MATCH_KEYS
from serai.core.source import CHAT_TYPES
from tests.docs.page import quoted, read, rows

ROUTING = read("routing.md")


def test_every_match_key_is_explained_and_no_other() -> None:
    assert sorted(name for row in rows(ROUTING, "match key") for name in row.names) == sorted(MATCH_KEYS)


def test_every_chat_type_is_named() -> None:
    assert quoted(ROUTING) >= CHAT_TYPES


def test_every_reason_of_a_decision_is_explained() -> None:
    assert sorted(name for row in rows(ROUTING, "reason") for name in row.names) == sorted(get_args(Reason))
