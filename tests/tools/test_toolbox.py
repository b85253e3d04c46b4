"""The toolbox: who gets which tools, what they look like to a model, and in whose name they run."""

import asyncio
import errno
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from serai.agent.prompt import PromptSource
from serai.core.error import ToolFailed
from serai.core.ids import AgentId, SessionId, TurnId
from serai.core.profile import AgentProfile
from serai.ports.binding import use_profile
from serai.ports.scope import Unbound, current_profile
from serai.ports.tool import ToolContext
from serai.tools import files, memory
from serai.tools.failure import sentence
from serai.tools.thread import AgentThreads
from serai.tools.tool import Arguments, WrongAgent, blocking_tool
from serai.tools.toolbox import BuiltinToolbox
from tests.patience import PATIENCE_S

from .conftest import Agent, Call, no_jobs

FILES = ["file_read", "file_write", "file_edit", "file_list", "file_search", "delete_file", "send_file"]
MEMORY = ["memory_add", "memory_replace", "memory_remove"]
CRON = ["cron_add", "cron_list", "cron_change", "cron_remove"]


@pytest.fixture
def toolbox(threads: AgentThreads) -> BuiltinToolbox:
    return BuiltinToolbox(threads, no_jobs)


def with_toolsets(*names: str) -> AgentProfile:
    return AgentProfile(AgentId("x"), Path("/nowhere"), toolsets=frozenset(names))


@pytest.mark.parametrize(
    ("toolsets", "tools"),
    [
        ((), []),
        (("files",), FILES),
        (("memory",), MEMORY),
        (("memory", "files"), FILES + MEMORY),
        (("cron",), CRON),
        (("memory", "terminal"), MEMORY),
    ],
)
def test_an_agent_gets_the_tools_of_its_toolsets(
    toolbox: BuiltinToolbox, toolsets: Sequence[str], tools: list[str]
) -> None:
    assert list(toolbox.tools(with_toolsets(*toolsets))) == tools


def test_the_toolsets_are_named(toolbox: BuiltinToolbox) -> None:
    assert list(toolbox.names()) == ["files", "memory", "cron"]


def test_equal_toolsets_share_one_mapping(toolbox: BuiltinToolbox) -> None:
    first = toolbox.tools(with_toolsets("files", "memory"))
    assert toolbox.tools(with_toolsets("memory", "files")) is first
    assert toolbox.tools(with_toolsets("memory")) is not first


def test_only_what_can_be_repeated_says_so(toolbox: BuiltinToolbox) -> None:
    tools = toolbox.tools(with_toolsets("files", "memory", "cron"))
    repeatable = [name for name, tool in tools.items() if tool.idempotent]
    assert repeatable == ["file_read", "file_write", "file_list", "file_search", "send_file", *CRON]


def test_a_model_sees_plain_json_schema(toolbox: BuiltinToolbox) -> None:
    for name, tool in toolbox.tools(with_toolsets("files", "memory", "cron")).items():
        assert tool.spec.name == name
        assert tool.spec.description
        schema = tool.spec.parameters
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert "$ref" not in str(schema)
        assert all("description" in field for field in schema["properties"].values())
    assert toolbox.tools(with_toolsets("memory"))["memory_add"].spec.parameters["required"] == ["target", "text"]


