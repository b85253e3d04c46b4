"""The stream of a response: what happens in a run, as the protocol's events (OpenAI API reference, "Streaming").

Events are numbered from 0 without gaps. The last one is `response.completed`, or `response.failed`, or
`response.incomplete`, which is also the end of one that was cancelled.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from serai.api.response.item import AnyItem, ItemStatus, OutputText
from serai.api.response.object import About, status_of
from serai.core.event import RunEvent, TextDelta, TurnEnded
from serai.core.message import Answer, ToolCall

_ENDS: Final = {"completed": "response.completed", "failed": "response.failed"}


class ResponseEvents:
    """Makes the events of one response for one client; those up to number `after` are left out. `ended_at` is to be
    set before the end is taken."""

    def __init__(self, about: About, *, after: int = -1) -> None:
        self.ended_at: float | None = None
        self._about = about
        self._after = after
        self._number = 0
        self._items: list[AnyItem] = []
        self._text: list[str] | None = None
        self._closed = ""
        self._step = 0

    def begin(self) -> bytes:
        """What comes before anything has happened."""
        background = self._about.echo.background
        first = self._about.response("queued" if background else "in_progress")
        events = [self._event("response.created", response=first)]
        if background:
            events.append(self._event("response.queued", response=first))
        events.append(self._event("response.in_progress", response=self._about.response("in_progress")))
        return b"".join(events)

    def take(self, event: RunEvent) -> bytes:
        """The events that tell of what has happened."""
        match event:
            case TextDelta(text, step):
                return b"".join(self._say(text, step)) if text else b""
            case TurnEnded():
                return b"".join(self._end(event))
            case _:
                return b"".join(self._close())

    def _say(self, text: str, step: int) -> Iterator[bytes]:
        if self._text is None or step != self._step:
            yield from self._close()
            yield from self._open(step)
        if self._text is not None:
            self._text.append(text)
        yield self._event("response.output_text.delta", **self._place(), delta=text, logprobs=[])

    def _open(self, step: int) -> Iterator[bytes]:
        self._text, self._step = [], step
        n = len(self._items)
        yield self._event(
            "response.output_item.added", output_index=n, item=self._about.message(n, "", "in_progress")
        )
        yield self._event("response.content_part.added", **self._place(), part=OutputText(""))

    def _close(self, status: ItemStatus = "completed") -> Iterator[bytes]:
        """The text that was being written is complete, or broken off."""
        if self._text is None:
            return
        text = "".join(self._text)
        yield self._event("response.output_text.done", **self._place(), text=text, logprobs=[])
        yield self._event("response.content_part.done", **self._place(), part=OutputText(text))
        n = len(self._items)
        item = self._about.message(n, text, status)
        self._text, self._closed = None, text
        self._items.append(item)
        yield self._event("response.output_item.done", output_index=n, item=item)

    def _end(self, ended: TurnEnded) -> Iterator[bytes]:
        answer = ended.answer or Answer("")
        said = self._closed if self._text is None else "".join(self._text)
        if answer.text and answer.text != said:
            goes_on = self._text is not None and answer.text.startswith(said)
            rest = answer.text.removeprefix(said) if goes_on else answer.text
            yield from self._say(rest, self._step if goes_on else self._step + 1)
        yield from self._close("completed" if ended.state == "done" else "incomplete")
        for call in answer.tool_calls:
            yield from self._call(call)
        status = status_of(ended)
        response = self._about.response(status, self._items, ended, self.ended_at)
        yield self._event(_ENDS.get(status, "response.incomplete"), response=response)

    def _call(self, call: ToolCall) -> Iterator[bytes]:
        n = len(self._items)
        begun, item = self._about.call(n, call, "in_progress"), self._about.call(n, call)
        place = {"item_id": item.id, "output_index": n}
        self._items.append(item)
        yield self._event("response.output_item.added", output_index=n, item=begun)
        yield self._event("response.function_call_arguments.delta", **place, delta=call.arguments)
        yield self._event("response.function_call_arguments.done", **place, name=call.name, arguments=call.arguments)
        yield self._event("response.output_item.done", output_index=n, item=item)

    def _place(self) -> dict[str, Any]:
        n = len(self._items)
        return {"item_id": self._about.item_id("msg", n), "output_index": n, "content_index": 0}

    def _event(self, kind: str, **data: Any) -> bytes:
        number = self._number
        self._number += 1
        if number <= self._after:
            return b""
        document = msgspec.json.encode({"type": kind, "sequence_number": number, **data})
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), document)


class Settled:
    """Texts of a run in whole, as they are on record: the same however often the run is followed."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._step = 0

    def take(self, event: RunEvent) -> Sequence[RunEvent]:
        """What is settled now that this has happened."""
        if isinstance(event, TextDelta):
            if event.step == self._step or not self._text:
                self._text.append(event.text)
                self._step = event.step
                return ()
            whole, self._text = "".join(self._text), [event.text]
            step, self._step = self._step, event.step
            return (TextDelta(whole, step),)
        whole, self._text = "".join(self._text), []
        if isinstance(event, TurnEnded) and event.state != "done":
            return (event,)  # a text that was not finished is not on record
        return (TextDelta(whole, self._step), event) if whole else (event,)
