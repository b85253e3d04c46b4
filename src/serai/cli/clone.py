"""What a new agent takes from another: persona, skills and memories, nothing else (SPEC 12.1)."""

import shutil
from pathlib import Path

from serai.core.profile import AgentProfile


def clone(source: AgentProfile, target: AgentProfile) -> list[str]:
    """Copies SOUL.md, skills and memories into the target's home; returns the names of what was there to copy.

    Files that the target has already stay as they are. Secrets (`.env`) and links that lead out of the source's home
    are left out.
    """
    pairs = [(source.soul, target.soul), (source.skills, target.skills), (source.memories, target.memories)]
    return [old.name for old, new in pairs if _copied(old, new, source.home)]


def _copied(old: Path, new: Path, home: Path) -> bool:
    if old.is_file():
        _copy_file(str(old), str(new))
        return True
    if not old.is_dir() or not any(old.iterdir()):
        return False

    def left_out(directory: str, names: list[str]) -> list[str]:
        return [name for name in names if name.startswith(".env") or not _inside(Path(directory, name), home)]

    shutil.copytree(old, new, ignore=left_out, copy_function=_copy_file, dirs_exist_ok=True)
    return True


def _inside(path: Path, home: Path) -> bool:
    return path.exists() and path.resolve().is_relative_to(home.resolve())


def _copy_file(old: str, new: str) -> None:
    if not Path(new).exists():
        shutil.copy2(old, new)
