"""Time zones by their IANA names (SPEC 9.2, 16.1)."""

from datetime import tzinfo
from typing import Final

from serai.core.error import SeraiError

_NOT_NAMES: Final = ("posix/", "right/", "posixrules", "localtime", "Factory")
"""Files beside the zones: the same ones with other names, or with leap seconds, or none at all."""


class UnknownZone(SeraiError):
    """No time zone has that name."""


def zone_named(name: str) -> tzinfo:
    """The zone. Raises UnknownZone."""
    from zoneinfo import ZoneInfo  # here, because a gateway without schedules need not load it

    try:
        if not name.startswith(_NOT_NAMES):
            return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        pass  # no such file, no name at all, or a directory such as `Europe`
    raise UnknownZone("there is no such time zone; write an IANA name such as Europe/Berlin")


def zone_names() -> frozenset[str]:
    """All names, for hints. Slow: directories are read."""
    from zoneinfo import available_timezones

    return frozenset(name for name in available_timezones() if not name.startswith(_NOT_NAMES))
