"""A schedule and what is to be done then, said in one breath: `every 2h Check the mail` (SPEC 6.4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from serai.core.schedule import BadSchedule, parse_schedule

_WORDS_MOST: Final = 8
"""`every 1 week 2 days 3 hours 4` has as many; longer ones are written in quotes."""

_CRON_WORDS: Final = 5
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "«": "»"}
_word = re.compile(r"\S+").finditer
_cron_like = re.compile(r"[0-9*/,-]+").fullmatch
_time_of_day = re.compile(r"at\s+[0-9]", re.IGNORECASE).match


@dataclass(frozen=True, slots=True)
class Appointment:
    """The schedule's text, as `parse_schedule` takes it, and the prompt."""

    schedule: str
    prompt: str


def parse_appointment(text: str) -> Appointment:
    """Parts a text into its schedule and its prompt; either may stand in quotes.

    The longest beginning of the first line that is a schedule is the schedule. Raises BadSchedule, which says what
    would be right.

    >>> parse_appointment("0 9 * * 1-5 Morning report")
    Appointment(schedule='0 9 * * 1-5', prompt='Morning report')
    >>> parse_appointment('"every 2 hours" 3 questions')
    Appointment(schedule='every 2 hours', prompt='3 questions')
    """
    text = text.strip()
    schedule, rest = _quoted(text) or _longest(text)
    prompt = _unquoted(rest.strip())
    if not prompt:
        raise BadSchedule(f"behind `{schedule}` must stand what is to be done then")
    return Appointment(schedule, prompt)


def _quoted(text: str) -> tuple[str, str] | None:
    """A schedule in quotes and what follows it; None where no quotes are."""
    closing = _QUOTES.get(text[:1])
    if closing is None:
        return None
    inside, end, rest = text[1:].partition(closing)
    if not end:
        raise BadSchedule(f"the quote before the schedule is not closed by {closing}")
    parse_schedule(inside)
    return " ".join(inside.split()), rest


def _longest(text: str) -> tuple[str, str]:
    """The longest beginning that is a schedule, and what follows it."""
    words = list(_word(text.partition("\n")[0]))[:_WORDS_MOST]
    for last in reversed(words):
        schedule = " ".join(text[: last.end()].split())
        try:
            parse_schedule(schedule)
        except BadSchedule:
            continue
        rest = text[last.end() :]
        if _time_of_day(rest.lstrip()):
            raise BadSchedule(
                f"`{schedule}` takes no time of the day; for that write five fields of cron, such as `0 9 * * *` for "
                "every day at 9:00"
            )
        return schedule, rest
    parse_schedule(_meant([word[0] for word in words]))
    raise AssertionError("a beginning that is a schedule was found before")


def _meant(words: Sequence[str]) -> str:
    """The words that were probably meant as a schedule, so that what is wrong with them can be told."""
    first = words[0] if words else ""
    if first.lower() == "every":
        return " ".join(words[:2])
    if _cron_like(first) and any(_cron_like(word) for word in words[1:2]):
        return " ".join(words[:_CRON_WORDS])
    return first


def _unquoted(prompt: str) -> str:
    """A prompt without the one pair of quotes around the whole of it."""
    closing, inside = _QUOTES.get(prompt[:1]), prompt[1:-1]
    if closing is None or len(prompt) == 1 or not prompt.endswith(closing) or closing in inside:
        return prompt
    return inside.strip()
