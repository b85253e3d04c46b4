"""How the gateway as a whole keeps its schedules (SPEC 9.3, 16.1)."""

from dataclasses import dataclass
from datetime import tzinfo

from serai.core.zone import zone_named


@dataclass(frozen=True, slots=True)
class CronPolicy:
    """`zone_name` (IANA) is the zone of jobs that name none; at most `max_parallel_jobs` jobs run at a time."""

    zone_name: str = "UTC"
    max_parallel_jobs: int = 4

    @property
    def zone(self) -> tzinfo:
        """The zone itself; its data are read only when it is asked for. Raises UnknownZone."""
        return zone_named(self.zone_name)
