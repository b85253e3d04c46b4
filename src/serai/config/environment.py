"""The process environment, read once (SPEC 2.5). The only module that looks at os.environ; nothing writes it."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType


def read() -> Mapping[str, str]:
    """A frozen copy of the environment as it is now."""
    return MappingProxyType(dict(os.environ))


def serai_home(environment: Mapping[str, str]) -> Path:
    """SERAI_HOME as an absolute path, `~/.serai` where it is unset or blank (SPEC 2.1)."""
    return expanded(environment.get("SERAI_HOME", "").strip() or "~/.serai", environment, Path.cwd())


def expanded(text: str, environment: Mapping[str, str], start: Path) -> Path:
    """`text` as an absolute path: a leading `~` is the HOME of `environment`, a relative path begins at `start`.

    Raises RuntimeError where a home directory cannot be found.
    """
    home = environment.get("HOME")
    if home and (text == "~" or text.startswith("~/")):
        return start / home / text[2:]
    return start / Path(text).expanduser()
