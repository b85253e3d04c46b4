"""What is wrong with jobs, as far as a key may know (SPEC 9.1, 11.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from serai.api.job import document as documents
from serai.api.job.access import HIDDEN
from serai.api.job.document import JobProblemDocument
from serai.core.ids import AgentId, JobId
from serai.core.job import JobProblem
from serai.core.principal import Principal
from serai.gateway.schedule.jobs import Jobs


async def problems(jobs: Jobs, principal: Principal, agents: Sequence[AgentId]) -> list[JobProblemDocument]:
    """What is wrong with jobs of these agents. Admins see all; a key what is wrong with its own jobs, and that there
    is something which keeps all of an agent's from running."""
    found = list[JobProblemDocument]()
    for agent in agents:
        wrong = jobs.problems(agent)
        if wrong and not principal.admin:
            wrong = _own(wrong, await jobs.owners(agent), principal.name)
        found += (documents.problem(agent, one) for one in wrong)
    return found


def _own(wrong: Sequence[JobProblem], owners: Mapping[JobId, str], name: str) -> list[JobProblem]:
    ours = [one for one in wrong if one.job is not None and owners.get(JobId(one.job)) == name]
    whole = [replace(one, text=HIDDEN) for one in wrong if one.job is None and one.fatal]
    return [*whole[:1], *ours]
