"""A run to come, as a terminal shows it."""

from dataclasses import dataclass

from serai.cli.cron.book import Job
from serai.cli.cron.told import is_bad


@dataclass(frozen=True, slots=True)
class Slot:
    """One run to come. `here` is blank where the machine's clock shows the same as the job's."""

    job: Job
    when: str
    here: str
    until: str
    last: str

    @property
    def zoned(self) -> str:
        """When, with the name of the zone."""
        return f"{self.when} {self.job['zone']}" if self.when else ""

    @property
    def bad(self) -> bool:
        """Whether the last run went wrong."""
        return is_bad(self.job)
