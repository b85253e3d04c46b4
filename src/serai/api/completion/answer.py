"""What a client gets: chat.completion and chat.completion.chunk (OpenAI API reference, "Chat").

`model` is the agent that answered: models are agents in this API (SPEC 11.2).
"""

from typing import Final, Literal

from msgspec import Struct
from msgspec.json import encode

from serai.api.services import Run
from serai.core.call_id import shown
from serai.core.message import Answer, ToolCall, Usage

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]

DONE: Final = b"data: [DONE]\n\n"


class PromptDetails(Struct):
    cached_tokens: int


class CompletionDetails(Struct):
    reasoning_tokens: int


class UsageReport(Struct):
    """Tokens of all model calls of the turn."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class AskedFunction(Struct):
    """The function that is called; `arguments` is JSON text."""

    name: str
    arguments: str


class AskedCall(Struct, tag_field="type", tag="function"):
    """A call for the client to run."""

    id: str
    function: AskedFunction


class SaidMessage(Struct, tag_field="role", tag="assistant", omit_defaults=True):
    """The answer's text. Without a text there are calls."""

    content: str | None
    refusal: str | None
    annotations: list[str]
    tool_calls: list[AskedCall] | None = None


class Choice(Struct):
    """The one answer."""

    message: SaidMessage
    finish_reason: FinishReason
    index: int = 0
    logprobs: None = None


class Completion(Struct, tag_field="object", tag="chat.completion"):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: UsageReport


def completion(run: Run, answer: Answer) -> bytes:
    """The whole answer as JSON."""
    calls = [_call(run, call) for call in answer.tool_calls] or None
    text = answer.text if answer.text or calls is None else None
    choice = Choice(SaidMessage(text, None, [], calls), _reason(answer))
    return encode(Completion(_id(run), int(run.created_at), run.agent, [choice], _usage(answer.usage)))


class Chunks:
    """The events of one streamed answer, each as a complete server-sent event.

    Their equal parts are made once, because a long answer has thousands of them.
    """

    def __init__(self, run: Run, *, usage: bool) -> None:
        self._wants_usage = usage
        self._run = run
        same = encode({"id": _id(run), "object": "chat.completion.chunk", "created": int(run.created_at)})
        self._head = b"data: %b,%b" % (same[:-1], encode({"model": run.agent})[1:-1])
        tail = b',"usage":null}\n\n' if usage else b"}\n\n"
        self._before_text = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._after_text = b'},"logprobs":null,"finish_reason":null}]' + tail
        self._tail = tail

    def role(self) -> bytes:
        """The first chunk: who speaks."""
        delta = b'{"role":"assistant","content":"","refusal":null}'
        return (
            self._head
            + b',"choices":[{"index":0,"delta":%b,"logprobs":null,"finish_reason":null}]' % delta
            + self._tail
        )

    def text(self, piece: str) -> bytes:
        """A piece of the answer."""
        return self._before_text + encode(piece) + self._after_text

    def end(self, answer: Answer) -> bytes:
        """The last events: the calls for the client, why it ended, the usage where it was asked for, and the mark of
        the end."""
        reason = encode(_reason(answer))
        last = b',"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":%b}]' % reason + self._tail
        calls = [self._call(n, call) for n, call in enumerate(answer.tool_calls)]
        events = b"".join(calls) + self._head + last
        if self._wants_usage:
            events += self._head + b',"choices":[],"usage":%b}\n\n' % encode(_usage(answer.usage))
        return events + DONE

    def _call(self, index: int, call: ToolCall) -> bytes:
        """First which function, then its arguments, as clients are used to putting them together."""
        asked = _call(self._run, call)
        begun = AskedCall(asked.id, AskedFunction(asked.function.name, ""))
        named = b'{"index":%d,%b' % (index, encode(begun)[1:])
        given = encode({"index": index, "function": {"arguments": asked.function.arguments}})
        return b"".join(
            self._head
            + b',"choices":[{"index":0,"delta":{"tool_calls":[%b]},"logprobs":null,"finish_reason":null}]' % piece
            + self._tail
            for piece in (named, given)
        )


def _id(run: Run) -> str:
    return f"chatcmpl-{run.id}"


def _call(run: Run, call: ToolCall) -> AskedCall:
    return AskedCall(shown(run.id, call.id), AskedFunction(call.name, call.arguments))


def _reason(answer: Answer) -> FinishReason:
    if answer.tool_calls:
        return "tool_calls"
    match answer.finish_reason:
        case "length":
            return "length"
        case "content_filter":
            return "content_filter"
        case _:
            return "stop"


def _usage(usage: Usage) -> UsageReport:
    return UsageReport(
        usage.input_tokens,
        usage.output_tokens,
        usage.input_tokens + usage.output_tokens,
        PromptDetails(usage.cached_tokens),
        CompletionDetails(usage.reasoning_tokens),
    )
