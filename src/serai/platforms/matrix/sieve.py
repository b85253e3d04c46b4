"""Taking out of an answer what nio cannot read."""

from typing import Any, Final

import structlog
from nio import Event

_log = structlog.get_logger("matrix")

ODD: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What nio raises over content of a shape that it did not expect."""


def sift(body: dict[str, Any]) -> None:
    """Leaves only such events in a homeserver's answer as nio can read."""
    for name, value in body.items():
        if isinstance(value, dict):
            sift(value)
        elif name in ("events", "chunk") and isinstance(value, list):
            body[name] = [one for one in value if _is_readable(one)]


def _is_readable(event: Any) -> bool:
    try:
        Event.parse_event(event)
    except ODD as error:
        _log.warning("an event could not be read", reason=type(error).__name__)
        return False
    return isinstance(event.get("content"), dict)
