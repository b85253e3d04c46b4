"""SERAI_HOME, its directories, and the environment (SPEC 2.1, 2.2)."""

import os
import stat
from pathlib import Path

import pytest

from serai.config import environment
from serai.config.layout import Layout, prepare, prepare_agent
from serai.core.error import Startup
from serai.core.ids import AgentId
from serai.core.profile import AgentProfile


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_environment_is_a_frozen_copy() -> None:
    copy = environment.read()
    assert copy == dict(os.environ)
    with pytest.raises(TypeError):
        copy["SERAI_HOME"] = "/elsewhere"  # type: ignore[index]


@pytest.mark.parametrize(
    ("variables", "home"),
    [
        ({"HOME": "/home/ada"}, "/home/ada/.serai"),
        ({"HOME": "/home/ada", "SERAI_HOME": " "}, "/home/ada/.serai"),
        ({"HOME": "/home/ada", "SERAI_HOME": "~/bots"}, "/home/ada/bots"),
        ({"HOME": "/home/ada", "SERAI_HOME": "~"}, "/home/ada"),
        ({"SERAI_HOME": "/srv/serai"}, "/srv/serai"),
    ],
)
def test_serai_home_is_where_the_variable_says(variables: dict[str, str], home: str) -> None:
    assert environment.serai_home(variables) == Path(home)


def test_a_relative_serai_home_begins_at_the_working_directory() -> None:
    assert environment.serai_home({"SERAI_HOME": "bots"}) == Path.cwd() / "bots"


def test_preparing_makes_private_directories(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "new" / "home")
    prepare(layout)
    for path in (layout.home, layout.logs, layout.agents, layout.models, layout.plugins):
        assert mode(path) == 0o700
    prepare(layout)


def test_preparing_closes_a_home_that_was_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare(Layout(tmp_path))
    assert mode(tmp_path) == 0o700


def test_files_of_a_home_have_their_known_names() -> None:
    layout = Layout(Path("/h"))
    names = [layout.config, layout.env, layout.database, layout.lock, layout.agent_home("ops")]
    assert [str(one) for one in names] == [
        "/h/config.yaml",
        "/h/.env",
        "/h/state.db",
        "/h/gateway.lock",
        "/h/agents/ops",
    ]


def test_an_agents_home_gets_its_folders(tmp_path: Path) -> None:
    profile = AgentProfile(AgentId("ops"), tmp_path / "agents" / "ops")
    prepare_agent(profile)
    for path in (profile.home, profile.memories, profile.skills, profile.cron / "output", profile.workspace):
        assert mode(path) == 0o700


def test_an_existing_home_dir_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare_agent(AgentProfile(AgentId("ops"), tmp_path))
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "workspace") == 0o700


def test_a_file_in_the_way_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    with pytest.raises(Startup, match="logs cannot be used"):
        prepare(Layout(tmp_path))
    (tmp_path / "workspace").write_text("")
    with pytest.raises(Startup, match="`ops` cannot use its directory"):
        prepare_agent(AgentProfile(AgentId("ops"), tmp_path))
