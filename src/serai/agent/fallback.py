"""One model call that may take several tries: retries and fallback models within one budget (SPEC 7.1)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serai.core.error import ModelError, NoModel
from serai.core.profile import Endpoint
from serai.core.redact import Redactor
from serai.core.redact_stream import RedactedStream
from serai.ports.clock import Entropy
from serai.ports.model import Model, ModelReply, ModelRequest, OnDelta, Restartable


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """What one model call may cost: tries in all, and seconds within which another try may begin."""

    tries: int = 3
    seconds: float = 60.0
    wait: float = 0.5
    wait_most: float = 10.0


class Fallback:
    """Tries the models of an agent in order. A model that failed for good makes way for the next one at once."""

    def __init__(self, model: Model, entropy: Entropy, budget: RetryBudget | None = None) -> None:
        self._model = model
        self._entropy = entropy
        self._budget = budget or RetryBudget()

    async def complete(
        self, request: ModelRequest, models: Sequence[Endpoint], on_delta: OnDelta | None, redactor: Redactor
    ) -> ModelReply:
        """The first answer. Raises the last ModelError, or NoModel where there is nothing to try. What `on_delta` is
        told is without the secrets that `redactor` knows; the answer itself is as the model gave it.

        Once a piece of text was told to `on_delta` there is no other try, because people would see two beginnings;
        unless it is `Restartable`.
        """
        if not models:
            raise NoModel("this agent has no model")
        loop = asyncio.get_running_loop()
        end = loop.time() + self._budget.seconds
        told = _Told(on_delta, redactor) if on_delta is not None else None
        left = list(models)
        failures = 0
        while True:
            try:
                asked = request if request.endpoint is left[0] else replace(request, endpoint=left[0])
                reply = await self._model.complete(asked, told)
            except ModelError as error:
                failures += 1
                wait = self._wait(error, failures)
                if (told is not None and told.stands) or failures >= self._budget.tries + len(models) - 1:
                    raise
                if len(left) > 1:
                    left.pop(0)
                elif not error.retry or wait is None or loop.time() + wait > end:
                    raise
                else:
                    await asyncio.sleep(wait)
                if told is not None:
                    told.take_back()
                continue
            if told is not None:
                told.end()
            return reply

    def _wait(self, error: ModelError, failures: int) -> float | None:
        """Seconds until the next try of the same model; None where the endpoint asks for more than is worth it."""
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self._budget.wait_most else None
        longest = min(self._budget.wait * 2 ** (failures - 1), self._budget.wait_most)
        return self._entropy.between(longest / 2, longest)


class _Told:
    """Passes text on, without secrets, and remembers whether there was any."""

    __slots__ = ("_on_delta", "_redactor", "_stream", "any")

    def __init__(self, on_delta: OnDelta, redactor: Redactor) -> None:
        self._on_delta = on_delta
        self._redactor = redactor
        self._stream = RedactedStream(redactor)
        self.any = False

    def __call__(self, text: str) -> None:
        self._pass_on(self._stream.feed(text))

    def end(self) -> None:
        """Nothing more comes."""
        self._pass_on(self._stream.end())

    def _pass_on(self, text: str) -> None:
        if text:
            self.any = True
            self._on_delta(text)

    @property
    def stands(self) -> bool:
        """Whether something was told that cannot be taken back."""
        return self.any and not isinstance(self._on_delta, Restartable)

    def take_back(self) -> None:
        """Makes what was told void."""
        self._stream = RedactedStream(self._redactor)
        if self.any and isinstance(self._on_delta, Restartable):
            self._on_delta.restart()
            self.any = False
