"""System prompts: what stands in them, that they are current, and that an unchanged one costs next to nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from serai.agent.prompt import PERSONA, SKILLS_MOST, TEXT_MOST, PromptSource
from serai.core.ids import AgentId
from serai.core.profile import AgentProfile
from serai.ports.model import ToolSpec
from serai.ports.tool import Tool, ToolContext


@pytest.fixture
def ops(tmp_path: Path) -> AgentProfile:
    profile = AgentProfile(AgentId("ops"), tmp_path / "agents" / "ops")
    for folder in (profile.memories, profile.skills):
        folder.mkdir(parents=True)
    return profile


@dataclass(frozen=True)
class Spade:
    """A tool with a word for the prompt."""

    name: str
    guidance: str = "Dig only where you may."
    idempotent: bool = True

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, "digs", {"type": "object"})

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        return "dug"


class Stopwatch:
    """A monotonic clock that goes when it is told to."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def skill(profile: AgentProfile, folder: str, description: str, name: str | None = None) -> Path:
    path = profile.skills / folder / "SKILL.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"---\nname: {name or folder}\ndescription: {description}\n---\nThe body.\n")
    return path


def aged() -> PromptSource:
    """A source on whose clock everything was written long ago, so that it trusts its looks."""
    return PromptSource(wall=lambda: 2**62)


def test_an_agent_without_a_persona_is_a_helpful_assistant(ops: AgentProfile) -> None:
    assert PromptSource().prompt(ops, {}) == PERSONA == "You are a helpful assistant."


