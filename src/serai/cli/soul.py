"""An agent's persona file: how it starts, and how it is previewed (SPEC 2.2, 12.1)."""

from pathlib import Path

from serai.core.profile import AgentProfile

LINES_MOST = 8
LETTERS_MOST = 200
READ_MOST = 65536

_STARTER = """\
# {agent}

You are {agent}. Answer clearly and briefly. Say so when you do not know something.
"""


def write_starter(profile: AgentProfile) -> None:
    """Gives the agent a first SOUL.md that names it, where it has none yet. Its home exists."""
    if not profile.soul.exists():
        profile.soul.touch(mode=0o600)
        profile.soul.write_text(_STARTER.format(agent=profile.id), encoding="utf-8")


def write_persona(profile: AgentProfile, persona: str) -> bool:
    """Makes a SOUL.md of a few sentences; one that somebody wrote stays. Returns whether it did. Its home exists."""
    text = f"# {profile.id}\n\n{persona.strip()}\n"
    try:
        old = profile.soul.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        old = ""
    if old.strip() and old not in (text, _STARTER.format(agent=profile.id)):
        return False
    profile.soul.touch(mode=0o600)
    profile.soul.write_text(text, encoding="utf-8")
    return True


def preview(path: Path) -> str:
    """The first lines that are neither blank nor headings, at most 200 characters of them."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(READ_MOST)
    except FileNotFoundError:
        return "(no SOUL.md)"
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return "(empty SOUL.md)"
    shown = "\n".join(lines[:LINES_MOST])
    return f"{shown[:LETTERS_MOST]}..." if len(shown) > LETTERS_MOST else shown
