"""The toolsets that exist, for those who check names."""

from collections.abc import Sequence

from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox


def names() -> Sequence[str]:
    """Every toolset's name."""
    return BuiltinToolbox(AgentThreads()).names()