def test_a_home_that_does_not_exist_is_an_empty_one(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert PromptSource().prompt(AgentProfile(AgentId("x"), tmp_path / "nowhere"), {}) == PERSONA
    assert not logs


def test_everything_has_its_place(ops: AgentProfile) -> None:
    ops.soul.write_text("\ufeffYou are Fern, who keeps the garden.\n\n")
    (ops.memories / "MEMORY.md").write_text("- the shed is green\n")
    (ops.memories / "USER.md").write_text("- likes tea\n")
    skill(ops, "prune", "Prunes roses.")
    skill(ops, "mow", "Mows the lawn.")
    tools: dict[str, Tool] = {name: Spade(name) for name in ("dig", "shovel")}
    assert PromptSource().prompt(ops, tools) == (
        "You are Fern, who keeps the garden.\n\n"
        "<memory>\n- the shed is green\n</memory>\n\n"
        "<user>\n- likes tea\n</user>\n\n"
        "<skills>\n- mow: Mows the lawn.\n- prune: Prunes roses.\n</skills>\n\n"
        "Dig only where you may."
    )


def test_nothing_about_the_host_and_nothing_long(ops: AgentProfile) -> None:
    (ops.memories / "MEMORY.md").write_text("\n")
    prompt = PromptSource().prompt(ops, {})
    assert len(prompt.encode()) < 2048
    assert prompt == PERSONA


@pytest.mark.parametrize("place", ["SOUL.md", "memories/MEMORY.md", "memories/USER.md"])
def test_an_edited_file_counts_from_the_next_call(ops: AgentProfile, place: str) -> None:
    """Twenty edits of equal length within one tick of the file system's clock: each one is seen."""
    source = PromptSource()
    for n in range(20):
        (ops.home / place).write_text(f"words {n:02}")
        assert f"words {n:02}" in source.prompt(ops, {})
    (ops.home / place).unlink()
    assert source.prompt(ops, {}) == PERSONA


@pytest.mark.parametrize("place", ["SOUL.md", "memories/MEMORY.md", "memories/USER.md"])
def test_a_file_edited_long_after_it_was_read_counts_from_the_next_call(ops: AgentProfile, place: str) -> None:
    source = aged()
    assert source.prompt(ops, {}) == PERSONA
    (ops.home / place).write_text("first words")
    assert "first words" in source.prompt(ops, {})
    changed = ops.home / "changed"
    changed.write_text("other words")
    changed.replace(ops.home / place)
    assert "other words" in source.prompt(ops, {})


def test_an_unchanged_home_is_not_read_again(ops: AgentProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    ops.soul.write_text("You are Fern.")
    skill(ops, "mow", "Mows the lawn.")
    source = aged()
    first = source.prompt(ops, {})
    looks: list[str] = []
    stat = os.stat

    def counted(path: str) -> os.stat_result:
        looks.append(path)
        return stat(path)

    monkeypatch.setattr(os, "stat", counted)
    monkeypatch.setattr(os, "open", None)
    monkeypatch.setattr(os, "scandir", None)
    assert source.prompt(ops, {}) is first
    assert len(looks) == 3


def test_equal_tools_share_a_prompt_and_others_do_not(ops: AgentProfile) -> None:
    source = aged()
    tools: dict[str, Tool] = {"dig": Spade("dig")}
    with_tools = source.prompt(ops, tools)
    assert source.prompt(ops, dict(tools)) is with_tools
    assert source.prompt(ops, {}) == PERSONA
    assert source.prompt(ops, tools) == with_tools != PERSONA


def test_a_tool_without_a_word_adds_none(ops: AgentProfile) -> None:
    @dataclass(frozen=True)
    class Silent:
        spec: ToolSpec
        idempotent: bool = False

        async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
            return ""

    tools: dict[str, Tool] = {"x": Silent(ToolSpec("x", "", {})), "y": Spade("y", guidance="")}
    assert PromptSource().prompt(ops, tools) == PERSONA


def test_skills_that_come_change_and_go_are_noticed_within_a_second(ops: AgentProfile) -> None:
    clock = Stopwatch()
    source = PromptSource(monotonic=clock, wall=lambda: 2**62)
    assert source.prompt(ops, {}) == PERSONA
    path = skill(ops, "mow", "Mows the lawn.")
    clock.seconds += 1
    assert "- mow: Mows the lawn." in source.prompt(ops, {})
    path.write_text("---\nname: mow\ndescription: Mows the whole lawn.\n---\n")
    clock.seconds += 0.9
    assert "- mow: Mows the lawn." in source.prompt(ops, {})
    clock.seconds += 0.1
    assert "- mow: Mows the whole lawn." in source.prompt(ops, {})
    path.unlink()
    clock.seconds += 1
    assert source.prompt(ops, {}) == PERSONA
    skill(ops, "mow", "Mows again.")
    clock.seconds += 1
    assert "- mow: Mows again." in source.prompt(ops, {})


def test_skills_that_are_malformed_hidden_or_no_folders_are_passed_over(ops: AgentProfile) -> None:
    skill(ops, "good", "Does good.")
    skill(ops, ".git", "Hidden.")
    skill(ops, "twin", "Comes later.", name="good")
    (ops.skills / "bad").mkdir()
    (ops.skills / "bad" / "SKILL.md").write_text("# no front matter")
    (ops.skills / "bare").mkdir()
    (ops.skills / "README.md").write_text("---\nname: x\ndescription: y\n---\n")
    (ops.skills / "latin").mkdir()
    (ops.skills / "latin" / "SKILL.md").write_bytes(b"---\nname: latin\ndescription: caf\xe9\n---\n")
    prompt = PromptSource().prompt(ops, {})
    assert prompt == f"{PERSONA}\n\n<skills>\n- good: Does good.\n- latin: caf\ufffd\n</skills>"


def test_of_very_many_skills_the_first_are_listed(ops: AgentProfile) -> None:
    for n in range(SKILLS_MOST + 3):
        skill(ops, f"s{n:03}", "Helps.")
    lines = PromptSource().prompt(ops, {}).splitlines()
    assert "- s099: Helps." in lines
    assert "- s100: Helps." not in lines
    assert "(3 more are not listed)" in lines


def test_a_skill_with_a_huge_body_costs_its_head_only(ops: AgentProfile) -> None:
    with skill(ops, "big", "Is big.").open("a") as file:
        file.truncate(2**36)
    assert "- big: Is big." in PromptSource().prompt(ops, {})


def test_an_oversized_persona_is_cut_between_characters_and_says_so(ops: AgentProfile) -> None:
    ops.soul.write_text("x" + "ü" * TEXT_MOST)
    prompt = PromptSource().prompt(ops, {})
    text, _, note = prompt.partition("\n\n[")
    assert text == "x" + "ü" * (TEXT_MOST // 2 - 1)
    assert note == "The rest is left out: the text is longer than 64 KB.]"
    ops.soul.write_text("x" * TEXT_MOST)
    assert PromptSource().prompt(ops, {}) == "x" * TEXT_MOST


def test_a_persona_that_is_no_utf8_is_used_with_replacements(ops: AgentProfile) -> None:
    ops.soul.write_bytes(b"You like caf\xe9s.\0")
    assert PromptSource().prompt(ops, {}) == "You like caf\ufffds."


def test_a_linked_persona_follows_its_target(ops: AgentProfile, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"You are {name}.")
    source = PromptSource()
    ops.soul.symlink_to(tmp_path / "one")
    assert source.prompt(ops, {}) == "You are one."
    (tmp_path / "one").write_text("You are uno.")
    assert source.prompt(ops, {}) == "You are uno."
    ops.soul.unlink()
    ops.soul.symlink_to(tmp_path / "two")
    assert source.prompt(ops, {}) == "You are two."


@pytest.mark.parametrize("kind", ["folder", "pipe", "ring"])
def test_a_persona_that_cannot_be_read_is_logged_and_left_out(ops: AgentProfile, kind: str) -> None:
    if kind == "folder":
        ops.soul.mkdir()
    elif kind == "pipe":
        os.mkfifo(ops.soul)
    else:
        ops.soul.symlink_to("SOUL.md")
    source = aged()
    with capture_logs() as logs:
        assert source.prompt(ops, {}) == PERSONA
        assert source.prompt(ops, {}) == PERSONA
    assert [(line["event"], line["agent"]) for line in logs] == [("prompt_file_unreadable", "ops")]


def test_agents_never_get_one_anothers_prompts(tmp_path: Path) -> None:
    source = PromptSource(agents_most=3)
    profiles = [AgentProfile(AgentId(f"a{n}"), tmp_path / f"a{n}") for n in range(10)]
    for profile in profiles:
        profile.home.mkdir()
        profile.soul.write_text(f"You are {profile.id}.")
    for _ in range(3):
        for profile in profiles:
            assert source.prompt(profile, {}) == f"You are {profile.id}."
    assert len(source._entries) == 3


def test_an_agent_that_moved_to_another_home_speaks_from_there(ops: AgentProfile, tmp_path: Path) -> None:
    ops.soul.write_text("You are the old one.")
    source = aged()
    assert source.prompt(ops, {}) == "You are the old one."
    assert source.prompt(AgentProfile(ops.id, tmp_path / "new"), {}) == PERSONA
