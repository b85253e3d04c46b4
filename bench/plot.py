"""The run as a picture: how much of each goal is used up, then the curves behind the figures."""

from __future__ import annotations

import statistics

from bench import svg
from bench.axis import Panel, ticks
from bench.figure import Figure, Series
from bench.report import Run, goal, headline, number

WIDTH, MARGIN, ROW = 980.0, 28.0, 21.0
BAR_X, BAR_LIMIT, BAR_END = 350.0, 590.0, 710.0
PANEL_W, PANEL_H, GAP = 446.0, 240.0, 32.0
SHOWN_PERCENT = 99
COLOURS = {"gateway": svg.GATEWAY, "bare proxy": svg.PROXY}


def draw(run: Run) -> str:
    """The SVG document."""
    judged = [figure for figure in run.figures if figure.goal is not None]
    parts = [
        svg.text(MARGIN, 38, f"Serai: {headline(run).partition(' (')[0]}", 20, weight=600),
        svg.text(MARGIN, 58, f"{run.when} · {run.machine.line()}", 10.5, svg.MUTED),
    ]
    if run.quick or run.self_check:
        parts.append(svg.text(MARGIN, 74, headline(run), 10.5, svg.MISSED))
    y = 98.0
    parts += _goals(judged, y)
    y += 34 + ROW * len(judged) + 28
    panels = _panels(run)
    for place, panel in enumerate(panels):
        column, line = place % 2, place // 2
        parts += panel(MARGIN + column * (PANEL_W + GAP), y + line * (PANEL_H + 12))
    height = y + ((len(panels) + 1) // 2) * (PANEL_H + 12) + 8
    return svg.document(WIDTH, height, parts, f"Benchmark of {run.when}: {headline(run)}")


def _goals(judged: list[Figure], y: float) -> list[str]:
    """One bar per goal: its length is the share of the allowance that is used, the line is the limit."""
    parts = [
        svg.text(MARGIN, y, "What must be reached: share of the allowance used", 13, weight=600),
        svg.rect(BAR_X + 70, y - 11, 3, 14, svg.YARDSTICK),
        svg.text(BAR_X + 79, y, "bare proxy, same run", 10.5, svg.MUTED),
        svg.text(BAR_LIMIT, y, "limit", 10.5, svg.MUTED, "middle"),
        svg.text(BAR_END + 90, y, "measured", 10.5, svg.MUTED, "end"),
        svg.text(BAR_END + 104, y, "goal", 10.5, svg.MUTED),
    ]
    top = y + 12
    for row, figure in enumerate(judged):
        parts += _goal(figure, top + row * ROW)
    bottom = top + len(judged) * ROW
    return [*parts, svg.line(BAR_LIMIT, y + 6, BAR_LIMIT, bottom, svg.INK, 1.5)]


def _goal(figure: Figure, y: float) -> list[str]:
    value = figure.value
    share = figure.goal.share(value) if figure.goal is not None and value is not None else 0.0
    colour = svg.REACHED if figure.met else svg.MISSED
    end = min(BAR_X + share * (BAR_LIMIT - BAR_X), BAR_END)
    parts = [
        svg.text(BAR_X - 10, y + 13, figure.what, 11.5, anchor="end"),
        svg.rect(BAR_X, y + 3, BAR_END - BAR_X, ROW - 7, "#f4f6f8", 2),
        svg.rect(BAR_X, y + 3, max(end - BAR_X, 1.5), ROW - 7, colour, 2),
        svg.text(BAR_END + 90, y + 13, number(value, figure.unit), 11.5, colour, "end", 600),
        svg.text(BAR_END + 104, y + 13, goal(figure), 11.5, svg.MUTED),
    ]
    if figure.goal is not None and figure.yardstick is not None:
        at = BAR_X + figure.goal.share(figure.yardstick) * (BAR_LIMIT - BAR_X)
        parts.append(svg.rect(min(at, BAR_END) - 1.5, y, 3, ROW - 1, svg.YARDSTICK))
    if not figure.met:
        parts.append(svg.text(WIDTH - MARGIN, y + 13, "not met", 11.5, svg.MISSED, "end", 600))
    if share * (BAR_LIMIT - BAR_X) > BAR_END - BAR_X:
        parts.append(svg.text(BAR_END - 12, y + 14, "»", 13, svg.PAPER, weight=600))
    return parts


class _Drawing:
    """One panel, not yet placed."""

    def __init__(self, run: Run, name: str) -> None:
        self.lines = [series for series in run.series if series.panel == name]
        self.name = name

    def __call__(self, x: float, y: float) -> list[str]:
        if self.name.startswith("latency"):
            return self._latency(x, y)
        if self.name == "memory":
            return self._memory(x, y)
        return self._repeats(x, y)

    def _latency(self, x: float, y: float) -> list[str]:
        top = max(one.y[min(SHOWN_PERCENT, len(one.y) - 1)] for one in self.lines)
        panel = Panel(x, y, PANEL_W, PANEL_H, SHOWN_PERCENT, top * 1.02)
        title = self.name.partition(", ")[2]
        parts = panel.frame(f"Latency: {title}", "percent of the turns", "ms", [0, 25, 50, 75, 90, 99])
        for number_, one in enumerate(self.lines):
            colour = COLOURS.get(one.line, svg.INK)
            points = list(zip(one.x, one.y, strict=True))[: SHOWN_PERCENT + 1]
            parts.append(svg.path([panel.place(*point) for point in points], colour, 2.2))
            said = f"{one.line}: p50 {number(one.y[50])}, p99 {number(one.y[99])}"
            parts += _key(x + 60 + number_ * 196, y + 31, colour, said)
        return parts

    def _memory(self, x: float, y: float) -> list[str]:
        right = max(max(one.x) for one in self.lines)
        top = max(max(one.y) for one in self.lines)
        panel = Panel(x, y, PANEL_W, PANEL_H, right, top * 1.1)
        parts = panel.frame("Resident memory while turns go by", "turns", "MB", ticks(right, 5))
        for one in self.lines:
            colour = COLOURS.get(one.line, svg.INK)
            places = [panel.place(*point) for point in zip(one.x, one.y, strict=True)]
            parts.append(svg.path(places, colour))
            parts += [svg.dot(*place, colour, 3) for place in places]
        return parts

    def _repeats(self, x: float, y: float) -> list[str]:
        right = max(max(one.x) for one in self.lines)
        top = max(max(one.y) for one in self.lines)
        panel = Panel(x, y, PANEL_W, PANEL_H, right + 0.5, top * 1.15)
        ticks_x = sorted({value for one in self.lines for value in one.x})
        parts = panel.frame("Processor time per API turn, each repeat", "repeat, taken in turns", "ms", ticks_x)
        for number_, one in enumerate(self.lines):
            colour = COLOURS.get(one.line, svg.INK)
            middle = statistics.median(one.y)
            parts.append(svg.path([panel.place(0, middle), panel.place(right + 0.5, middle)], colour, 1.2, "5 4"))
            parts += [svg.dot(*panel.place(*point), colour, 4.5) for point in zip(one.x, one.y, strict=True)]
            parts += _key(x + 60 + number_ * 196, y + 31, colour, f"{one.line}: median {number(middle)}")
        return parts


class _Growth:
    """Bars: what a turn costs with little and with a hundred times as much."""

    def __init__(self, figures: list[Figure]) -> None:
        self.figures = figures

    def __call__(self, x: float, y: float) -> list[str]:
        costs = [figure.value or 0.0 for figure in self.figures]
        panel = Panel(x, y, PANEL_W, PANEL_H, len(costs) / 2, max([*costs, 0.001]) * 1.1)
        parts = panel.frame("Processor time per turn, ×1 and ×100", "", "ms", [])
        base = panel.place(0, 0)[1]
        for number_, figure in enumerate(self.figures):
            pair, large = divmod(number_, 2)
            left, top = panel.place(pair + 0.18 + large * 0.33, costs[number_])
            width = panel.place(0.3, 0)[0] - panel.place(0, 0)[0]
            parts.append(svg.rect(left, top, width, base - top, svg.GATEWAY if large else svg.LITTLE, 2))
            parts.append(svg.text(left + width / 2, top - 4, number(costs[number_]), 10.5, anchor="middle"))
            if large:
                words = figure.what.partition(":")[0]
                parts.append(svg.text(panel.place(pair + 0.5, 0)[0], base + 15, words, 9.5, svg.MUTED, "middle"))
        return parts


def _key(x: float, y: float, colour: str, words: str) -> list[str]:
    return [svg.rect(x, y - 8, 14, 8, colour, 2), svg.text(x + 20, y, words, 10.5)]


def _panels(run: Run) -> list[_Drawing | _Growth]:
    names = list(dict.fromkeys(series.panel for series in run.series))
    panels: list[_Drawing | _Growth] = [_Drawing(run, name) for name in names]
    grown = [figure for figure in run.figures if figure.name.endswith(("_small", "_large"))]
    return [*panels, _Growth(grown)] if grown else panels


__all__ = ["Series", "draw"]
