"""`python -m bench [--quick] [--only NAME] [--self-check] [--out DIR] [--docs]`, from anywhere."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench import machine, plot, report
from bench.dearest import NoProfile
from bench.figure import Cost, Figure, Goal, Outcome, Sense, Series
from bench.plan import ROOT, LoadFailed
from bench.process import NotReady
from bench.scenario import NOT_FOR_A_PROXY, SCENARIOS, Scenario
from bench.setting import Setting


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the gateway (DESIGN 9).")
    parser.add_argument("--quick", action="store_true", help="a smoke test of the benchmark itself")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="one scenario; repeatable")
    parser.add_argument("--self-check", action="store_true", help="a second bare proxy in place of the gateway")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "out", help="where results go")
    parser.add_argument("--docs", action="store_true", help="also put the figures into docs/performance.md")
    return parser.parse_args()


def chosen(given: argparse.Namespace) -> list[str]:
    """The names of what is to run, in order."""
    names = [name for name in SCENARIOS if given.only is None or name in given.only]
    return [name for name in names if name not in NOT_FOR_A_PROXY] if given.self_check else names


def attempt(name: str, scenario: Scenario, setting: Setting) -> Outcome:
    """A scenario's outcome; one that breaks is a figure that missed its goal, and the others still run."""
    try:
        return scenario(setting)
    except (NotReady, LoadFailed, NoProfile, OSError, ValueError) as broken:
        print(f"{name}: {broken}", file=sys.stderr)
        problem = f"{type(broken).__name__}: {str(broken).splitlines()[0]}"
        return Outcome([Figure(name, name, "", [], goal=Goal(Sense.AT_MOST, 0), problem=problem)])


def run(given: argparse.Namespace, setting: Setting) -> report.Run:
    """All chosen scenarios."""
    figures: list[Figure] = []
    series: list[Series] = []
    costs: list[Cost] = []
    for name in chosen(given):
        began = time.monotonic()
        setting.scenario = name
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        outcome = attempt(name, SCENARIOS[name], setting)
        figures += outcome.figures
        series += outcome.series
        costs += outcome.costs
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    when = time.strftime("%Y-%m-%d")
    return report.Run(when, machine.describe(), given.quick, given.self_check, figures, series, costs)


def write(done: report.Run, out: Path) -> None:
    """results.json, report.md and the plot, into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=1) + b"\n")
    (out / "report.md").write_text(report.page(done, "performance.svg") + "\n")
    (out / "performance.svg").write_text(plot.draw(done))


def main() -> int:
    """Run, print, write. Returns 0 when every goal is reached, else 1."""
    given = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with (
        tempfile.TemporaryDirectory(prefix="serai-bench-") as work,
        Setting(Path(work), quick=given.quick, self_check=given.self_check) as setting,
    ):
        done = run(given, setting)
    print(report.text(done))
    write(done, given.out)
    if given.docs:
        shutil.copy(given.out / "performance.svg", ROOT / "docs" / "performance.svg")
        report.insert(ROOT / "docs" / "performance.md", report.page(done, "performance.svg"))
    return 1 if done.missed else 0


if __name__ == "__main__":
    sys.exit(main())
