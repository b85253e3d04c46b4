"""The toolsets that exist, for those who check names."""

from collections.abc import Sequence
from typing import NoReturn

from serai.tools.thread import AgentThreads
from serai.tools.toolbox import BuiltinToolbox


def names() -> Sequence[str]:
    """Every toolset's name."""
    return BuiltinToolbox(AgentThreads(), _no_jobs).names()


def _no_jobs() -> NoReturn:
    raise LookupError("only names are asked for here")
