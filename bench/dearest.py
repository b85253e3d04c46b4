"""The functions in which a turn spends its processor time: the gateway under the profiler and under load."""

from __future__ import annotations

import pstats
import sys
from pathlib import Path

from bench.figure import Cost, Outcome
from bench.home import Home
from bench.plan import ROOT
from bench.setting import Setting
from bench.subject import MODULE

NAME = "dearest"
CLIENTS = 32
SHOWN = 10


class NoProfile(Exception):
    """The profiled process left no profile behind."""


def run(setting: Setting) -> Outcome:
    """The ten dearest functions of the gateway, dearest first. Raises NoProfile.

    Only what runs at least once in two turns is counted: the rest is starting up. The profiler itself slows small
    functions most, so the shares are a guide and the sum is above the processor time of the benchmark.
    """
    out = setting.work / "gateway.prof"
    subject = setting.start(Home(), [*MODULE, "bench.profiled", str(out)])
    try:
        subject.process.wait_ready(subject.port, "/ready", subject.headers)
        turns = setting.size(4000, 320)
        answered = setting.load(subject, CLIENTS, turns).load.answered
    finally:
        setting.end(subject)
    if not out.exists():
        raise NoProfile(f"no profile was written\n{subject.process.tail()}")
    return Outcome([], costs=costs(out, answered)[:SHOWN])


def costs(profile: Path, turns: int) -> list[Cost]:
    """Every function of a profile that runs at least once in two of `turns` turns, dearest first."""
    stats = pstats.Stats(str(profile))
    table: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = stats.stats  # type: ignore[attr-defined]
    rows = [(key, row[1], row[2]) for key, row in table.items() if row[1] >= turns / 2]
    total = sum(own for _, _, own in rows) or 1.0
    found = [
        Cost(name, place(file, line), calls / turns, own / turns * 1e6, own / total)
        for (file, line, name), calls, own in rows
    ]
    return sorted(found, key=lambda cost: -cost.us_per_turn)


def place(file: str, line: int) -> str:
    """Where a function is: the path below the project or site-packages, or "built in"."""
    if file == "~":
        return "built in"
    path = Path(file)
    roots = [ROOT / "src", *(Path(entry) for entry in sys.path if entry), ROOT]
    for root in sorted(roots, key=lambda root: -len(root.parts)):
        if path.is_relative_to(root):
            return f"{path.relative_to(root)}:{line}"
    return f"{path.name}:{line}"
