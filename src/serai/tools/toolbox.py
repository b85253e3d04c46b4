"""The toolsets that come with the product (SPEC 7.4)."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from serai.core.profile import AgentProfile
from serai.ports.job_book import JobBook
from serai.ports.tool import Tool, Toolbox
from serai.tools.cron import cron_tools
from serai.tools.files import file_tools
from serai.tools.memory import memory_tools
from serai.tools.thread import AgentThreads


class BuiltinToolbox(Toolbox):
    """Gives agents with equal toolsets the very same mapping, so that what is made from it can be kept."""

    def __init__(self, threads: AgentThreads, book: Callable[[], JobBook]) -> None:
        """`book` gives the jobs when a tool needs them: they are made after the tools."""
        self._toolsets: Mapping[str, Sequence[Tool]] = {
            "files": file_tools(threads),
            "memory": memory_tools(threads),
            "cron": cron_tools(book),
        }
        self._known = frozenset(self._toolsets)
        self._made: dict[frozenset[str], Mapping[str, Tool]] = {}

    def names(self) -> Sequence[str]:
        return tuple(self._toolsets)

    def tools(self, profile: AgentProfile) -> Mapping[str, Tool]:
        """By name, toolset after toolset. A toolset of another toolbox is not an error here; it adds nothing."""
        chosen = profile.toolsets & self._known
        made = self._made.get(chosen)
        if made is None:
            tools = (tool for name, toolset in self._toolsets.items() if name in chosen for tool in toolset)
            made = self._made[chosen] = MappingProxyType({tool.spec.name: tool for tool in tools})
        return made
