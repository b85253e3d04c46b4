"""The text of an agent's skill, for the runs that a job gives it to (SPEC 2.2, 9.2)."""

from pathlib import Path
from typing import Final

from serai.core.job import is_skill_name
from serai.jobs.folder import NotRegular, open_regular

_MOST: Final = 64 * 1024


def read_skill(skills: Path, name: str) -> str | None:
    """The skill's SKILL.md, cut at 64 KB; None where there is none, also where `name` is no plain folder name, or a
    link leads out of the skills."""
    if not is_skill_name(name):
        return None
    try:
        path = (skills / name / "SKILL.md").resolve(strict=True)
        if not path.is_relative_to(skills.resolve()):
            return None
        with open_regular(path) as file:
            return file.read(_MOST).decode(errors="replace")
    except (OSError, NotRegular):
        return None
