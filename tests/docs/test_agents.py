"""docs/agents.md and docs/webhook.md name what agents and webhooks have: tools, files, limits, fields, codes."""

import re
from typing import NoReturn

import pytest

from serai.agent.loop import MODEL_CALLS_MOST
from serai.agent.prompt import SKILLS_MOST, TEXT_MOST
from serai.models.discovery import DEFAULT
from serai.models.embedded_child import ANSWER_TOKENS
from serai.platforms.webhook.wire import Body, Callback
from serai.tools.memory import CHARACTERS_MOST
from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox
from tests.docs.page import ROOT, prose, quoted, read, rows

AGENTS = read("agents.md")
WEBHOOK = read("webhook.md")
API = read("api.md")


def _no_jobs() -> NoReturn:
    raise AssertionError("no job is needed here")


def test_every_toolset_is_listed_with_its_tools() -> None:
    toolbox = BuiltinToolbox(AgentThreads(), _no_jobs)
    listed = {row.names[0]: set(re.findall(r"`(\w+)`", row.cells[1])) for row in rows(AGENTS, "toolset")}
    assert set(listed) == set(toolbox.names())
    for toolset, tools in listed.items():
        assert tools == {tool.spec.name for tool in toolbox._toolsets[toolset]}


def test_every_port_that_is_asked_for_a_model_is_listed_in_order() -> None:
    assert tuple(int(row.names[0]) for row in rows(AGENTS, "port on 127.0.0.1")) == DEFAULT


@pytest.mark.parametrize(
    "words",
    [
        f"{MODEL_CALLS_MOST} calls of the model",
        f"{SKILLS_MOST} skills at most",
        f"{TEXT_MOST // 1024} KB are used",
        f"`MEMORY.md` grow to {CHARACTERS_MOST['memory']:,} characters",
        f"`USER.md` to {CHARACTERS_MOST['user']:,}",
        f"after {ANSWER_TOKENS} tokens",
    ],
)
def test_a_limit_is_what_the_page_says(words: str) -> None:
    assert words in " ".join(prose(AGENTS).split())


def test_every_field_of_a_webhook_is_explained_and_no_other() -> None:
    told = [name for row in rows(WEBHOOK, "field") for name in row.names]
    assert sorted(told) == sorted([*Body.__struct_fields__, *Callback.__struct_fields__])


def test_every_code_of_a_webhook_is_one_of_the_apis_with_the_same_status() -> None:
    known = {name: row.cells[1] for row in rows(API, "code") for name in row.names}
    told = {(row.cells[1].strip("`"), row.cells[0]) for row in rows(WEBHOOK, "status") if row.cells[1]}
    assert told <= set(known.items())


def test_every_code_that_the_driver_gives_is_told() -> None:
    driver = (ROOT / "src/serai/platforms/webhook/driver.py").read_text(encoding="utf-8")
    assert set(re.findall(r'code="(\w+)"', driver)) <= quoted(WEBHOOK)
