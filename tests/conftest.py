"""What a proof has measured is shown at the end of a run, whichever process has run it."""

from collections.abc import Callable

import pytest

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
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write("".join(f"{line}\n" for line in lines))
