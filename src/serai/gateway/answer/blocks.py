"""An answer that is told in parts, on a platform that cannot edit (SPEC 5.7).

A part is a delivery of its own. Parts are exact stretches of the text, so that the end of the turn knows what is left
to be sent, also after a crash.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from serai.core.delivery import Delivery, NewDelivery, Target
from serai.core.error import Fenced, StorageFailed
from serai.core.fence import fences
from serai.core.message import may_become_silence
from serai.core.split import measure, split
from serai.gateway.answer.draft import Ending, Means, Writing
from serai.gateway.key import chat_key
from serai.ports.platform import Blocks, Capabilities

_log = structlog.get_logger("blocks")


class AnswerInBlocks:
    """A `Draft` that is told in parts. `told` are the parts that an earlier attempt has told."""

    def __init__(
        self,
        means: Means,
        writing: Writing,
        capabilities: Capabilities,
        blocks: Blocks,
        told: Sequence[Delivery] = (),
    ) -> None:
        self._means = means
        self._writing = writing
        self._capabilities = capabilities
        self._blocks = blocks
        self._parts: dict[int, list[str]] = {}
        for one in told:
            self._parts.setdefault(one.call or 0, []).append(one.text)
        self._texts: list[str] = []
        self._call: int | None = None
        self._rests: list[tuple[int, str]] = []
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._stopped = False

    @property
    def told(self) -> bool:
        return bool(self._parts)

    @property
    def written(self) -> str:
        return "".join(self._texts)

    def __call__(self, text: str) -> None:
        if self._call is None:
            self._texts, self._call = [], self._writing.call()
        self._texts.append(text)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._tell())

    def restart(self) -> None:
        self._texts, self._call = [], None

    def next_call(self) -> None:
        """What was begun to be told is told to its end."""
        if self._call is not None and self._call in self._parts:
            self._rests.append((self._call, self._left()))
            self._texts = []
            self._changed.set()
        self._call = None

    async def close(self) -> None:
        self._stopped = True
        self._changed.set()
        if self._task is not None:
            await asyncio.wait({self._task})

    def ending(self, text: str, target: Target) -> Ending:
        parts = self._parts.get(max(self._parts, default=0) if self._call is None else self._call, [])
        left = [*(rest for _, rest in self._rests), what_is_left(self._writing.prefix + text, parts)]
        pieces = [piece for one in left for piece in self._means.split(target, one)]
        return Ending(deliveries=[NewDelivery(self._means.delivery_id(), target, piece) for piece in pieces])

    def as_it_stands(self) -> Ending:
        return self.ending("", self._writing.target) if self._rests else Ending()

    def _left(self) -> str:
        """What was written and is not told yet."""
        if self._call is None:
            return ""
        return what_is_left(self._writing.prefix + self.written, self._parts.get(self._call, []))

    async def _tell(self) -> None:
        """Tells part after part until the answer is closed."""
        try:
            while not self._stopped:
                idle = await self._idle()
                while self._rests and not self._stopped:
                    await self._send(*self._rests[0])
                    self._rests.pop(0)
                part = "" if self._stopped else self._part(idle=idle)
                if part and self._call is not None:
                    await self._send(self._call, part)
                    self._changed.set()
        except Fenced:
            return  # the turn finds that out for itself
        except StorageFailed as error:
            _log.error("an answer is told at its end", turn=self._writing.fence.turn, error=str(error))

    async def _idle(self) -> bool:
        """Waits until something was added, or nothing was for long enough; returns which."""
        patience = self._blocks.idle_s if self._left().strip() else None
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._changed.wait()
                self._changed.clear()
                return False
        return True

    def _part(self, *, idle: bool) -> str:
        """The next part to be told, else nothing. It never ends inside of a code fence."""
        left, unit = self._left().lstrip(), self._capabilities.text_unit
        if may_become_silence(self.written):
            return ""
        if measure(left, unit) >= self._blocks.length:
            pieces = split(left, self._blocks.length, unit)
            return pieces[0] if len(pieces) > 1 and left.startswith(pieces[0]) else ""
        return left.rstrip() if idle and not _ends_in_fence(left) else ""

    async def _send(self, call: int, part: str) -> None:
        means, writing = self._means, self._writing
        for piece in means.split(writing.target, part):
            new = NewDelivery(means.delivery_id(), writing.target, piece)
            await means.store.tell(writing.fence, new, call, means.clock.now(), grows=False)
            self._parts.setdefault(call, []).append(piece)
        means.engine.wake(chat_key(writing.target))


def what_is_left(text: str, parts: Sequence[str]) -> str:
    """A text without the parts of it that were told. Where it goes another way than they, it is left from there on.

    >>> what_is_left("One. Two. Three.", ["One.", "Two."])
    'Three.'
    >>> what_is_left("One. No.", ["One.", "Two."])
    'No.'
    """
    for part in parts:
        rest = text.lstrip()
        if part.startswith(rest):
            return ""
        if not rest.startswith(part):
            break
        text = rest[len(part) :]
    return text.lstrip()


def _ends_in_fence(text: str) -> bool:
    found = list(fences(text))
    return bool(found) and found[-1].close >= len(text)
