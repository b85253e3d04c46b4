"""Who an agent is: its home, model, tools and limits. Immutable (SPEC 3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serai.core.ids import AgentId


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model and where it is reached. `key_name` is the NAME of the secret, never the key.

    `origin` is the level that gave endpoint, provider and key together: an agent's id, or `gateway`.
    """

    name: str
    base_url: str
    provider: str = "openai"
    key_name: str | None = None
    origin: str = "gateway"


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """One agent as one configuration snapshot sees it.

    `models` lists what to try, in order: the agent's own model, then its fallbacks. It is empty where nothing could
    be resolved; `refusal` then says why (SPEC 7.1). `allow` lists who may choose the agent in a chat (SPEC 6.6).
    `schedules` says why its schedules are off, None where they are on (SPEC 2.2).
    """

    id: AgentId
    home: Path
    models: tuple[Endpoint, ...] = ()
    toolsets: frozenset[str] = frozenset()
    secret_names: frozenset[str] = frozenset()
    max_turns: int | None = None
    allow: frozenset[str] = frozenset()
    refusal: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    schedules: str | None = None

    @property
    def soul(self) -> Path:
        return self.home / "SOUL.md"

    @property
    def memories(self) -> Path:
        return self.home / "memories"

    @property
    def skills(self) -> Path:
        return self.home / "skills"

    @property
    def sessions(self) -> Path:
        return self.home / "sessions"

    @property
    def cron(self) -> Path:
        return self.home / "cron"

    @property
    def workspace(self) -> Path:
        return self.home / "workspace"
