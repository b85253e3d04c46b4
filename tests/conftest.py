"""What a proof has measured is shown at the end of a run, whichever process has run it."""

from collections.abc import Callable

import hypothesis
import pytest

hypothesis.settings.register_profile("serai", deadline=None)  # what takes long says more of the machine than of Serai
hypothesis.settings.load_profile("serai")

Figure = Callable[[str], None]
"""Notes a line to be shown."""


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Shows a line under the run's figures, and at once where a test's output is not captured."""

    def note(line: str) -> None:
        print(line, flush=True)
        request.node.user_properties.append(("figure", line))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        line
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
        for name, line in report.user_properties
        if name == "figure"
    ]
    lines += _contract(terminalreporter)
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write("".join(f"{line}\n" for line in lines))


def _contract(terminalreporter: pytest.TerminalReporter) -> list[str]:
    """What became of each test of the platform contract on each platform, where it was run."""
    cells: dict[tuple[str, str], str] = {}
    for outcome, sign in (("passed", "ok"), ("failed", "FAILED"), ("skipped", "-")):
        for report in terminalreporter.getreports(outcome):
            for name, place in report.user_properties if report.when == "call" else ():
                if name == "contract":
                    test, platform = place
                    cells[test, platform] = sign
                    if outcome == "skipped":
                        cells[test, ""] = str(report.longrepr[2]).removeprefix("Skipped: ")
    platforms = sorted({platform for _, platform in cells if platform})
    tests = sorted({test for test, _ in cells})
    rows = [[test, *(cells.get((test, column), "") for column in (*platforms, ""))] for test in tests]
    rows.insert(0, ["the platform contract", *platforms, "- because"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return aligned if cells else []
