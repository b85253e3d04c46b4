"""Places for runs: one for each job, one for each work directory, and all of them counted (SPEC 9.3)."""

from collections import Counter
from dataclasses import dataclass

from serai.core.ids import AgentId, InputId
from serai.gateway.schedule.entry import Entry, Identity


@dataclass(slots=True, eq=False)
class Place:
    """That of a run. `entry` is its job as the files have it now; None where they have it no more. `manual`: somebody
    asked for the run."""

    run: InputId
    agent: AgentId
    identity: Identity
    workdir: str | None
    manual: bool
    entry: Entry | None = None


class Places:
    """Who runs. A job is known by its identity: its entry may be made anew while its run goes on.

    Runs that somebody asked for are counted by themselves: they begin at once, and keep none from its time.
    """

    def __init__(self) -> None:
        self._held: dict[Identity, Place] = {}
        self._runs: set[InputId] = set()
        self._workdirs: Counter[str] = Counter()
        self._counts: Counter[bool] = Counter()

    def count(self, *, manual: bool) -> int:
        """How many runs have a place: those that somebody asked for, or those of schedules."""
        return self._counts[manual]

    def objection(self, entry: Entry) -> str | None:
        """Why the job cannot run just now; None where it can."""
        if entry.identity in self._held:
            return "this job runs just now"
        if entry.place is not None and self._workdirs[entry.place]:
            return "another job runs in the same work directory just now"
        return None

    def holds(self, run: InputId) -> bool:
        """Whether that run has a place."""
        return run in self._runs

    def take(self, run: InputId, entry: Entry, *, manual: bool = False) -> Place:
        """A place for a run of that job."""
        return self.hold(Place(run, entry.agent, entry.identity, entry.place, manual, entry))

    def hold(self, place: Place) -> Place:
        """That place is taken: of a run that began, or goes on."""
        self._held[place.identity] = place
        self._runs.add(place.run)
        self._counts[place.manual] += 1
        if place.workdir is not None:
            self._workdirs[place.workdir] += 1
        if place.entry is not None:
            place.entry.run = place.run
        return place

    def give_back(self, place: Place) -> None:
        """The run has ended, or did not begin: then the job's place may be another run's by now."""
        if self._held.get(place.identity) is place:
            del self._held[place.identity]
        self._runs.discard(place.run)
        self._counts[place.manual] -= 1
        if place.workdir is not None:
            self._workdirs -= Counter({place.workdir: 1})
        if place.entry is not None and place.entry.run == place.run:
            place.entry.run = None

    def meet(self, entry: Entry) -> None:
        """The job's entry is new: what goes on with the job, goes on with it."""
        place = self._held.get(entry.identity)
        if place is not None and place.entry is not entry:
            place.entry, entry.run = entry, place.run
