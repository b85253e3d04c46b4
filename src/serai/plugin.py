"""Everything a plugin implements: all hooks, one signature each (SPEC 8, 16.2).

A plugin is a package with an entry point in the group `serai.plugins`, or a folder `plugins/<name>/plugin.py` in
SERAI_HOME whose functions are marked with `hookimpl`. Either is off unless named in `plugins.enabled`; the order
there is the order in which hooks are asked. A hook may be a plain function or `async def`, and may take fewer
arguments than its specification.

    from serai.plugin import hookimpl

    @hookimpl
    def select_agent(source, route_match):
        return "ops" if source["chat_id"] == "100" else None
"""

from collections.abc import Mapping
from typing import Any, Final

import pluggy

GROUP: Final = "serai.plugins"

hookspec = pluggy.HookspecMarker("serai")
hookimpl = pluggy.HookimplMarker("serai")


@hookspec
def select_agent(source: Mapping[str, Any], route_match: str | None) -> str | None:
    """Chooses the agent of a message (SPEC 4.4).

    Asked for every message that carries no stamp, also when a route matched; a stored decision is never asked
    again. `source` is a plain mapping of the fields of SPEC 3.2; `route_match` the agent of the matching route,
    else None. The first non-blank text wins, blanks trimmed; anything else is ignored. A hook that raises, or takes
    longer than a second, is logged and the next one is asked.
    """
