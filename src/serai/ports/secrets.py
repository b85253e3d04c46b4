"""Secrets by (agent, name), with no default (SPEC 2.5)."""

from collections.abc import Iterable
from typing import Protocol

from serai.core.error import SeraiError
from serai.core.ids import AgentId


class SecretMissing(SeraiError):
    """This reader may not see a secret of that name, or it has no value."""


class Secrets(Protocol):
    """What one snapshot may see. `None` as reader is the gateway itself (accounts, API keys)."""

    def get(self, reader: AgentId | None, name: str) -> str:
        """The value. Raises SecretMissing where this reader's settings do not mention the name, or it is blank."""
        ...

    def values(self) -> Iterable[str]:
        """All known values, for redaction."""
        ...
