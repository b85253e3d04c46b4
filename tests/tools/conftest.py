"""Agents with homes of their own, and tools that are called as a turn calls them."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from serai.core.ids import AgentId, SessionId, TurnId
from serai.core.profile import AgentProfile
from serai.ports.binding import use_profile
from serai.ports.tool import ToolContext
from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox

Agent = Callable[[str], AgentProfile]
Call = Callable[..., Awaitable[str]]


def no_jobs() -> NoReturn:
    raise AssertionError("no job is needed here")


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """Makes an agent by id, with an empty home."""

    def make(name: str) -> AgentProfile:
        home = tmp_path / "agents" / name
        (home / "workspace").mkdir(parents=True, exist_ok=True)
        return AgentProfile(AgentId(name), home, toolsets=frozenset({"files", "memory"}))

    return make


@pytest.fixture
def ops(agent: Agent) -> AgentProfile:
    return agent("ops")


@pytest.fixture
def threads() -> Iterator[AgentThreads]:
    pool = AgentThreads()
    yield pool
    pool.close()


@pytest.fixture
def call(threads: AgentThreads) -> Call:
    """`await call(profile, "file_read", path="a.txt")`, in the scope of that profile."""
    toolbox = BuiltinToolbox(threads, no_jobs)

    async def run(profile: AgentProfile, tool: str, **arguments: object) -> str:
        context = ToolContext(profile, SessionId("s1"), TurnId(1), "call-1")
        with use_profile(profile):
            return await toolbox.tools(profile)[tool].run(context, arguments)

    return run
