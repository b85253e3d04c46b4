"""The events of a run as server-sent events (SPEC 11.5, 16.3, 16.7).

An event's id says where in the run it stands: the step, then for a text how many characters of it have been told and
a checksum of them, for a tool a number from 1, when somebody is asked for leave, to 4, its end; the last event's is
`end`. So any event can be found
again from what is recorded, however the pieces were cut. A text that was not recorded when the gateway died is
written anew: who has seen something else of it than what there is now is told `message.restarted`, and then the text
whole.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import msgspec

from serai.api.error import unanswered
from serai.core.event import (
    ApprovalAnswered,
    ApprovalRequested,
    RunEvent,
    TextDelta,
    ToolEnded,
    ToolStarted,
    TurnEnded,
)
from serai.core.ids import InputId
from serai.core.message import Answer, Usage

END: Final = "end"

ToolEvent = ApprovalRequested | ApprovalAnswered | ToolStarted | ToolEnded
_PLACES: Final = {ApprovalRequested: 1, ApprovalAnswered: 2, ToolStarted: 3, ToolEnded: 4}

_SEEN: Final = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.([0-9a-f]{8}))?")


@dataclass(frozen=True, slots=True)
class Seen:
    """The last event that a client has got: of a text `count` characters, of a tool a number from `_PLACES`."""

    step: int
    count: int
    checksum: str | None


def seen(last_event_id: str) -> Seen | None:
    """What a `Last-Event-ID` says; None for one that is none of ours."""
    found = _SEEN.fullmatch(last_event_id)
    return None if found is None else Seen(int(found[1]), int(found[2]), found[3])


@dataclass(slots=True)
class _Told:
    """How much of one text is told: its step, its characters, their checksum."""

    step: int = 0
    count: int = 0
    sum: int = 0

    def add(self, text: str) -> None:
        self.count += len(text)
        self.sum = crc32(text.encode("utf-8", "surrogatepass"), self.sum)


@dataclass(slots=True)
class RunEvents:
    """Makes the events of one run for one client, from where it left off."""

    run: InputId
    after: Seen | None = None
    _told: _Told = field(default_factory=_Told)
    _held: str = ""

    def take(self, event: RunEvent) -> bytes:
        """What the client is to be sent of an event; nothing where it has it."""
        if isinstance(event, TurnEnded):
            return self._settled(None) + self._end(event)
        skipped = self._settled(event.step)
        if isinstance(event, TextDelta):
            return skipped + self._text(event)
        place = _PLACES[type(event)]
        if self.after is not None:
            if event.step < self.after.step or place <= self.after.count:
                return skipped
            self.after = None
        return skipped + self._tool(event, f"{event.step}.{place}")

    def _settled(self, step: int | None) -> bytes:
        """A text that the client has seen is over, or was never written again: what of that it must be told."""
        after = self.after
        if after is None or (step is not None and step <= after.step):
            return b""
        self.after = None
        if after.checksum is None:
            return b""
        held, self._held = self._held, ""
        return self._restarted(after.step) + (self._delta(after.step, held) if held else b"")

    def _text(self, event: TextDelta) -> bytes:
        after = self.after
        if after is None:
            return self._delta(event.step, event.text)
        if event.step < after.step:
            return b""
        self._held += event.text
        if len(self._held) < after.count:
            return b""
        text, self._held, self.after = self._held, "", None
        self._told = _Told(event.step)
        self._told.add(text[: after.count])
        if after.checksum == f"{self._told.sum:08x}":
            return self._delta(event.step, text[after.count :])
        self._told = _Told()
        return self._restarted(event.step) + self._delta(event.step, text)

    def _delta(self, step: int, text: str) -> bytes:
        if not text:
            return b""
        if self._told.step != step:
            self._told = _Told(step)
        self._told.add(text)
        place = f"{step}.{self._told.count}.{self._told.sum:08x}"
        return self._event("message.delta", place, delta=text)

    def _restarted(self, step: int) -> bytes:
        """Its id is that of a text of which nothing has been told."""
        return self._event("message.restarted", f"{step}.0.00000000")

    def _tool(self, event: ToolEvent, place: str) -> bytes:
        match event:
            case ApprovalRequested():
                about = {"approval_id": event.approval, "question": event.question, "expires_at": event.expires_at}
                call = {"tool": event.name, "call_id": event.call_id, "arguments": event.arguments}
                return self._event("approval.request", place, **about, **call)
            case ApprovalAnswered():
                answer = {"approval_id": event.approval, "choice": event.choice, "by": event.by}
                return self._event("approval.responded", place, **answer)
            case ToolStarted():
                return self._event("tool.started", place, tool=event.name, call_id=event.call_id)
            case ToolEnded():
                return self._event("tool.completed", place, tool=event.name, call_id=event.call_id, ok=event.ok)

    def _end(self, ended: TurnEnded) -> bytes:
        if ended.state == "done":
            answer = ended.answer or Answer("")
            return self._event("run.completed", END, output=answer.text, usage=usage_of(answer.usage))
        if ended.state == "cancelled":
            return self._event("run.cancelled", END)
        return self._event("run.failed", END, error=error_of(ended))

    def _event(self, name: str, place: str, **data: object) -> bytes:
        document = msgspec.json.encode({"type": name, "run_id": self.run, **data})
        return b"event: %b\nid: %b\ndata: %b\n\n" % (name.encode(), place.encode(), document)


def usage_of(usage: Usage) -> dict[str, int]:
    """Tokens of all model calls of a run."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def error_of(ended: TurnEnded) -> msgspec.Raw:
    """The error object of a run that has failed."""
    return msgspec.Raw(unanswered(ended).detail())
