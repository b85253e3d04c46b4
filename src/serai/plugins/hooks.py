"""Asking the enabled plugins, each within its deadline (SPEC 4.4, 8.1)."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pluggy
import structlog

from serai import plugin as specification
from serai.core.source import Source
from serai.ports.hooks import Choice

_log = structlog.get_logger("hooks")

_SELECT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Implementation:
    """One plugin's implementation of a hook, with the arguments it takes."""

    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    async def ask(self, values: Mapping[str, Any], seconds: float) -> Any:
        """Its answer, or None where it raised or overran. A plain function runs in a thread: it may block."""
        given = {name: values[name] for name in self.arguments}
        try:
            async with asyncio.timeout(seconds):
                if inspect.iscoroutinefunction(self.function):
                    return await self.function(**given)
                return await asyncio.to_thread(self.function, **given)
        except TimeoutError:
            _log.warning("a hook took too long", plugin=self.plugin, seconds=seconds)
        except Exception:  # noqa: BLE001  the hooks' supervisor: a plugin may raise anything
            _log.exception("a hook raised", plugin=self.plugin)
        return None


class PluginHooks:
    """`ports.Hooks` over plugins in their configured order."""

    def __init__(self, plugins: Sequence[tuple[str, object]]) -> None:
        manager = pluggy.PluginManager("serai")
        manager.add_hookspecs(specification)
        for name, loaded in plugins:
            manager.register(loaded, name=name)
        self._select_agent = _implementations(manager.hook.select_agent, [name for name, _ in plugins])

    @property
    def selects_agents(self) -> bool:
        return bool(self._select_agent)

    async def select_agent(self, source: Source, route_match: str | None) -> Choice | None:
        for hook in self._select_agent:
            values = {"source": source.mapping(), "route_match": route_match}
            answer = await hook.ask(values, _SELECT_SECONDS)
            if isinstance(answer, str) and answer.strip():
                return Choice(answer.strip(), hook.plugin)
        return None


def _implementations(caller: pluggy.HookCaller, order: Sequence[str]) -> Sequence[_Implementation]:
    made = [_Implementation(hook.plugin_name, hook.function, tuple(hook.argnames)) for hook in caller.get_hookimpls()]
    return sorted(made, key=lambda hook: order.index(hook.plugin))
