"""Times for people. They go in as seconds since the epoch, or as a number of seconds."""

from datetime import datetime

UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def local_time(at: float) -> str:
    """`2026-11-22 11:05:09` in this machine's zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def lasting(seconds: float, units: int = 2) -> str:
    """A duration by its largest units: `3 d 4 h`, `12 min 3 s`, `0 s`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in UNITS:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:units])


def coming(seconds: float, units: int = 2) -> str:
    """As `lasting`, rounded to the last unit that is shown: what is due in 2 h is no `1 h 59 min` a second later."""
    sizes = [size for _, size in UNITS]
    first = next((n for n, size in enumerate(sizes) if seconds >= size), len(sizes) - 1)
    last = sizes[min(first + units, len(sizes)) - 1]
    return lasting(round(seconds / last) * last, units)


def ago(at: float, now: float) -> str:
    """`3 h ago`."""
    return f"{lasting(now - at, units=1)} ago"
