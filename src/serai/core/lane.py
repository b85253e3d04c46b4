"""Which conversation a message belongs to, and the label that people see (SPEC 3.3, 3.6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from serai.core.ids import Account, AgentId
from serai.core.source import Source

DmScope = Literal["chat", "person", "agent"]

_PERSON: Final = "person"
"""What stands in the place of a platform where a person has one conversation across all of them."""


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """How chats are cut into conversations. `identities` maps `platform:user` to a person's name."""

    group_sessions_per_user: bool = True
    thread_sessions_per_user: bool = False
    dm_scope: DmScope = "chat"
    identities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaneAddress:
    """The tuple that identifies a conversation. An absent part is the empty text, never None."""

    agent: AgentId
    platform: str
    account: str
    chat_type: str
    chat: str = ""
    thread: str = ""
    user: str = ""

    @property
    def spans_chats(self) -> bool:
        """Whether it is a person's, whichever direct chat that one writes in (SPEC 3.6)."""
        return self.platform == _PERSON and not self.account

    @property
    def label(self) -> str:
        """The session key: shown, logged, accepted by commands, never decoded."""
        connection = str(Account(self.platform, self.account)) if self.account else self.platform
        is_direct = self.chat_type == "dm"
        tail = (self.chat or self.user, self.thread) if is_direct else (self.chat, self.thread, self.user)
        parts = (self.agent, connection, self.chat_type, *tail)
        return "agent:" + ":".join(_escaped(part) for part in parts if part)


def _escaped(part: str) -> str:
    if ":" in part or "%" in part:
        return part.replace("%", "%25").replace(":", "%3A")
    return part


def lane_of(agent: AgentId, source: Source, policy: LanePolicy) -> LaneAddress:
    """The lane of a message that `agent` answers.

    >>> lane_of(AgentId("main"), Source("telegram", chat_id="99"), LanePolicy()).label
    'agent:main:telegram:dm:99'
    """
    if source.chat_type == "dm":
        return _direct(agent, source, policy)
    thread = source.thread or ""
    per_user = policy.thread_sessions_per_user if thread else policy.group_sessions_per_user
    return LaneAddress(
        agent,
        source.platform,
        source.account,
        source.chat_type,
        chat=source.chat_id or "",
        thread=thread,
        user=(source.user or "") if per_user else "",
    )


def _direct(agent: AgentId, source: Source, policy: LanePolicy) -> LaneAddress:
    if policy.dm_scope == "agent":
        return LaneAddress(agent, "direct", "", "dm")
    if policy.dm_scope == "person" and (person := _person(source, policy)):
        return LaneAddress(agent, _PERSON, "", "dm", chat=person)
    return LaneAddress(
        agent,
        source.platform,
        source.account,
        "dm",
        chat=source.chat_id or "",
        thread=source.thread or "",
        user="" if source.chat_id else source.user or "",
    )


def _person(source: Source, policy: LanePolicy) -> str | None:
    """The configured name of the sender, else the sender's own id with its platform, else None."""
    ids = [f"{source.platform}:{user}" for user in (source.user_id_alt, source.user_id) if user]
    known = [policy.identities[name] for name in ids if name in policy.identities]
    return next(iter(known + ids), None)
