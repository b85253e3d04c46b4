"""Identifiers. All are opaque: only the part that made one may look inside (SPEC 3.2)."""

from typing import Final, NewType

AgentId = NewType("AgentId", str)
LaneId = NewType("LaneId", int)
SessionId = NewType("SessionId", str)
InputId = NewType("InputId", str)
TurnId = NewType("TurnId", int)
DeliveryId = NewType("DeliveryId", str)
ApprovalId = NewType("ApprovalId", str)
JobId = NewType("JobId", str)
MAIN: Final = AgentId("main")
GATEWAY: Final = AgentId("")
"""In the place of an agent: the gateway itself speaks."""

RESERVED: Final = frozenset({"default"})
DEFAULT_ACCOUNT: Final = "default"

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_LONGEST: Final = 64


def is_agent_id(text: str) -> bool:
    """Whether `text` may name an agent: ASCII letters, digits, `-`, `_`, 1 to 64 of them (SPEC 12.1, 16.4)."""
    return 0 < len(text) <= _LONGEST and _LETTERS.issuperset(text)


class Account(tuple[str, str]):
    """One connection's identity: (platform, account name). Written `telegram`, or `telegram@work`."""

    __slots__ = ()

    def __new__(cls, platform: str, name: str = DEFAULT_ACCOUNT) -> "Account":
        return super().__new__(cls, (platform, name))

    @property
    def platform(self) -> str:
        return self[0]

    @property
    def name(self) -> str:
        return self[1]

    def __str__(self) -> str:
        return self[0] if self[1] == DEFAULT_ACCOUNT else f"{self[0]}@{self[1]}"
