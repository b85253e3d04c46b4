"""The run as a person reads it: DESIGN 9's table and the dearest functions, as plain text and as markdown."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.figure import Cost, Figure, Series
from bench.machine import Machine

HEADS = ["what", "measured", "goal", "met", "bare proxy", "ratio"]
COST_HEADS = ["µs a turn", "share", "calls a turn", "function", "where"]
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


class Run(msgspec.Struct, frozen=True):
    """Everything one run found; results.json is this."""

    when: str
    machine: Machine
    quick: bool
    self_check: bool
    figures: list[Figure]
    series: list[Series]
    dearest: list[Cost]

    @property
    def missed(self) -> list[Figure]:
        """The figures that have a goal and did not reach it."""
        return [figure for figure in self.figures if figure.met is False]


def number(value: float | None, unit: str = "") -> str:
    """A figure with three significant digits and its unit; a dash for None."""
    if value is None:
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or value == round(value) else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    return _with_unit(f"{value:,.{digits}f}", unit)


def _with_unit(digits: str, unit: str) -> str:
    return f"{digits}{unit}" if unit in ("", "/s", "×") else f"{digits} {unit}"


def goal(figure: Figure) -> str:
    """The goal in words, or a dash."""
    if figure.goal is None:
        return "–"
    return _with_unit(f"{figure.goal.sense.value} {figure.goal.limit:,g}", figure.unit)


def verdict(figure: Figure) -> str:
    """Met or not; with the problem when there is one."""
    said = {None: "–", True: "yes", False: "NO"}[figure.met]
    return f"{said} ({figure.problem})" if figure.problem else said


def rows(figures: list[Figure]) -> list[list[str]]:
    """The table's rows in the order of HEADS."""
    return [
        [
            figure.what,
            number(figure.value, figure.unit),
            goal(figure),
            verdict(figure),
            number(figure.yardstick, figure.unit) if figure.proxy else "–",
            number(figure.ratio, "×") if figure.proxy else "–",
        ]
        for figure in figures
    ]


def cost_rows(dearest: list[Cost]) -> list[list[str]]:
    """The dearest functions in the order of COST_HEADS."""
    return [
        [
            number(cost.us_per_turn),
            f"{cost.share:.1%}",
            number(cost.calls_per_turn),
            cost.function,
            cost.place,
        ]
        for cost in dearest
    ]


def plain(heads: list[str], body: list[list[str]]) -> str:
    """An aligned table."""
    widths = [max(len(row[column]) for row in [heads, *body]) for column in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, ["-" * width for width in widths], *body]
    ]
    return "\n".join(lines)


def markdown(heads: list[str], body: list[list[str]]) -> str:
    """A markdown table."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in [heads, *body]]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])


def headline(run: Run) -> str:
    """How many goals are reached, and what kind of run it was."""
    judged = [figure for figure in run.figures if figure.met is not None]
    text = f"{len(judged) - len(run.missed)} of {len(judged)} goals reached"
    if run.quick:
        text += " (a quick run: it shows that the benchmark works, its figures mean little)"
    if run.self_check:
        text += " (a self-check: a second bare proxy stands in for the gateway, ratios should be near 1)"
    return text


def text(run: Run) -> str:
    """The whole report for a terminal."""
    parts = [run.machine.line(), plain(HEADS, rows(run.figures)), headline(run)]
    if run.dearest:
        parts += ["The dearest functions (own time):", plain(COST_HEADS, cost_rows(run.dearest))]
    return "\n\n".join(parts) + "\n"


def page(run: Run, plot: str) -> str:
    """The report's part of docs/performance.md; `plot` is the picture's path as seen from there."""
    parts = [
        BEGIN,
        f"Measured {run.when} on {run.machine.line()}.",
        markdown(HEADS, rows(run.figures)),
        f"{headline(run)}.",
        f"![The figures as a picture]({plot})",
    ]
    if run.dearest:
        parts += ["The dearest functions, by their own time:", markdown(COST_HEADS, cost_rows(run.dearest))]
    return "\n\n".join([*parts, END])


def insert(document: Path, part: str) -> None:
    """Put `part` between the markers of `document`. Raises ValueError when it has no markers."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no {BEGIN} ... {END}")
    document.write_text(before + part + after)
