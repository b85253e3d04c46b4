"""Where things lie in SERAI_HOME and in an agent's home (SPEC 2.1, 2.2)."""

import stat
from dataclasses import dataclass
from pathlib import Path

from serai.core.error import Startup
from serai.core.profile import AgentProfile

PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one SERAI_HOME."""

    home: Path

    @property
    def config(self) -> Path:
        return self.home / "config.yaml"

    @property
    def env(self) -> Path:
        return self.home / ".env"

    @property
    def database(self) -> Path:
        return self.home / "state.db"

    @property
    def lock(self) -> Path:
        return self.home / "gateway.lock"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def agents(self) -> Path:
        return self.home / "agents"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def chat_history(self) -> Path:
        """What was typed into `serai chat`."""
        return self.home / "chat_history"

    @property
    def plugins(self) -> Path:
        return self.home / "plugins"

    def account(self, platform: str, name: str) -> Path:
        """What a connection keeps beside the database."""
        return self.home / "platforms" / platform / name

    def agent_home(self, agent: str) -> Path:
        """The home of an agent that names no other."""
        return self.agents / agent


def prepare(layout: Layout) -> None:
    """Makes the directories of a SERAI_HOME and closes them to others (0700). Raises Startup."""
    for path in (layout.home, layout.logs, layout.agents, layout.models, layout.plugins):
        try:
            _make(path)
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(PRIVATE)
        except OSError as error:
            raise Startup(f"the directory {path} cannot be used: {error.strerror}") from error


def prepare_agent(profile: AgentProfile) -> None:
    """Makes an agent's home and its folders (0700). Raises Startup.

    A home that was there before keeps its mode: `home_dir` may name a directory that other programs use too.
    """
    output = profile.cron / "output"
    for path in (profile.home, profile.memories, profile.skills, profile.cron, output, profile.workspace):
        try:
            _make(path)
        except OSError as error:
            raise Startup(f"agent `{profile.id}` cannot use its directory {path}: {error.strerror}") from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE, exist_ok=True)
