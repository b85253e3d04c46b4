"""What people say behind `/cron add` is parted into a schedule and a prompt (SPEC 6.4, 9.2)."""

import pytest

from serai.core.appointment import Appointment, parse_appointment
from serai.core.schedule import BadSchedule


@pytest.mark.parametrize(
    ("text", "schedule", "prompt"),
    [
        ("every 2h Check the mail", "every 2h", "Check the mail"),
        ("every 2 hours Check the mail", "every 2 hours", "Check the mail"),
        ("every 1h 30m Check the mail", "every 1h 30m", "Check the mail"),
        ("every day Check the mail", "every day", "Check the mail"),
        ("0 9 * * 1-5 Morning report", "0 9 * * 1-5", "Morning report"),
        ("0 9 * * mon Mon amour", "0 9 * * mon", "Mon amour"),
        ("0 9 1 1 * 5 wishes", "0 9 1 1 *", "5 wishes"),
        ("30m remind me", "30m", "remind me"),
        ("2026-12-24T18:00 light the tree", "2026-12-24T18:00", "light the tree"),
        ("2026-12-24 18:00 light the tree", "2026-12-24 18:00", "light the tree"),
        ('"30m" 5 minutes of silence', "30m", "5 minutes of silence"),
        ('30m "5 minutes of silence"', "30m", "5 minutes of silence"),
        ("“every 2h” “say “hello””", "every 2h", "“say “hello””"),
        ("`0 9 * * *`   report", "0 9 * * *", "report"),
        ("  every   2h  \n  - one\n  - two  ", "every 2h", "- one\n  - two"),
        ("30m\n5 minutes of silence", "30m", "5 minutes of silence"),
        ('every 2h say "hello"', "every 2h", 'say "hello"'),
    ],
)
def test_the_longest_beginning_that_is_a_schedule_is_the_schedule(text: str, schedule: str, prompt: str) -> None:
    assert parse_appointment(text) == Appointment(schedule, prompt)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must not be blank"),
        ("every 2h", "behind `every 2h` must stand what is to be done"),
        ('every 2h ""', "behind `every 2h` must stand what is to be done"),
        ("tomorrow check the mail", "`tomorrow` is no schedule; write `30m`"),
        ("every now and then check", "after `every` comes a time such as 30m"),
        ("every day at 9:00 check", "five fields of cron, such as `0 9"),
        ("30 check the mail", "`30` lacks a unit"),
        ("0 25 * * * report", "hour of a cron expression cannot be `25`"),
        ("*/5 * * report", "five fields"),
        ("@daily report", "write `0 0"),
        ("2026-12-24 party", "lacks the time of day"),
        ("2026-13-24T18:00 party", "is no date with a time"),
        ('"every 2h check', "is not closed"),
        ('"soon" check', "`soon` is no schedule"),
    ],
)
def test_what_is_no_schedule_is_told_with_what_would_be(text: str, told: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        parse_appointment(text)
    assert told in str(caught.value)
