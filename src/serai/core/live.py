"""How live chats behave: bursts, busy conversations, groups, who may choose (SPEC 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from serai.core.source import Source

BusyMode = Literal["steer", "queue", "interrupt"]


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """When pieces of one message are one turn (SPEC 6.1). Seconds, and a count."""

    quiet_s: float = 0.6
    near_limit_s: float = 2.0
    max_pieces: int = 8


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """What all chats have in common. `admins` are names as `names_of` gives them; `approval_s` is how many seconds
    people have to answer whether a tool may run."""

    busy_mode: BusyMode = "steer"
    merge: MergePolicy = MergePolicy()
    admins: frozenset[str] = frozenset()
    agent_prefix: bool = False
    approval_s: float = 600.0


def names_of(source: Source, identities: Mapping[str, str]) -> frozenset[str]:
    """All names under which a sender may be listed: `platform:id` for ids and roles, and a configured person's name.

    Display names are none (SPEC 6.7).
    """
    users = [f"{source.platform}:{user}" for user in (source.user_id, source.user_id_alt) if user]
    roles = [f"{source.platform}:{role}" for role in source.roles]
    people = [identities[user] for user in users if user in identities]
    return frozenset((*users, *roles, *people))
