"""What is different for the embedded demo model: it cannot use tools (DESIGN 4)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from serai.core.profile import AgentProfile
from serai.ports.tool import Tool, Toolbox

EMBEDDED: Final = "embedded"
"""The provider's name of the embedded model's endpoint."""

_NONE: Final[Mapping[str, Tool]] = MappingProxyType({})


class DemoToolbox:
    """A toolbox that hides everything from agents whose model is the embedded one."""

    def __init__(self, inner: Toolbox) -> None:
        self._inner = inner

    def names(self) -> Sequence[str]:
        return self._inner.names()

    def tools(self, profile: AgentProfile) -> Mapping[str, Tool]:
        if profile.models and profile.models[0].provider == EMBEDDED:
            return _NONE
        return self._inner.tools(profile)
