"""How the gateway as a whole keeps its schedules (SPEC 9.3, 16.1)."""

from dataclasses import dataclass
from datetime import tzinfo


@dataclass(frozen=True, slots=True)
class CronPolicy:
    """`zone_name` (IANA) is the zone of jobs that name none; at most `max_parallel_jobs` jobs run at a time."""

    zone_name: str = "UTC"
    max_parallel_jobs: int = 4

    @property
    def zone(self) -> tzinfo:
        """The zone itself. The data are read here, so that a gateway without schedules never does."""
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.zone_name)
