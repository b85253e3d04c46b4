"""Jobs where a gateway runs: it is asked over HTTP (SPEC 11.6)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from serai.cli.cron.book import Job, Problem, Run, Runs
from serai.cli.failure import Failed
from serai.cli.gateway import Gateway, fault

JOBS: Final = "/api/jobs"
_PAGE: Final = "1000"
"""As many as the gateway gives at a time: each page costs it a look at all jobs."""


class RemoteBook:
    """`Book` of a running gateway."""

    runs_jobs = True

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._problems: dict[str | None, Sequence[Problem]] = {}

    def jobs(self, agent: str | None = None) -> Sequence[Job]:
        found = list[Job]()
        before: str | None = None
        while True:
            page = self._asked("GET", JOBS, agent=agent, limit=_PAGE, before=before)
            found += map(_readable, page["data"])
            self._problems[agent] = page.get("problems", ())
            before = page["next"]
            if before is None:
                return found

    def problems(self, agent: str | None = None) -> Sequence[Problem]:
        if agent not in self._problems:
            self.jobs(agent)
        return self._problems[agent]

    def add(self, agent: str, fields: Mapping[str, Any]) -> Job:
        return self._asked("POST", JOBS, {**fields, "agent": agent})

    def change(self, job: Job, fields: Mapping[str, Any]) -> Job:
        return self._asked("PATCH", _path(job), fields, agent=job["agent"])

    def remove(self, agent: str, id: str) -> None:
        self._asked("DELETE", f"{JOBS}/{quote(id, safe='')}", agent=agent)

    def history(self, job: Job, limit: int, before: str | None = None) -> Runs:
        page = self._asked("GET", f"{_path(job)}/runs", agent=job["agent"], limit=str(limit), before=before)
        return Runs(page["data"], page["next"])

    def output(self, job: Job, run: str) -> Run:
        return self._asked("GET", f"{_path(job)}/runs/{quote(run, safe='')}", agent=job["agent"])

    def run(self, job: Job) -> Run:
        return self._asked("POST", f"{_path(job)}/run", agent=job["agent"])

    def adopt(self, agent: str) -> None:
        self._asked("POST", f"{JOBS}/adopt", {"agent": agent})

    def _asked(
        self, method: str, path: str, document: Mapping[str, Any] | None = None, **query: str | None
    ) -> Mapping[str, Any]:
        """The answer. Raises Failed with the gateway's sentence."""
        given = {name: value for name, value in query.items() if value is not None}
        status, answer = self._gateway.ask(method, f"{path}?{urlencode(given)}" if given else path, document)
        if status >= 400 or (status != 204 and not isinstance(answer, dict)):
            raise Failed(fault(status, answer))
        return answer or {}


def _readable(job: Job) -> Job:
    """The job; in UTC where this machine does not know the zone that the gateway's knows."""
    from serai.core.zone import UnknownZone, zone_named

    try:
        zone_named(job["zone"])
    except UnknownZone:
        return {**job, "zone": "UTC"}
    return job


def _path(job: Job) -> str:
    return f"{JOBS}/{quote(job['id'], safe='')}"
