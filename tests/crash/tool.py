"""Two tools whose effect can be counted from outside: one that may be repeated, one that may not."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from serai.core.profile import AgentProfile
from serai.ports.model import ToolSpec
from serai.ports.scope import current_profile
from serai.ports.tool import Tool, Toolbox, ToolContext
from tests.crash.journal import Entry, Journal
from tests.crash.point import Fuse

_TEXT: Final = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


class Effect:
    """Writes its call into the journal. With `hangs`, it returns only when the journal allows it."""

    def __init__(self, name: str, *, idempotent: bool, journal: Journal, fuse: Fuse, hangs: bool) -> None:
        self.spec = ToolSpec(name, f"Takes {name}.", _TEXT)
        self.idempotent = idempotent
        self._journal = journal
        self._fuse = fuse
        self._hangs = hangs

    async def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        self._fuse.passing("tool.before")
        agent = current_profile().id
        assert agent == context.profile.id
        self._journal.write(Entry("effect", context.call_id, self.spec.name, agent, os.getpid()))
        self._fuse.passing("tool.inside")
        while self._hangs and not self._journal.lets_go:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0)
        self._fuse.passing("tool.after")
        return f"{self.spec.name} of {arguments['text']} done"


class EffectToolbox:
    """A toolbox with `note` (not to be repeated) and `ping` (may be repeated) added for every agent."""

    def __init__(self, inner: Toolbox, journal: Journal, fuse: Fuse, *, hangs: bool) -> None:
        self._inner = inner
        self._added: Mapping[str, Tool] = {
            "note": Effect("note", idempotent=False, journal=journal, fuse=fuse, hangs=hangs),
            "ping": Effect("ping", idempotent=True, journal=journal, fuse=fuse, hangs=hangs),
        }
        self._made: dict[frozenset[str], Mapping[str, Tool]] = {}

    def names(self) -> Sequence[str]:
        return self._inner.names()

    def tools(self, profile: AgentProfile) -> Mapping[str, Tool]:
        if profile.toolsets not in self._made:
            self._made[profile.toolsets] = {**self._inner.tools(profile), **self._added}
        return self._made[profile.toolsets]
