"""The home of somebody who has none yet: two example agents (`serai up --starter`)."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from serai.config.layout import Layout, prepare
from serai.core.error import Startup


def begin(layout: Layout) -> bool:
    """Writes the example configuration and personas, unless there is a config.yaml already.

    Returns whether it did. A SOUL.md that is there stays. Raises Startup.
    """
    prepare(layout)
    if layout.config.exists():
        return False
    starter = files("serai.app") / "starter"
    try:
        for agent in starter.iterdir():
            if agent.is_dir():
                _persona(layout.agent_home(agent.name), agent / "SOUL.md")
        _write(layout.config, starter / "config.yaml")
    except OSError as error:
        raise Startup(f"the example agents cannot be written to {layout.home}: {error.strerror}") from error
    return True


def _persona(home: Path, example: Traversable) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (home / "SOUL.md").exists():
        _write(home / "SOUL.md", example)


def _write(path: Path, example: Traversable) -> None:
    path.touch(mode=0o600)
    path.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
