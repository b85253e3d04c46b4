"""Asking the enabled plugins, each within its deadline (SPEC 4.4, 8.1)."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from threading import Thread
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
                return await _in_thread(self.plugin, lambda: self.function(**given))
        except TimeoutError:
            _log.warning("a hook took too long", plugin=self.plugin, seconds=seconds)
        except Exception:  # noqa: BLE001  the hooks' supervisor: a plugin may raise anything
            _log.exception("a hook raised", plugin=self.plugin)
        return None


async def _in_thread(plugin: str, work: Callable[[], Any]) -> Any:
    """Runs `work` in a thread of its own: one that hangs takes nobody else's place, nor keeps the process alive."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def settle(answer: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)

    def run() -> None:
        answer, failure = None, None
        try:
            answer = context.run(work)
        except BaseException as error:  # noqa: BLE001  whatever it is, it belongs to the one who waits
            failure = error if isinstance(error, Exception) else RuntimeError(repr(error))
        with suppress(RuntimeError):  # the loop may be gone by then
            loop.call_soon_threadsafe(settle, answer, failure)

    Thread(target=run, name=f"serai-hook-{plugin}", daemon=True).start()
    return await future


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
