"""Failures that are lined up for what a fake does next."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from serai.core.error import SendFailed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Trouble:
    error: SendFailed
    seconds: float
    arrived: bool


@dataclass(slots=True)
class Troubles:
    """What the next calls meet: each an error after some seconds of the loop's time, with or without an effect."""

    _lined_up: list[_Trouble] = field(default_factory=list)

    def line_up(self, *errors: SendFailed, seconds: float, arrived: bool) -> None:
        """`arrived`: it takes effect although the caller does not know it."""
        self._lined_up.extend(_Trouble(error, seconds, arrived) for error in errors)

    async def meet(self, effect: Callable[[], T]) -> T:
        """Has the effect, or raises what is lined up next."""
        if not self._lined_up:
            return effect()
        trouble = self._lined_up.pop(0)
        if trouble.seconds:
            await asyncio.sleep(trouble.seconds)
        if trouble.arrived:
            effect()
        raise trouble.error
