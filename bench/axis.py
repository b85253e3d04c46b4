"""A small panel with a title and axes: turns values into places on the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench import svg


def ticks(top: float, count: int = 4) -> list[float]:
    """Round steps from 0 to at least `top`, about `count` of them."""
    if top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / count))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor * count >= top)
    return [step * number for number in range(math.ceil(round(top / step, 6)) + 1)]


def short(value: float) -> str:
    """A tick's label."""
    return f"{value:,.0f}" if value == round(value) else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Panel:
    """A box at (x, y) with an inner field; both axes start at 0 and end at the last tick."""

    x: float
    y: float
    width: float
    height: float
    right: float
    top: float

    @property
    def _y_ticks(self) -> list[float]:
        return ticks(self.top)

    @property
    def _field(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the inner field."""
        return self.x + 44, self.y + 46, self.width - 54, self.height - 86

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a value lies on the picture; values beyond the axes lie on the edge."""
        left, upper, width, height = self._field
        ratio_x = min(x / self.right, 1) if self.right else 0
        ratio_y = min(max(y, 0) / self._y_ticks[-1], 1)
        return left + width * ratio_x, upper + height * (1 - ratio_y)

    def frame(self, title: str, x_label: str, y_label: str, x_ticks: list[float]) -> list[str]:
        """Title, grid, tick labels and what the axes mean."""
        left, upper, width, height = self._field
        parts = [svg.text(self.x, self.y + 14, title, 13, weight=600)]
        parts.append(svg.text(self.x, self.y + 31, y_label, 10.5, svg.MUTED))
        for value in self._y_ticks:
            _, at = self.place(0, value)
            parts.append(svg.line(left, at, left + width, at))
            parts.append(svg.text(left - 6, at + 4, short(value), 10.5, svg.MUTED, "end"))
        for value in x_ticks:
            at, _ = self.place(value, 0)
            parts.append(svg.text(at, upper + height + 15, short(value), 10.5, svg.MUTED, "middle"))
        parts.append(svg.line(left, upper + height, left + width, upper + height, svg.MUTED))
        parts.append(svg.text(left + width, upper + height + 31, x_label, 10.5, svg.MUTED, "end"))
        return parts
