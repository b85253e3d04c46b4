"""What is asked of jobs: the bodies and parameters of /api/jobs (SPEC 9.2, 11.6)."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from serai.api.page import DEFAULT, Limit, Next
from serai.core.source import ChatType
from serai.gateway.schedule.view import JobState

Line = Annotated[str, Meta(min_length=1, max_length=200)]
PathText = Annotated[str, Meta(min_length=1, max_length=1000)]
Lines = Annotated[list[Line], Meta(max_length=100)]
Target = Annotated[str, Meta(min_length=1, max_length=1000)]
Agent = Annotated[str, Meta(min_length=1, max_length=64)]
AgentParameter = Annotated[str, Meta(max_length=64, description="Whose job it is, where two have one of that id.")]
Id = Annotated[str, Meta(min_length=1, max_length=400)] | int
JobIds = Annotated[list[Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]], Meta(max_length=100)]

MOST_SLOTS: Final = 100


class OriginBody(Struct, forbid_unknown_fields=True):
    """The chat that a job was made in. The digits of a number count as text."""

    platform: Line
    chat_id: Id
    account: Line | None = None
    thread_id: Id | None = None
    chat_type: ChatType | None = None
    user_id: Id | None = None
    agent_id: Agent | None = None


class JobFields(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a job, as its file has them. What is null is taken away, what is not there stays."""

    name: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    timezone: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    enabled: bool | UnsetType | None = UNSET
    repeat: Annotated[int, Meta(ge=1, le=1_000_000_000)] | UnsetType | None = UNSET
    prompt: Annotated[str, Meta(max_length=100_000)] | UnsetType | None = UNSET
    skills: Lines | UnsetType | None = UNSET
    model: Line | UnsetType | None = UNSET
    script: PathText | UnsetType | None = UNSET
    no_agent: bool | UnsetType | None = UNSET
    context_from: JobIds | UnsetType | None = UNSET
    enabled_toolsets: Lines | UnsetType | None = UNSET
    workdir: PathText | UnsetType | None = UNSET
    deliver: Target | Annotated[list[Target], Meta(min_length=1, max_length=100)] | UnsetType | None = UNSET
    origin: OriginBody | UnsetType | None = UNSET
    silent_ok: bool | UnsetType | None = UNSET

    def fields(self) -> dict[str, Any]:
        """Those that are given, by their names."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if name != "agent"}


class JobPatch(JobFields, kw_only=True, forbid_unknown_fields=True):
    """What is changed of a job. What is null is taken away, what is not there stays."""

    schedule: Line | UnsetType = UNSET


class NewJob(JobFields, kw_only=True, forbid_unknown_fields=True):
    """A new job; without `agent` it is the default agent's."""

    schedule: Line
    agent: Agent | None = None


class AdoptBody(Struct, forbid_unknown_fields=True):
    """Whose directory this gateway is to schedule from now on."""

    agent: Agent


class PreviewBody(Struct, forbid_unknown_fields=True):
    """A schedule, as if a job had it from now on. `timezone` is an IANA name, else the gateway's."""

    schedule: Line
    timezone: Annotated[str, Meta(max_length=100)] | None = None
    count: Annotated[int, Meta(ge=1, le=MOST_SLOTS)] = 5


class JobsQuery(Struct, forbid_unknown_fields=True):
    """Which jobs are listed."""

    agent: Annotated[str, Meta(max_length=64)] | None = None
    state: JobState | None = None
    limit: Limit = DEFAULT
    before: Next | None = None


class JobQuery(Struct, forbid_unknown_fields=True):
    """Which of the jobs with that id is meant."""

    agent: AgentParameter | None = None


class RunsQuery(Struct, forbid_unknown_fields=True):
    """Which of a job's slots are listed."""

    agent: AgentParameter | None = None
    limit: Limit = DEFAULT
    before: Next | None = None
