"""docs/contract.md: the tables, and the places where they stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.contract.outcome import Outcome, title
from tests.testing.test_platform_contract import BROKEN

PAGE: Final = Path(__file__).parents[2] / "docs" / "contract.md"
ABSENT: Final = "–"
_SIGNS: Final = {"passed": "✓", "absent": ABSENT, "failed": "**failed**"}

Outcomes = Mapping[tuple[str, str], Outcome]
"""By test and platform."""


def outcome_table(outcomes: Outcomes, platforms: Sequence[str]) -> str:
    """Rows are tests, columns platforms; the last column is the ability that is not declared where a cell has a
    dash."""
    rows = []
    for test in dict.fromkeys(test for test, _ in outcomes):
        cells = [outcomes[test, platform] for platform in platforms]
        absent = {cell.text for cell in cells if cell.state == "absent"}
        rows.append([title(test), *(_SIGNS[cell.state] for cell in cells), ", ".join(sorted(absent))])
    return table(["", *platforms, f"{ABSENT} where it declares no"], rows)


def fault_table(seen: Mapping[tuple[str, str], str], platforms: Sequence[str]) -> str:
    """Rows are faults, columns platforms."""
    faults = dict.fromkeys(fault for fault, _ in seen)
    rows = [[fault, *(seen[fault, platform] for platform in platforms)] for fault in faults]
    return table(["", *platforms], rows)


def broken_table() -> str:
    """Each deliberately broken driver, and the test that catches it."""
    rows = [[kind.__name__, str(kind.__doc__).splitlines()[0], title(test)] for kind, test in BROKEN.items()]
    return table(["driver", "how it is broken", "caught by"], rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def insert(name: str, part: str) -> None:
    """Puts a part between the page's marks of that name."""
    before, behind = marks(name)
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(before)
    _, tail = rest.split(behind)
    PAGE.write_text(f"{head}{before}\n\n{part}\n{behind}{tail}", encoding="utf-8")


def read(name: str) -> list[list[str]]:
    """The cells of the table that stands between the marks of that name, with its head."""
    before, behind = marks(name)
    part = PAGE.read_text(encoding="utf-8").split(before)[1].split(behind)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [cells[0], *cells[2:]]


def marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
