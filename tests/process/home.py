"""A SERAI_HOME as files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_home(path: Path, config: Mapping[str, Any], secrets: Mapping[str, str]) -> Path:
    """Makes the directory with config.yaml (JSON is YAML too) and .env, and returns it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (path / "config.yaml").write_text(json.dumps(config, indent=1))
    write_env(path / ".env", secrets)
    return path


def write_env(path: Path, secrets: Mapping[str, str]) -> None:
    """A `.env` file that only its owner may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
