"""When a conversation starts afresh (SPEC 3.5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

ResetMode = Literal["none", "idle", "daily", "both"]


@dataclass(frozen=True, slots=True)
class ResetPolicy:
    """`idle_minutes` without a message, or passing `daily_hour` (0 to 23, local time), closes a session."""

    mode: ResetMode = "idle"
    idle_minutes: int = 1440
    daily_hour: int = 4

    def cutoff(self, now: float, zone: tzinfo | None = None) -> float:
        """The instant before which a session's last activity makes it expired.

        Args: `now` in seconds since the epoch; `zone` of the daily hour, the machine's own when None.
        Returns seconds since the epoch; minus infinity when nothing expires.
        """
        cut = float("-inf")
        if self.mode in ("idle", "both"):
            cut = now - self.idle_minutes * 60
        if self.mode in ("daily", "both"):
            cut = max(cut, _last_daily(now, self.daily_hour, zone))
        return cut


def _last_daily(now: float, hour: int, zone: tzinfo | None) -> float:
    local = datetime.fromtimestamp(now, zone)
    boundary = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if boundary > local:
        boundary -= timedelta(days=1)
    return boundary.timestamp()
