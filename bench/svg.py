"""The few SVG elements that the plot needs, as strings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK, MUTED, GRID, PAPER = "#1f2933", "#6b7785", "#e3e8ee", "#ffffff"
GATEWAY, PROXY, MISSED, REACHED = "#0b6fa4", "#98a2ae", "#c8501e", "#0b6fa4"
YARDSTICK, LITTLE = "#4b5563", "#a9cfe4"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


def text(
    x: float, y: float, words: str, size: float = 12, fill: str = INK, anchor: str = "start", weight: int = 400
) -> str:
    """Words with their baseline at (x, y)."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def rect(x: float, y: float, width: float, height: float, fill: str, radius: float = 0) -> str:
    """A filled box; a negative width counts as none."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="{radius}" '
        f'fill="{fill}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width}"{dashed}/>'
    )


def path(points: Sequence[tuple[float, float]], stroke: str, width: float = 2, dash: str = "") -> str:
    """A line through the points."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{stroke}" stroke-width="{width}"{dashed}/>'


def dot(x: float, y: float, fill: str, radius: float = 4) -> str:
    """A filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}"/>'


def document(width: float, height: float, parts: Sequence[str], title: str) -> str:
    """A whole picture."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="{FONT}" role="img">'
    )
    return "\n".join([head, f"<title>{escape(title)}</title>", rect(0, 0, width, height, PAPER), *parts, "</svg>\n"])
