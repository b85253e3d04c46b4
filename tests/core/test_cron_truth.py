"""Cron truth (SPEC 9.2): what runs is what cronsim says, slot by slot, at every change of the clocks 2024 to 2027."""

import time

import pytest

from tests.core.cron_truth import EXPRESSIONS, Figures, changes, compare, expressions

SHORT = 500
"""Pairs of the short form: each expression and each change is in some."""


def test_the_expressions_are_distinct_and_of_all_forms() -> None:
    found = expressions()
    assert len(set(found)) == EXPRESSIONS
    for sign in ("L", "LW", "#", "*/", "-", ",", "sun", "mar"):
        assert any(sign in one for one in found), sign


def test_no_slot_differs_in_a_sample_of_all_expressions_and_changes() -> None:
    _, clocks = changes()
    lines, figures = expressions(), Figures()
    for n in range(SHORT):
        compare(lines[n % len(lines)], clocks[n * 7 % len(clocks)], figures, n)
    print(figures)
    assert figures.differences == []


def test_a_scheduler_that_asks_cronsim_anew_each_time_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: without the care for what lies just behind a change, slots differ on Lord Howe."""
    _, clocks = changes()
    lord_howe = [change for change in clocks if str(change.zone) == "Australia/LHI"]
    careful, careless = Figures(), Figures()
    for n, change in enumerate(lord_howe):
        compare("0,30 */3 * * *", change, careful, n)
    monkeypatch.setattr("serai.core.crontab._UNSETTLED", 0)
    for n, change in enumerate(lord_howe):
        compare("0,30 */3 * * *", change, careless, n)
    assert lord_howe
    assert (careful.differences, bool(careless.differences)) == ([], True)


@pytest.mark.prove
def test_no_slot_differs_in_any_zone_at_any_change() -> None:
    began = time.monotonic()
    zones, clocks = changes()
    lines, figures = expressions(), Figures()
    for n, change in enumerate(clocks):
        for m, line in enumerate(lines):
            compare(line, change, figures, n * len(lines) + m)
    took = time.monotonic() - began
    print(f"cron truth: {zones} zones, {len(clocks)} different changes; {figures}; in {took:.0f} s")
    assert figures.differences == []
