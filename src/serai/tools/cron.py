"""The toolset `cron`: what an agent plans to do by itself later (SPEC 7.4, 9).

An agent reaches its own directory, and of the jobs in it those that were made in the chat that it answers (without a
chat, those that were made in none and are no API key's): what others have planned is not to be seen or changed
through it. It says when and what, never with which program, in which folder or to which other chat.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, UnsetType

from serai.core.error import StorageFailed, ToolFailed, UnknownAgent
from serai.core.ids import JobId
from serai.core.job import CHAT_MOST, derived_id, origin_fields
from serai.core.schedule import is_hasty
from serai.ports.job_book import JobBook, JobView
from serai.ports.jobs import BadJob, ForeignJobs, JobExists, JobsDamaged, UnknownJob
from serai.ports.model import ToolSpec
from serai.ports.tool import Tool, ToolContext
from serai.tools.tool import Arguments, bound, checked, parameters

GUIDANCE: Final = (
    "With the cron tools you plan what you will do by yourself later. Such a run knows nothing of this conversation: "
    "its prompt must say everything. You do not know what time it is: plan what is soon by a length of time such as "
    "`30m`, and ask `cron_list` before you name a date."
)

_REFUSALS: Final = (BadJob, ForeignJobs, JobExists, JobsDamaged, StorageFailed, UnknownAgent, UnknownJob)

Schedule = Annotated[
    str,
    Meta(
        description="`30m` (once, from now), `every 2h`, five fields of cron such as `0 9 * * 1-5`, or a time to "
        "come such as `2026-12-24T18:00`; `cron_list` tells what time it is.",
        min_length=1,
    ),
]
Prompt = Annotated[str, Meta(description="What you are to do then.", min_length=1)]
Name = Annotated[str, Meta(description="A short name for people.", max_length=100)]
Timezone = Annotated[str, Meta(description="An IANA name such as Europe/Berlin.")]
Repeat = Annotated[int, Meta(description="How many times it runs; left out: without end.", ge=1)]
Deliver = Annotated[
    Literal["origin", "local"],
    Meta(description="`origin` sends the answers to this chat, `local` only keeps them."),
]
Id = Annotated[str, Meta(description="The job's id, as `cron_list` shows it.")]
Paused = Annotated[bool, Meta(description="true stops it until it is set to false.")]


class Add(Arguments, frozen=True):
    schedule: Schedule
    prompt: Prompt
    name: Name | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    repeat: Repeat | UnsetType = UNSET
    deliver: Deliver | UnsetType = UNSET


class List(Arguments, frozen=True):
    pass


class Change(Arguments, frozen=True):
    id: Id
    schedule: Schedule | UnsetType = UNSET
    prompt: Prompt | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    repeat: Repeat | UnsetType = UNSET
    deliver: Deliver | UnsetType = UNSET
    paused: Paused | UnsetType = UNSET


class Remove(Arguments, frozen=True):
    id: Id


_A = TypeVar("_A", bound=Arguments)


@dataclass(frozen=True, slots=True, eq=False)
class CronTool(Generic[_A]):
    """A tool over the job book. All of them may be repeated: the same call again changes nothing more."""

    spec: ToolSpec
    arguments: type[_A]
    work: Callable[[ToolContext, _A], Awaitable[str]]
    guidance: str = GUIDANCE
    idempotent: bool = True

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        """Does it. Raises ToolFailed; WrongAgent and Unbound for a wrong scope."""
        taken = checked(self.spec.name, self.arguments, arguments)
        bound(self.spec.name, context.profile)
        try:
            return await self.work(context, taken)
        except _REFUSALS as error:
            raise ToolFailed(str(error)) from error


class _Desk:
    """What the tools do. `book` is asked for at each call: jobs are made after the tools."""

    def __init__(self, book: Callable[[], JobBook]) -> None:
        self._book = book

    async def add(self, context: ToolContext, wanted: Add) -> str:
        fields: dict[str, Any] = {"schedule": wanted.schedule, "prompt": wanted.prompt, **_details(context, wanted)}
        if context.origin is not None:
            fields["origin"] = origin_fields(context.origin)
        call = context.session, str(context.turn), context.call_id, wanted.schedule, wanted.prompt
        id, here = derived_id(*call), await self._here(context)
        made = next((one for one in here if one.job.id == id), None)
        if made is None and len(here) >= CHAT_MOST:
            raise ToolFailed(f"there are {len(here)} jobs here already, {CHAT_MOST} are allowed; remove some first")
        view = made or await self._book().add(context.profile.id, fields, context.owner, wanted=id)
        return f"Made: {_line(view)}\n{self._now()}"

    async def list(self, context: ToolContext, _: List) -> str:
        here = await self._here(context)
        jobs = "\n".join(_line(one) for one in here) if here else "There are no jobs here."
        return f"{self._now()}\n{jobs}"

    async def change(self, context: ToolContext, wanted: Change) -> str:
        view = await self._found(context, wanted.id)
        fields = _details(context, wanted)
        fields |= {
            name: value
            for name, value in (("schedule", wanted.schedule), ("prompt", wanted.prompt))
            if value is not UNSET
        }
        if wanted.paused is not UNSET:
            fields["enabled"] = not wanted.paused
        if not fields:
            raise ToolFailed("nothing was said that should change")
        view = await self._book().change(context.profile.id, view.job.id, fields)
        return f"Changed: {_line(view)}\n{self._now()}"

    async def remove(self, context: ToolContext, wanted: Remove) -> str:
        try:
            view = await self._found(context, wanted.id)
            await self._book().remove(context.profile.id, view.job.id)
        except UnknownJob:
            return f"There is no job `{wanted.id}` here any more."
        return f"Removed: {_line(view)}"

    def _now(self) -> str:
        return f"It is {self._book().now()} now."

    async def _here(self, context: ToolContext) -> Sequence[JobView]:
        jobs = await self._book().all([context.profile.id])
        return [one for one in jobs if one.is_of(context.origin, context.owner)]

    async def _found(self, context: ToolContext, id: str) -> JobView:
        """The job of this agent and chat. Raises UnknownJob."""
        view = await self._book().one(context.profile.id, JobId(id))
        if not view.is_of(context.origin, context.owner):
            raise UnknownJob(f"there is no job `{id}` here")
        return view


def _details(context: ToolContext, wanted: Add | Change) -> dict[str, Any]:
    """What may be said or left out. Raises ToolFailed."""
    if context.origin is not None and wanted.schedule is not UNSET and is_hasty(wanted.schedule):
        raise ToolFailed("in a chat nothing is planned more often than once a minute; write `every 1m`")
    if wanted.deliver == "origin" and context.origin is None:
        raise ToolFailed("this conversation is in no chat that could be sent to; use `local`")
    values = {"name": wanted.name, "timezone": wanted.timezone, "repeat": wanted.repeat}
    found: dict[str, Any] = {name: value for name, value in values.items() if value is not UNSET}
    if wanted.deliver is not UNSET:
        found["deliver"] = [wanted.deliver]
    return found


def _line(view: JobView) -> str:
    text = f"`{view.job.id}` “{view.job.label}”: {view.job.schedule}, {view.standing}"
    return f"{text}; {view.trouble}" if view.trouble else text


def cron_tools(book: Callable[[], JobBook]) -> Sequence[Tool]:
    """The toolset, over the jobs that `book` gives when a tool is called."""
    desk = _Desk(book)
    return (
        _tool("cron_add", "Plans something for later, once or again and again.", Add, desk.add),
        _tool(
            "cron_list",
            "Tells what time it is, and what is planned here, with when it is next and what went wrong.",
            List,
            desk.list,
        ),
        _tool(
            "cron_change", "Changes what is said of a planned job; also pauses and resumes it.", Change, desk.change
        ),
        _tool("cron_remove", "Takes a planned job away.", Remove, desk.remove),
    )


def _tool(name: str, description: str, kind: type[_A], work: Callable[[ToolContext, _A], Awaitable[str]]) -> Tool:
    return CronTool(ToolSpec(name, description, parameters(kind)), kind, work)
