"""`serai cron`: when schedules are due (SPEC 9.2, 12)."""

import pytest

from tests.cli.terminal import Terminal

BERLIN = ("--timezone", "Europe/Berlin")


def test_preview_shows_the_next_runs_in_the_zone_of_the_schedule_and_in_this_machines(serai: Terminal) -> None:
    said = serai("cron", "preview", "0 9 * * 1-5", *BERLIN, "--from", "2026-12-04T12:00", "-n", "2", TZ="Asia/Tokyo")
    assert said.code == 0
    heads, first, second = said.out.splitlines()
    assert heads.split("  ")[0] == "day"
    assert "here, Asia/Tokyo" in heads
    assert first.split() == [
        "Mon",
        "2026-12-07",
        "09:00",
        "+01:00",
        "Mon",
        "2026-12-07",
        "17:00",
        "2",
        "d",
        "21",
        "h",
    ]
    assert second.startswith("Tue  2026-12-08 09:00  +01:00")


def test_preview_marks_where_the_clocks_skip_and_repeat_hours(serai: Terminal) -> None:
    spring = serai("cron", "preview", "30 2 * * *", *BERLIN, "--from", "2027-03-27T12:00", "-n", "2").out.splitlines()
    assert "2027-03-28 03:00" in spring[1]
    assert spring[1].endswith("2027-03-28 02:00 to 03:00 is skipped")
    autumn = serai("cron", "preview", "30 * * * *", *BERLIN, "--from", "2027-10-31T02:00", "-n", "2").out.splitlines()
    assert "2027-10-31 02:30  +02:00" in autumn[1]
    assert "2027-10-31 02:30  +01:00" in autumn[2]
    assert autumn[2].endswith("2027-10-31 02:00 to 03:00 comes twice")


def test_preview_takes_the_configurations_zone_and_ten_runs_where_nothing_else_is_said(serai: Terminal) -> None:
    serai.write("cron: {timezone: Asia/Tokyo}\n")
    document = serai("cron", "preview", "0 12 * * *", "--json", TZ="Asia/Tokyo").document
    assert len(document["data"]) == 10
    assert document["has_more"]
    first = document["data"][0]
    assert first["local"].endswith("T12:00:00+09:00")
    assert first["here"] == first["local"]
    assert 0 < first["in_s"] <= 86400


def test_preview_works_beside_a_broken_configuration(serai: Terminal) -> None:
    serai.write("cron: {timezone: Nowhere}\n")
    said = serai("cron", "preview", "0 12 * * *", "-n", "1", TZ="Asia/Tokyo")
    assert said.code == 0
    assert "Asia/Tokyo" in said.out
    assert said.err == "Warning: the configuration has problems; the time zone is this machine's.\n"


def test_preview_of_what_is_due_once_shows_one_run_and_of_what_is_over_none(serai: Terminal) -> None:
    document = serai("cron", "preview", "every", "90s", "--from", "2027-01-01T00:00", "-n", "1", "--json").document
    assert document["data"][0]["in_s"] == 90
    once = serai("cron", "preview", "30m", "--json").document
    assert (len(once["data"]), once["has_more"]) == (1, False)
    assert serai("cron", "preview", "2020-01-01T00:00").out == "Never again: that time is over.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["61 * * * *"], "Error: the minute of a cron expression cannot be `61`; it may hold 0 to 59"),
        (["@daily"], "Error: `@daily` is no schedule; write `0 0 * * *`"),
        (["0 0 30 2 *"], "never comes"),
        (["30m", "--timezone", "Europe/Berln"], "did you mean `Europe/Berlin`?"),
        (["30m", "--from", "tomorrow"], "`--from` takes a time such as 2027-03-27T12:00"),
        (["30m", "--from", "2h"], "`--from` takes a time such as 2027-03-27T12:00"),
    ],
)
def test_preview_says_what_is_wrong_in_one_sentence(arguments: list[str], told: str, serai: Terminal) -> None:
    said = serai("cron", "preview", *arguments)
    assert said.code == 1
    assert said.out == ""
    assert told in said.err