async def test_the_prompt_says_once_what_a_toolset_needs_and_shows_what_was_kept(
    call: Call, ops: AgentProfile, toolbox: BuiltinToolbox
) -> None:
    source, tools = PromptSource(), toolbox.tools(ops)
    assert source.prompt(ops, tools).split("\n\n")[1:] == [files.GUIDANCE, memory.GUIDANCE]
    await call(ops, "memory_add", target="user", text="likes tea")
    assert "<user>\n- likes tea\n</user>" in source.prompt(ops, tools)


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("file_read", {}, "`path`"),
        ("file_read", {"path": 7}, "`path`"),
        ("file_read", {"path": None}, "`path`"),
        ("file_read", {"path": "a", "offset": "many"}, "`offset`"),
        ("file_read", {"path": "a", "offset": -1}, "`offset`"),
        ("file_read", {"path": "a", "offset": 1e300}, "`offset`"),
        ("file_read", {"path": "a", "file": "b"}, "`file`"),
        ("file_write", {"path": "a"}, "`text`"),
        ("memory_add", {"target": "diary", "text": "x"}, "`target`"),
        ("memory_add", {"target": "user", "text": ["x"]}, "`text`"),
    ],
)
async def test_wrong_arguments_name_the_field(
    call: Call, ops: AgentProfile, tool: str, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(ToolFailed, match=f"wrong arguments for `{tool}`: .*{field}"):
        await call(ops, tool, **arguments)


async def test_numbers_in_quotes_and_nulls_for_what_is_left_out_are_understood(call: Call, ops: AgentProfile) -> None:
    (ops.workspace / "a.txt").write_text("0123456789")
    assert await call(ops, "file_read", path="a.txt", offset="4", limit=None) == "456789"


class Where(Arguments, frozen=True):
    path: str


async def test_tools_of_two_agents_at_once_each_see_their_own_home(agent: Agent, threads: AgentThreads) -> None:
    """Two hundred interleaved calls; every one meets one of the other agent inside its thread."""
    meeting = threading.Barrier(2)

    def work(profile: AgentProfile, wanted: Where) -> str:
        assert current_profile() is profile
        meeting.wait(PATIENCE_S)
        (current_profile().workspace / wanted.path).write_text(profile.id)
        meeting.wait(PATIENCE_S)
        return str(current_profile().home)

    tool = blocking_tool("where", "Says where it is.", Where, work, threads)
    profiles = agent("a"), agent("b")

    async def one(profile: AgentProfile, n: int) -> None:
        with use_profile(profile):
            await asyncio.sleep(0)
            context = ToolContext(profile, SessionId(f"s{n}"), TurnId(n), "c")
            assert await tool.run(context, {"path": str(n)}) == str(profile.home)
            assert current_profile() is profile

    for n in range(100):
        await asyncio.gather(*(one(profile, n) for profile in profiles))
    for profile in profiles:
        written = {path.read_text() for path in profile.workspace.iterdir()}
        assert written == {profile.id}
        assert len(list(profile.workspace.iterdir())) == 100


async def test_two_hundred_tasks_at_once_never_touch_another_home(call: Call, agent: Agent) -> None:
    profiles = [agent(f"a{n}") for n in range(20)]

    async def one(profile: AgentProfile, n: int) -> None:
        await call(profile, "file_write", path=f"{n}.txt", text=profile.id)
        assert await call(profile, "file_read", path=f"{n}.txt") == profile.id
        await call(profile, "memory_add", target="memory", text=f"{profile.id} {n}")

    await asyncio.gather(*(one(profiles[n % 20], n) for n in range(200)))
    for k, profile in enumerate(profiles):
        assert sorted(int(path.stem) for path in profile.workspace.iterdir()) == list(range(k, 200, 20))
        kept = (profile.memories / "MEMORY.md").read_text().splitlines()
        assert sorted(kept) == sorted(f"- {profile.id} {n}" for n in range(k, 200, 20))


async def test_a_tool_called_in_another_agents_scope_does_nothing(agent: Agent, toolbox: BuiltinToolbox) -> None:
    mine, other = agent("mine"), agent("other")
    context = ToolContext(mine, SessionId("s"), TurnId(1), "c")
    tool = toolbox.tools(mine)["file_write"]
    with use_profile(other), pytest.raises(WrongAgent, match="`mine` in the scope of `other`"):
        await tool.run(context, {"path": "a.txt", "text": "x"})
    assert not list(mine.workspace.iterdir())
    assert not list(other.workspace.iterdir())


async def test_a_tool_called_in_nobodys_scope_does_nothing(ops: AgentProfile, toolbox: BuiltinToolbox) -> None:
    context = ToolContext(ops, SessionId("s"), TurnId(1), "c")
    with pytest.raises(Unbound):
        await toolbox.tools(ops)["file_write"].run(context, {"path": "a.txt", "text": "x"})
    assert not list(ops.workspace.iterdir())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "`a.txt` was not written: the disk is full"),
        (errno.EDQUOT, "`a.txt` was not written: the disk quota is used up"),
        (errno.EROFS, "`a.txt` was not written: the file system is read-only"),
        (errno.EACCES, "`a.txt` cannot be used: permission denied"),
        (errno.EIO, "`a.txt` cannot be used: Input/output error"),
        (None, "`a.txt` cannot be used: input or output failed"),
    ],
)
def test_what_the_system_refuses_becomes_a_sentence_without_a_path(number: int | None, text: str) -> None:
    error = OSError("odd") if number is None else OSError(number, "x", "/host/agents/ops/workspace/a.txt")
    assert sentence(error, "a.txt") == text
