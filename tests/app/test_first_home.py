"""Somebody's first start: two example agents, once, and nothing of theirs is overwritten."""

from pathlib import Path

from serai.app import platforms, toolsets
from serai.app.first_home import begin
from serai.config.layout import Layout
from serai.config.load import load


def test_an_empty_home_gets_two_agents_that_load_without_a_problem(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "home")
    assert begin(layout)
    loaded = load(layout.home, {}, platforms.Schemas(), toolsets.names())
    assert loaded.problems == ()
    assert loaded.snapshot is not None
    assert set(loaded.snapshot.agents) == {"main", "pirate"}
    for profile in loaded.snapshot.agents.values():
        assert "You are" in profile.soul.read_text()


def test_a_configuration_that_is_there_stays(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.config.write_text("agents: {mine: {}}\n")
    assert not begin(layout)
    assert layout.config.read_text() == "agents: {mine: {}}\n"


def test_a_persona_that_is_there_stays(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.agent_home("pirate").mkdir(parents=True)
    (layout.agent_home("pirate") / "SOUL.md").write_text("You are mine.")
    assert begin(layout)
    assert (layout.agent_home("pirate") / "SOUL.md").read_text() == "You are mine."
