"""What a script expects against what came: a readable difference."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import ndiff

from tests.conversations.play import Play
from tests.conversations.script import Answer

_NEAR = 0.05
"""Seconds by which an answer may come earlier or later than written."""


def difference(play: Play) -> str:
    """Empty where everything came true; else the lines that are missing (-) and those that came instead (+)."""
    expected, found = _answers(play)
    for name, value in play.script.checks:
        if name == "never stored":
            expected.append(f"never stored: {value}")
            found.append(f"{'stored' if play.stores(value) else 'never stored'}: {value}")
            continue
        got = play.finding(name)
        expected.append(f"{name}: {value}")
        found.append(f"{name}: {value if _is_like(got, value) else got}")
    if expected == found:
        return ""
    return "\n".join(ndiff(expected, found))


def _answers(play: Play) -> tuple[list[str], list[str]]:
    """The lines of each chat, in order; an answer that is as expected reads as it was expected."""
    wanted, came = _by_chat(play.script.answers), _by_chat(play.answers())
    expected, found = [], []
    for chat in sorted({*wanted, *came}):
        expected += [_line(answer) for answer in wanted[chat]]
        found += _found(wanted[chat], came[chat], timed=play.driver.timed)
    return expected, found


def _by_chat(answers: Sequence[Answer]) -> defaultdict[str, list[Answer]]:
    chats: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        aside = answer.who in ("refused", "serai")  # not sent to a chat
        chats[f"{answer.chat} {answer.who}" if aside else answer.chat].append(answer)
    return chats


def _found(wanted: Sequence[Answer], came: Sequence[Answer], *, timed: bool) -> Iterator[str]:
    for n, answer in enumerate(came):
        as_expected = n < len(wanted) and _agrees(answer, wanted[n], timed=timed)
        yield _line(wanted[n] if as_expected else answer)


def _agrees(came: Answer, wanted: Answer, *, timed: bool) -> bool:
    if timed and wanted.time is not None and (came.time is None or abs(came.time - wanted.time) > _NEAR):
        return False
    if wanted.ids is not None and came.ids != wanted.ids:
        return False
    return came.who == wanted.who and _is_like(_one_line(came.text), wanted.text)


def _is_like(text: str, pattern: str) -> bool:
    """Whether a text is as written, `…` standing for anything."""
    parts = (re.escape(part) for part in pattern.split("…"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def _line(answer: Answer) -> str:
    time = "*" if answer.time is None else f"{answer.time:.1f}"
    ids = f" [{' '.join(answer.ids)}]" if answer.ids else ""
    return f"{time:<7} {answer.who} > {answer.chat}: {_one_line(answer.text)}{ids}"


def _one_line(text: str) -> str:
    return text.replace("\n", " / ")
