"""How long `serai --help` takes, next to an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.figure import Figure, Goal, Outcome, Sense
from bench.plan import ROOT
from bench.setting import Setting
from bench.subject import MODULE, environment

NAME = "help"


def run(setting: Setting) -> Outcome:
    """Ten times each, in turns; the first of each is not counted. The ratio is to the empty interpreter."""
    mine, its = [], []
    problem = None
    for number in range(setting.size(10, 2) + 1):
        taken, text = _run(setting, [*MODULE, "serai", "--help"])
        empty, _ = _run(setting, [sys.executable, "-c", "pass"])
        if "up" not in text.split():
            problem = f"no help: {text.strip()[-100:]}"
        if number:
            mine.append(taken)
            its.append(empty)
    what = "serai --help (ratio: to an empty interpreter)"
    return Outcome([Figure(NAME, what, "s", mine, its, Goal(Sense.UNDER, 0.15), problem)])


def _run(setting: Setting, command: list[str]) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=environment(setting.work),
        check=False,
        text=True,
    )
    return time.perf_counter() - began, done.stdout if done.returncode == 0 else ""
