"""Event streams and drafts: however the bytes are cut, the reply is the same."""

import asyncio
import json
from itertools import pairwise
from typing import Any, cast

import pytest
from aiohttp import StreamReader
from hypothesis import given, settings
from hypothesis import strategies as st

from serai.core.message import ToolCall
from serai.models.answer import AnswerReader
from serai.models.deadline import Deadline
from serai.models.draft import Draft
from serai.models.fault import Upstream
from serai.models.sse import EventStream
from serai.ports.model import ModelReply

from .stub import USAGE


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b" a", b" b"]),
        (b"data:a\r\n\r\ndata:b\r\n\r\n", [b"a", b"b"]),
        (b"data:a\r\rdata:b\r\r", [b"a", b"b"]),
        (b"data:a\ndata:b\n\n", [b"a\nb"]),
        (b"data:a\rdata:b\n\n", [b"a\nb"]),
        (b": comment\nevent: x\nid: 1\nretry: 5\ndata:a\nunknown\n\n", [b"a"]),
        (b"\n\n\n: only comments\n\nevent: ping\n\n", []),
        (b"data:\n\n", [b""]),
        (b"data:a\n\n: c\n\ndata:b\n\n", [b"a", b"b"]),
        (b"data:a\n\nid: 7\ndata:b\n\n", [b"a", b"b"]),
        (b"data:a\n\ndata:b", [b"a", b"b"]),
        (b"datax:a\n\n data:b\n\n", []),
    ],
)
def test_events_are_found_however_the_bytes_come(stream: bytes, events: list[bytes]) -> None:
    for size in (1, 2, 3, 5, len(stream)):
        parser = EventStream()
        found = [event for at in range(0, len(stream), size) for event in parser.feed(stream[at : at + size])]
        assert found + parser.end() == events, size


class _Pieces:
    """A response's body that comes in given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)

    def at_eof(self) -> bool:
        return False

    async def readany(self) -> bytes:
        return next(self._pieces, b"")


async def read(pieces: list[bytes]) -> tuple[ModelReply, str]:
    """The reply of a body, and all text that was told on the way."""
    upstream = Upstream("m", "host")
    draft, told = Draft(upstream), list[str]()
    with Deadline(5.0) as deadline:
        content = cast("StreamReader", _Pieces(pieces))
        await AnswerReader(content, draft, upstream, deadline, 5.0).read(told.append)
    return draft.reply(), "".join(told)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ends = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """A valid stream with the text and the tool's arguments that it says."""
    end = draw(ends)
    said = draw(st.lists(texts, min_size=1, max_size=6))
    arguments = json.dumps({"q": draw(texts)})
    cut = draw(st.integers(0, len(arguments)))
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": said[0]}, *({"content": s} for s in said[1:])]
    first = {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": arguments[:cut]}}
    deltas += [{"tool_calls": [first]}, {"tool_calls": [{"index": 0, "function": {"arguments": arguments[cut:]}}]}]
    documents: list[dict[str, Any]] = [{"model": "m1", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    documents += [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": USAGE},
    ]
    ascii_only = draw(st.booleans())
    lines = [draw(st.sampled_from(["", "\ufeff"]))]
    for document in documents:
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from([": ping" + end * 2, "event: message" + end, "id: 3" + end])))
        indent = draw(st.sampled_from([None, 1]))
        document_lines = json.dumps(document, ensure_ascii=ascii_only, indent=indent).split("\n")
        lines += [draw(st.sampled_from(["data: ", "data:"])) + line + end for line in document_lines]
        lines.append(end)
    lines.append("data: [DONE]" + end * 2)
    return "".join(lines).encode(), "".join(said), arguments


async def test_a_byte_order_mark_may_be_cut_too() -> None:
    stream = b'\xef\xbb\xbfdata: {"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}]}\n\n'
    reply, _ = await read([stream[at : at + 1] for at in range(len(stream))])
    assert reply.message.text == "ok"


@settings(deadline=None)
@given(streams(), st.data())
def test_any_cutting_of_a_valid_stream_gives_the_same_reply(
    made: tuple[bytes, str, str], data: st.DataObject
) -> None:
    stream, text, arguments = made
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=40)))
    pieces = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
    whole = asyncio.run(read([stream]))
    assert asyncio.run(read(pieces)) == whole
    reply, told = whole
    assert reply.message.text == told == text
    assert reply.message.tool_calls == (ToolCall("call_1", "look", arguments),)
    assert (reply.model, reply.finish_reason, reply.usage.output_tokens) == ("m1", "tool_calls", 7)
