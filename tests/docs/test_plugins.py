"""docs/plugins.md explains every hook: its exact arguments, its deadline, every field that it sees."""

import inspect
import re
from typing import get_args

from serai import plugin
from serai.core.delivery import Target
from serai.core.message import Usage
from serai.core.source import Source
from serai.core.turn import TurnEnd
from serai.plugin import DEADLINES
from serai.ports.hooks import HookName, ToolStatus
from tests.docs.page import quoted, read, rows, sections

PAGE = read("plugins.md")
HEADING = re.compile(r"(\w+)\(([^)]*)\)")


def hooks() -> dict[str, list[str]]:
    """Each hook of the specification with its arguments."""
    found = (
        one for one in vars(plugin).items() if inspect.isfunction(one[1]) and one[1].__module__ == plugin.__name__
    )
    return {name: list(inspect.signature(hook).parameters) for name, hook in found}


def explained() -> dict[str, str]:
    """What the page says about each hook, by its heading."""
    return {title: text for title, text in sections(PAGE).items() if HEADING.fullmatch(title)}


def test_every_hook_is_explained_with_its_exact_arguments() -> None:
    headings = [HEADING.fullmatch(title) for title in explained()]
    assert {one[1]: one[2].split(", ") for one in headings if one} == hooks()


def test_every_hook_has_its_deadline_or_is_not_called_yet() -> None:
    for title, text in explained().items():
        seconds = DEADLINES.get(title.partition("(")[0])  # type: ignore[call-overload]
        wanted = "Not called yet" if seconds is None else f"Deadline: {seconds:g} second"
        assert wanted in " ".join(text.split()), title


def test_the_specification_says_the_same_of_hooks_that_are_not_called() -> None:
    quiet = {name for name in hooks() if "Not called yet" in (inspect.getdoc(getattr(plugin, name)) or "")}
    assert quiet == hooks().keys() - DEADLINES.keys()
    assert set(DEADLINES) == set(get_args(HookName))


def test_every_called_hook_has_its_place_in_the_order_of_a_turn() -> None:
    named = {word for row in rows(PAGE, "moment") for word in re.findall(r"`(\w+)`", row.cells[1])}
    assert named == set(DEADLINES)


def test_every_field_and_word_that_a_hook_sees_is_named() -> None:
    fields = {*Source.__dataclass_fields__, *Target.__dataclass_fields__, *Usage.__dataclass_fields__}
    words = {*get_args(TurnEnd), *get_args(ToolStatus), "sent", "unknown", "dead", "expired"}
    assert fields | words <= quoted(PAGE)
