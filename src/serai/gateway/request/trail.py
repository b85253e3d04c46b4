"""What a run has done so far, for any number of readers who come, go and come back (SPEC 11.4, 11.5).

It is made of what is recorded, and of the text that the model is just writing. A reader is a cursor, not a queue, so
a slow one costs no memory.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serai.core.approval import Approval
from serai.core.event import (
    ApprovalAnswered,
    ApprovalRequested,
    RunEvent,
    TextDelta,
    ToolEnded,
    ToolStarted,
    TurnEnded,
)
from serai.core.message import ToolCall
from serai.core.redact import Redactor
from serai.core.redact_message import clean_call
from serai.core.turn import Step
from serai.ports.model import ModelReply

_BEGUN: Final = frozenset({"started", "done", "failed", "interrupted"})
_decode_reply: Final = msgspec.json.Decoder(ModelReply).decode
_decode_call: Final = msgspec.json.Decoder(ToolCall).decode


@dataclass(slots=True)
class _Text:
    """The text of one step, in the pieces in which it came."""

    step: int
    pieces: list[str] = field(default_factory=list)


class Trail:
    """Everything in order: texts, the starts and ends of tools, and last the end of the turn."""

    def __init__(self, recorded: Iterable[RunEvent] = ()) -> None:
        self._entries: list[RunEvent | _Text] = []
        self._tools: set[tuple[type, int]] = set()
        self._ended = False
        self._news = asyncio.Event()
        for event in recorded:
            self.take(event)

    def take(self, event: RunEvent) -> None:
        """Adds what has happened. A tool that is begun again after a restart has begun already."""
        match event:
            case TextDelta(text, step):
                self._write(text, step)
            case TurnEnded():
                self._end(event)
            case _:
                if (type(event), event.step) in self._tools:
                    return
                self._tools.add((type(event), event.step))
                self._entries.append(event)
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self) -> AsyncIterator[RunEvent]:
        """All of it from the beginning, text as it grows; the last event is TurnEnded."""
        place = piece = 0
        while True:
            news = self._news
            while place < len(self._entries):
                entry = self._entries[place]
                if not isinstance(entry, _Text):
                    place += 1
                    yield entry
                    continue
                if piece < len(entry.pieces):
                    text, piece = "".join(entry.pieces[piece:]), len(entry.pieces)
                    yield TextDelta(text, entry.step)
                elif place + 1 < len(self._entries):
                    place, piece = place + 1, 0
                else:
                    break
            if self._ended and place == len(self._entries):
                return
            await news.wait()

    def _write(self, text: str, step: int) -> None:
        last = self._entries[-1] if self._entries else None
        if not isinstance(last, _Text) or last.step != step:
            last = _Text(step)
            self._entries.append(last)
        last.pieces.append(text)

    def _end(self, ended: TurnEnded) -> None:
        """The answer is told whole, whatever was seen of it while it was written."""
        last = self._entries[-1] if self._entries else None
        text = next((one for one in reversed(self._entries) if isinstance(one, _Text)), None)
        said = "".join(text.pieces) if text is not None else ""
        if ended.answer is not None and ended.answer.text not in ("", said):
            if text is not None and text is last and ended.answer.text.startswith(said):
                text.pieces.append(ended.answer.text[len(said) :])
            else:
                self._write(ended.answer.text, _step_of(last) + 1)
        self._entries.append(ended)
        self._ended = True


def _step_of(entry: RunEvent | _Text | None) -> int:
    return 0 if entry is None or isinstance(entry, TurnEnded) else entry.step


def recorded(
    steps: Sequence[Step], approvals: Sequence[Approval], redactor: Redactor, *, texts: bool = True
) -> list[RunEvent]:
    """What the steps of a turn tell, and what people were asked about them, as it was told while it happened: without
    secrets. Without `texts` where a plugin decides what people get to see of them."""
    events: list[RunEvent] = []
    questions = {one.step: one for one in approvals}
    for step in steps:
        if step.n in questions:
            events += _asked(questions[step.n], redactor)
        if step.kind == "model":
            said = redactor.clean(_decode_reply(step.result).message.text)
            events += [TextDelta(said, step.n)] if said and texts else []
        elif step.kind == "tool" and step.state in _BEGUN:
            call = clean_call(redactor, _decode_call(step.request))
            events.append(ToolStarted(call.id, call.name, step.n))
            if step.state != "started":
                events.append(ToolEnded(call.id, call.name, step.state == "done", step.n))
    return events


def _asked(one: Approval, redactor: Redactor) -> list[RunEvent]:
    call = clean_call(redactor, ToolCall(one.call_id, one.tool, one.arguments))
    text = redactor.clean(one.question)
    question = ApprovalRequested(one.id, call.id, call.name, call.arguments, text, one.expires_at, one.step)
    return (
        [question] if one.state == "open" else [question, ApprovalAnswered(one.id, one.state, one.by or "", one.step)]
    )
