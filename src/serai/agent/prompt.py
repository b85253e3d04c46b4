"""An agent's system prompt: persona, memory, skills, what its tools need; nothing about the host (SPEC 7.3).

Every session asks for it, so an unchanged one costs three looks at the file system and no reading. A prompt is kept
as long as those looks show the same persona and memory. Skills are looked at once a second.
"""

import codecs
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import structlog

from serai.agent.skill import Skill, parse_skill
from serai.core.ids import AgentId
from serai.core.profile import AgentProfile
from serai.ports.tool import Tool

PERSONA: Final = "You are a helpful assistant."
"""Speaks for an agent without a SOUL.md."""

TEXT_MOST: Final = 64 * 1024
"""Bytes of a persona or memory file that are used."""

SKILLS_MOST: Final = 100
"""Skills that are listed; the number of the others is told."""

_SKILL_HEAD: Final = 8 * 1024
_SKILL_CHECK_S: Final = 1.0
_CLOCK_GRAIN_NS: Final = 50_000_000
"""Two changes of a file so close to one another may carry the same times."""

_Stamp = tuple[int, int, int, int]
_log = structlog.get_logger()


@runtime_checkable
class Guided(Protocol):
    """A tool that needs a word in the prompt. Tools of one toolset give the same word; it is said once."""

    @property
    def guidance(self) -> str: ...


@dataclass(slots=True, eq=False)
class _Watch:
    """Files and what they looked like. `settled` is False where a change may have gone unseen (equal times)."""

    files: tuple[str, ...]
    stamps: list[_Stamp | None]
    settled: bool

    @classmethod
    def of(cls, files: tuple[str, ...], now: int) -> "_Watch":
        """Looks at the files. Times in nanoseconds since the epoch."""
        stamps = [_stamp(path) for path in files]
        return cls(files, stamps, all(stamp is None or abs(now - stamp[0]) > _CLOCK_GRAIN_NS for stamp in stamps))

    def same(self) -> bool:
        return self.settled and self.stamps == [_stamp(path) for path in self.files]


@dataclass(slots=True, eq=False)
class _Entry:
    """A prompt and what it was made from. `skills` watches their folder and files, `skills_due` is the next look."""

    home: Path
    tools: Mapping[str, Tool]
    texts: _Watch
    skills: _Watch
    skills_due: float
    text: str


class PromptSource:
    """Makes prompts, one agent's never from another's files. Keeps those of `agents_most` agents.

    `monotonic` gives seconds, `wall` nanoseconds since the epoch, as the file system counts them.
    """

    def __init__(
        self,
        agents_most: int = 4096,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._most = agents_most
        self._monotonic = monotonic
        self._wall = wall
        self._entries: dict[AgentId, _Entry] = {}

    def prompt(self, profile: AgentProfile, tools: Mapping[str, Tool]) -> str:
        """The prompt for a session that starts now. `tools` must not be changed afterwards.

        Never raises for what is in the home: a file that cannot be read is logged and left out.
        """
        entry = self._entries.get(profile.id)
        if entry is None or not self._holds(entry, profile, tools):
            entry = self._made(profile, tools)
            self._keep(profile.id, entry)
        return entry.text

    def _holds(self, entry: _Entry, profile: AgentProfile, tools: Mapping[str, Tool]) -> bool:
        return (
            (entry.home is profile.home or entry.home == profile.home)
            and (entry.tools is tools or entry.tools == tools)
            and entry.texts.same()
            and self._skills_hold(entry)
        )

    def _skills_hold(self, entry: _Entry) -> bool:
        now = self._monotonic()
        if now < entry.skills_due:
            return True
        entry.skills_due = now + _SKILL_CHECK_S
        return entry.skills.same()

    def _keep(self, agent: AgentId, entry: _Entry) -> None:
        self._entries.pop(agent, None)
        if len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[agent] = entry

    def _made(self, profile: AgentProfile, tools: Mapping[str, Tool]) -> _Entry:
        """Looks first and reads then: what changes in between shows at the next look."""
        now = self._wall()
        memories = profile.memories
        texts = _Watch.of((str(profile.soul), str(memories / "MEMORY.md"), str(memories / "USER.md")), now)
        folder = str(profile.skills)
        files = _skill_files(folder)
        skills = _Watch.of((folder, *files[:SKILLS_MOST]), now)
        unlisted = len(files[SKILLS_MOST:])
        text = "\n\n".join(_parts(profile.id, texts.files, skills.files[1:], unlisted, tools))
        return _Entry(profile.home, tools, texts, skills, self._monotonic() + _SKILL_CHECK_S, text)


def _parts(
    agent: AgentId, texts: Iterable[str], skill_files: Iterable[str], unlisted: int, tools: Mapping[str, Tool]
) -> Iterator[str]:
    soul, memory, user = (_text(agent, path) for path in texts)
    yield soul or PERSONA
    if memory:
        yield f"<memory>\n{memory}\n</memory>"
    if user:
        yield f"<user>\n{user}\n</user>"
    if skills := _listed(_skills(agent, skill_files), unlisted):
        yield f"<skills>\n{skills}\n</skills>"
    yield from dict.fromkeys(tool.guidance for tool in tools.values() if isinstance(tool, Guided) and tool.guidance)


def _listed(skills: Mapping[str, Skill], unlisted: int) -> str:
    lines = [f"- {skill.name}: {skill.description}" for skill in skills.values()]
    if unlisted:
        lines.append(f"({unlisted} more are not listed)")
    return "\n".join(lines)


def _skills(agent: AgentId, paths: Iterable[str]) -> Mapping[str, Skill]:
    """By name; of two with one name the first folder counts, malformed ones are passed over."""
    found: dict[str, Skill] = {}
    for path in paths:
        skill = parse_skill(_decoded(_read(agent, path, _SKILL_HEAD)))
        if skill is not None:
            found.setdefault(skill.name, skill)
    return found


def _skill_files(folder: str) -> list[str]:
    """Where the skills' files are, or would be: one for each folder."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_dir())
    except OSError:
        return []
    return [f"{folder}/{name}/SKILL.md" for name in names]


def _text(agent: AgentId, path: str) -> str:
    data = _read(agent, path, TEXT_MOST + 1)
    if len(data) <= TEXT_MOST:
        return _decoded(data)
    return f"{_decoded(data[:TEXT_MOST])}\n\n[The rest is left out: the text is longer than {TEXT_MOST // 1024} KB.]"


def _decoded(data: bytes) -> str:
    """UTF-8, what is not shown as U+FFFD, a character cut at the end dropped."""
    text = codecs.getincrementaldecoder("utf-8-sig")("replace").decode(data)
    return text.replace("\0", "").strip()


def _read(agent: AgentId, path: str, most: int) -> bytes:
    """The first `most` bytes of a regular file; none where there is no such file, or it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        return _unreadable(agent, path, error.strerror)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return _unreadable(agent, path, "not a regular file")
        return os.read(descriptor, most)
    except OSError as error:
        return _unreadable(agent, path, error.strerror)
    finally:
        os.close(descriptor)


def _unreadable(agent: AgentId, path: str, reason: str | None) -> bytes:
    _log.warning("prompt_file_unreadable", agent=agent, file=path, reason=reason)
    return b""


def _stamp(path: str) -> _Stamp | None:
    """What changes when the file does, following links; None where there is none.

    The time of the last status change comes first: unlike the other it cannot be set back.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 (a third of the cost of Path.stat, three times in every session)
    except OSError:
        return None
    return found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino
