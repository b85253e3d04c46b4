"""Plugins made for a test: any hook, any answer, plain or async."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from serai import plugin as specification
from serai.plugin import DEADLINES, hookimpl
from serai.ports.hooks import HookName

HOOKS: Sequence[HookName] = tuple(DEADLINES)


def nothing(_: Mapping[str, Any]) -> Any:
    return None


@dataclass
class Heard:
    """What a plugin was told: each call's hook and arguments."""

    calls: list[tuple[HookName, Mapping[str, Any]]] = field(default_factory=list)

    def hooks(self) -> list[HookName]:
        return [hook for hook, _ in self.calls]

    def of(self, hook: HookName) -> list[Mapping[str, Any]]:
        return [given for name, given in self.calls if name == hook]


def plugin(answers: Mapping[HookName, Callable[[Mapping[str, Any]], Any]], *, is_async: bool = False) -> object:
    """A plugin with these hooks, each with all of its arguments; a plain function may be slow, or raise."""
    return SimpleNamespace(**{hook: _implementation(hook, answer, is_async) for hook, answer in answers.items()})


def listener(
    *hooks: HookName,
    answers: Mapping[HookName, Callable[[Mapping[str, Any]], Any]] | None = None,
    is_async: bool = True,
) -> tuple[object, Heard]:
    """A plugin that notes what it is told by `hooks` (all, where none is named), and answers as `answers` say."""
    heard = Heard()

    def noting(hook: HookName) -> Callable[[Mapping[str, Any]], Any]:
        def note(given: Mapping[str, Any]) -> Any:
            heard.calls.append((hook, given))
            return (answers or {}).get(hook, nothing)(given)

        return note

    return plugin({hook: noting(hook) for hook in hooks or HOOKS}, is_async=is_async), heard


def _implementation(hook: HookName, answer: Callable[[Mapping[str, Any]], Any], is_async: bool) -> Callable[..., Any]:
    """A function with exactly the arguments of the specification: pluggy reads them from its code."""
    names = list(inspect.signature(getattr(specification, hook)).parameters)
    given = ", ".join(f"{name!r}: {name}" for name in names)
    space: dict[str, Any] = {"answer": answer, "waited": _waited}
    reply = f"await waited(answer({{{given}}}))" if is_async else f"answer({{{given}}})"
    exec(f"{'async ' if is_async else ''}def {hook}({', '.join(names)}):\n    return {reply}\n", space)
    made: Callable[..., Any] = hookimpl(space[hook])
    return made


async def _waited(reply: Any) -> Any:
    return await reply if inspect.isawaitable(reply) else reply
