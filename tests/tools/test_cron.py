"""The toolset `cron`: an agent plans for itself, in its own directory and for the chat that it answers (SPEC 7.4)."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from serai.core.delivery import Target
from serai.core.error import ToolFailed
from serai.core.ids import AgentId, JobId, SessionId, TurnId
from serai.core.job import CHAT_MOST, Job
from serai.core.profile import AgentProfile
from serai.ports.binding import use_profile
from serai.ports.job_book import JobState, JobView
from serai.ports.jobs import ForeignJobs, UnknownJob
from serai.ports.tool import ToolContext
from serai.tools.cron import cron_tools
from serai.tools.tool import WrongAgent

from .conftest import Agent

HERE = Target("fake", "room", chat_type="group", user_id="42", thread_id="7", agent_id=AgentId("ops"))
ELSEWHERE = Target("fake", "desk")


NOW = "It is Thu 2026-12-24 10:00 (UTC) now."


class Book:
    """Jobs in memory, of API keys where `owners` says so. `fault` is what every change meets."""

    def __init__(self) -> None:
        self.jobs: dict[AgentId, dict[JobId, Mapping[str, Any]]] = {}
        self.owners: dict[JobId, str] = {}
        self.fault: Exception | None = None

    def view(self, agent: AgentId, id: JobId) -> JobView:
        fields = self.jobs[agent][id]
        origin = Target(**fields["origin"]) if "origin" in fields else None
        job = Job(id, fields["schedule"], fields["prompt"], fields.get("name", ""), origin=origin)
        state: JobState = "scheduled" if fields.get("enabled", True) else "paused"
        return JobView(agent, job, "UTC", state, 1798131600, owner=self.owners.get(id, ""))

    def now(self) -> str:
        return "Thu 2026-12-24 10:00 (UTC)"

    async def all(self, agents: Collection[AgentId] | None = None) -> Sequence[JobView]:
        return [self.view(agent, id) for agent in agents or () for id in self.jobs.get(agent, {})]

    async def one(self, agent: AgentId, job: JobId) -> JobView:
        if job not in self.jobs.get(agent, {}):
            raise UnknownJob(f"the agent `{agent}` has no job `{job}`")
        return self.view(agent, job)

    async def add(
        self, agent: AgentId, fields: Mapping[str, Any], owner: str = "", *, wanted: JobId | None = None
    ) -> JobView:
        if self.fault is not None:
            raise self.fault
        assert wanted is not None
        self.jobs.setdefault(agent, {})[wanted] = fields
        self.owners[wanted] = owner
        return self.view(agent, wanted)

    async def change(self, agent: AgentId, job: JobId, fields: Mapping[str, Any]) -> JobView:
        self.jobs[agent][job] = {**self.jobs[agent][job], **fields}
        return self.view(agent, job)

    async def remove(self, agent: AgentId, job: JobId) -> None:
        del self.jobs[agent][job]


Use = Callable[..., Awaitable[str]]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def use(book: Book, ops: AgentProfile) -> Use:
    """`await use("cron_add", schedule="30m", prompt="x")`, in a turn of `ops` that answers a chat."""
    tools = {tool.spec.name: tool for tool in cron_tools(lambda: book)}

    async def use_it(
        tool: str,
        /,
        *,
        profile: AgentProfile = ops,
        chat: Target | None = HERE,
        turn: int = 1,
        call: str = "c1",
        key: str = "",
        **arguments: object,
    ) -> str:
        context = ToolContext(profile, SessionId("ses_1"), TurnId(turn), call, chat, key)
        with use_profile(profile):
            return await tools[tool].run(context, arguments)

    return use_it


def ids(book: Book, agent: str = "ops") -> list[JobId]:
    return list(book.jobs.get(AgentId(agent), {}))


async def test_what_is_planned_belongs_to_the_agent_and_comes_back_to_the_chat(use: Use, book: Book) -> None:
    told = await use("cron_add", schedule="every 2h", prompt="look around", name="watch", repeat="3", timezone=None)
    [id] = ids(book)
    assert book.jobs[AgentId("ops")][id] == {
        "schedule": "every 2h",
        "prompt": "look around",
        "name": "watch",
        "repeat": 3,
        "origin": {
            "platform": "fake",
            "account": "default",
            "chat_id": "room",
            "thread_id": "7",
            "chat_type": "group",
            "user_id": "42",
        },
    }
    assert told == f"Made: `{id}` “watch”: every 2h, next Thu 2026-12-24 17:00 (UTC)\n{NOW}"


async def test_a_call_that_is_repeated_after_a_crash_makes_one_job(use: Use, book: Book) -> None:
    for _ in range(2):
        await use("cron_add", schedule="30m", prompt="look around")
    assert len(ids(book)) == 1
    await use("cron_add", schedule="30m", prompt="look around", turn=2)
    await use("cron_add", schedule="30m", prompt="look around", call="c2")
    await use("cron_add", schedule="30m", prompt="something else")  # a model that gives each call the same id
    assert len(ids(book)) == 4


async def test_other_targets_programs_and_folders_are_out_of_reach(use: Use) -> None:
    for more in (
        {"deliver": "all"},
        {"deliver": "fake:desk"},
        {"script": "a.sh"},
        {"no_agent": True},
        {"workdir": "/"},
        {"origin": {"platform": "fake", "chat_id": "desk"}},
        {"enabled_toolsets": ["cron"]},
        {"agent": "main"},
    ):
        with pytest.raises(ToolFailed, match="wrong arguments"):
            await use("cron_add", schedule="30m", prompt="x", **more)


async def test_without_a_chat_answers_can_only_be_kept(use: Use, book: Book) -> None:
    with pytest.raises(ToolFailed, match="use `local`"):
        await use("cron_add", chat=None, schedule="30m", prompt="x", deliver="origin")
    await use("cron_add", chat=None, schedule="30m", prompt="x", deliver="local")
    [fields] = book.jobs[AgentId("ops")].values()
    assert fields == {"schedule": "30m", "prompt": "x", "deliver": ["local"]}


async def test_a_job_is_changed_paused_resumed_and_removed(use: Use, book: Book) -> None:
    await use("cron_add", schedule="30m", prompt="x")
    [id] = ids(book)
    changed = await use("cron_change", id=id, prompt="y", paused=True)
    assert changed == f"Changed: `{id}` “y”: 30m, paused\n{NOW}"
    assert "“y”: 30m, paused" in await use("cron_list")
    assert "next" in await use("cron_change", id=id, paused=False, schedule="every 1h")
    with pytest.raises(ToolFailed, match="nothing was said"):
        await use("cron_change", id=id)
    assert (await use("cron_remove", id=id)).startswith("Removed")
    assert "any more" in await use("cron_remove", id=id)
    assert await use("cron_list") == f"{NOW}\nThere are no jobs here."


async def test_jobs_of_other_chats_and_agents_are_neither_seen_nor_changed(
    use: Use, book: Book, agent: Agent
) -> None:
    await use("cron_add", schedule="30m", prompt="x")
    await use("cron_add", chat=None, schedule="30m", prompt="y")
    [here, nowhere] = ids(book)
    for changes in ({"chat": ELSEWHERE}, {"profile": agent("other")}, {"chat": replace(HERE, thread_id=None)}):
        assert await use("cron_list", **changes) == f"{NOW}\nThere are no jobs here."
        with pytest.raises(ToolFailed, match="no job"):
            await use("cron_change", id=here, paused=True, **changes)
        await use("cron_remove", id=here, **changes)
    with pytest.raises(ToolFailed, match="no job"):
        await use("cron_change", id=nowhere, paused=True)
    assert ids(book) == [here, nowhere]


async def test_a_job_of_an_api_key_is_not_there_for_others_who_talk_with_the_agent(use: Use, book: Book) -> None:
    await use("cron_add", chat=None, schedule="30m", prompt="x")
    [id] = ids(book)
    book.owners[id] = "a key"
    assert await use("cron_list", chat=None) == f"{NOW}\nThere are no jobs here."
    with pytest.raises(ToolFailed, match="no job"):
        await use("cron_change", chat=None, id=id, prompt="y")
    await use("cron_remove", chat=None, id=id)
    assert ids(book) == [id]


async def test_there_is_a_bound(use: Use, book: Book) -> None:
    for n in range(CHAT_MOST):
        await use("cron_add", schedule="30m", prompt="x", turn=n)
    with pytest.raises(ToolFailed, match=f"{CHAT_MOST} are allowed; remove some first"):
        await use("cron_add", schedule="30m", prompt="x", turn=CHAT_MOST)
    assert "Made" in await use("cron_add", schedule="30m", prompt="x", turn=3)  # repeated, not one more


async def test_what_keeps_jobs_from_being_made_is_told_to_the_model(use: Use, book: Book) -> None:
    book.fault = ForeignJobs("another gateway schedules this directory")
    with pytest.raises(ToolFailed, match="another gateway"):
        await use("cron_add", schedule="30m", prompt="x")


async def test_in_another_agents_scope_nothing_is_planned(book: Book, agent: Agent) -> None:
    mine, other = agent("mine"), agent("other")
    [add, *_] = cron_tools(lambda: book)
    with use_profile(other), pytest.raises(WrongAgent):
        await add.run(ToolContext(mine, SessionId("s"), TurnId(1), "c"), {"schedule": "30m", "prompt": "x"})
    assert book.jobs == {}


async def test_what_is_planned_for_an_api_key_is_that_keys(use: Use, book: Book) -> None:
    await use("cron_add", chat=None, key="app", schedule="30m", prompt="x")
    [id] = ids(book)
    assert id in await use("cron_list", chat=None, key="app")
    assert await use("cron_list", chat=None, key="other") == await use("cron_list", chat=None)
    assert id not in await use("cron_list", chat=None, key="other")
    with pytest.raises(ToolFailed):
        await use("cron_change", chat=None, key="other", id=id, paused=True)
    await use("cron_remove", chat=None, key="other", id=id)
    assert ids(book) == [id]
