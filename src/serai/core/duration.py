"""Lengths of time as people write them: `30m`, `2 hours`, `1h30m`."""

import re
from typing import Final

_UNITS: Final = (
    (1, ("s", "sec", "secs", "second", "seconds")),
    (60, ("m", "min", "mins", "minute", "minutes")),
    (3600, ("h", "hr", "hrs", "hour", "hours")),
    (86400, ("d", "day", "days")),
    (604800, ("w", "wk", "wks", "week", "weeks")),
)
_SECONDS: Final = {name: seconds for seconds, names in _UNITS for name in names}
_PART: Final = r"\s*([0-9]{1,9})\s*([a-z]+)"
_WHOLE = re.compile(rf"(?:{_PART})+\s*").fullmatch
_PARTS = re.compile(_PART).findall


def parse_duration(text: str) -> int | None:
    """Whole seconds; None where the text is no length of time. A unit alone counts once.

    >>> parse_duration("1h30m"), parse_duration("2 Days"), parse_duration("hour"), parse_duration("soon")
    (5400, 172800, 3600, None)
    """
    low = text.strip().lower()
    if low in _SECONDS:
        return _SECONDS[low]
    if not _WHOLE(low):
        return None
    parts = [(int(count), _SECONDS.get(unit)) for count, unit in _PARTS(low)]
    total = 0
    for count, seconds in parts:
        if seconds is None:
            return None
        total += count * seconds
    return total
