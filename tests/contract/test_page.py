"""docs/contract.md is current as far as its rows, its columns and the abilities that platforms do not declare go."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from serai.ports.platform import Capabilities
from tests.contract.fault import FAULTS
from tests.contract.outcome import TESTS, Outcome, Trial, title
from tests.contract.page import ABSENT, broken_table, outcome_table, read
from tests.platforms.test_contract import RIGS

DECLARED: Final[Mapping[str, Callable[[Capabilities], bool]]] = {
    "buttons that are pressed": lambda one: one.buttons and one.presses,
    "connection of its own": lambda one: one.silence_s is not None,
    "detection of a second login": lambda one: one.exclusive,
    "fetching of files": lambda one: one.fetches,
    "growth": lambda one: one.growth is not None,
    "sending of files": lambda one: one.enclosure_bytes is not None,
    "typing": lambda one: one.typing_s is not None,
    "wait when it limits the rate": lambda one: one.names_wait,
}
"""The abilities for whose absence a test may be skipped, and where they are declared."""


def capabilities_of(platform: str) -> Capabilities:
    trial = Trial(platform)

    async def look() -> Capabilities:
        async with trial.rig() as rig:
            return rig.platform.capabilities

    with asyncio.Runner(loop_factory=trial.loop_factory) as runner:
        return runner.run(look())


def test_the_page_has_every_test_and_every_platform() -> None:
    head, *rows = read("outcomes")
    assert head[1:-1] == RIGS, "run `make contract`"
    assert [row[0] for row in rows] == [title(test) for test in TESTS], "run `make contract`"


@pytest.mark.parametrize("platform", RIGS)
def test_a_test_is_skipped_exactly_where_its_ability_is_not_declared(platform: str) -> None:
    head, *rows = read("outcomes")
    capabilities = capabilities_of(platform)
    for row in rows:
        ability, cell = row[-1], row[head.index(platform)]
        has_it = DECLARED[ability](capabilities) if ability else True
        assert cell == ("✓" if has_it else ABSENT), f"{row[0]}: {cell}; run `make contract`"


def test_the_page_has_every_fault_on_every_platform() -> None:
    head, *rows = read("faults")
    assert head[1:] == [name for name in RIGS if name != "fake"], "run `make contract`"
    assert [row[0] for row in rows] == list(FAULTS), "run `make contract`"
    assert all(cell for row in rows for cell in row)
    assert not [cell for row in rows for cell in row if "**" in cell]


def test_the_page_has_every_broken_driver() -> None:
    told = ["| " + " | ".join(row) + " |" for row in read("broken")]
    assert told == [line for line in broken_table().splitlines() if not line.startswith("| ---")], (
        "run `make contract`"
    )


def test_a_failure_is_not_shown_as_anything_else() -> None:
    outcomes = {("test_a", "one"): Outcome("passed"), ("test_a", "two"): Outcome("failed", "no")}
    assert "| a | ✓ | **failed** |" in outcome_table(outcomes, ["one", "two"])
