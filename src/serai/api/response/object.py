"""What a client gets: the response object (OpenAI API reference, "Responses"; Open Responses).

`model` is the agent that answered: models are agents in this API.
"""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from serai.api.response.echo import ConversationEcho, Echo, ReasoningEcho, TextEcho
from serai.api.response.id import bare, response_id
from serai.api.response.item import AnyItem, CallItem, InputImage, InputText, ItemStatus, MessageItem, OutputText
from serai.api.response.wire import AllowedTools, FunctionTool, NamedTool
from serai.core.call_id import shown
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import AgentId, InputId
from serai.core.message import Answer, Message, ToolCall, Usage

Status = Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"]


class InputDetails(Struct):
    cached_tokens: int
    cache_write_tokens: int = 0


class OutputDetails(Struct):
    reasoning_tokens: int


class UsageReport(Struct):
    """Tokens of all model calls of the turn."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class Fault(Struct):
    """Why it failed: `code` as the protocol has it, `type` as the gateway's other errors have their code."""

    code: Literal["server_error", "rate_limit_exceeded"]
    message: str
    type: str
    param: None = None


class Incomplete(Struct):
    reason: Literal["max_output_tokens", "content_filter"]


class Response(Struct, tag_field="object", tag="response"):
    """A response as it is now."""

    id: str
    created_at: int
    completed_at: int | None
    status: Status
    model: str
    output: Sequence[AnyItem]
    usage: UsageReport | None
    error: Fault | None
    incomplete_details: Incomplete | None
    instructions: str | None
    previous_response_id: str | None
    conversation: ConversationEcho | None
    metadata: dict[str, str]
    text: TextEcho
    reasoning: ReasoningEcho
    tools: list[FunctionTool]
    tool_choice: str | NamedTool | AllowedTools
    parallel_tool_calls: bool
    max_output_tokens: int | None
    max_tool_calls: None
    temperature: float
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    top_logprobs: int
    truncation: Literal["auto", "disabled"]
    store: bool
    background: bool
    service_tier: str
    safety_identifier: str | None
    prompt_cache_key: str | None
    user: str | None


class About(Struct):
    """Whose response it is, and what does not change while it is made."""

    run: InputId
    agent: AgentId
    created_at: float
    echo: Echo

    def response(
        self,
        status: Status,
        output: Sequence[AnyItem] = (),
        ended: TurnEnded | None = None,
        ended_at: float | None = None,
    ) -> Response:
        """The object at one moment."""
        answer = ended.answer if ended is not None else None
        repeated: dict[str, Any] = {name: getattr(self.echo, name) for name in self.echo.__struct_fields__}
        return Response(
            id=response_id(self.run),
            created_at=int(self.created_at),
            completed_at=int(ended_at) if ended_at is not None and status == "completed" else None,
            status=status,
            model=self.agent,
            output=output,
            usage=_usage(answer.usage) if answer is not None else None,
            error=_fault(ended) if status == "failed" and ended is not None else None,
            incomplete_details=_incomplete(answer) if status == "incomplete" and answer is not None else None,
            **repeated,
        )

    def message(self, n: int, text: str, status: ItemStatus = "completed") -> MessageItem:
        """The `n`th item of the output, a text."""
        content: list[OutputText | InputText | InputImage] = [] if status == "in_progress" else [OutputText(text)]
        return MessageItem(self.item_id("msg", n), "assistant", content, status)

    def call(self, n: int, call: ToolCall, status: ItemStatus = "completed") -> CallItem:
        """The `n`th item of the output, a call for the client."""
        arguments = call.arguments if status == "completed" else ""
        return CallItem(self.item_id("fc", n), shown(self.run, call.id), call.name, arguments, status)

    def item_id(self, kind: str, n: int) -> str:
        """The id of the `n`th item of the output."""
        return f"{kind}_{bare(self.run)}_{n}"


def status_of(ended: TurnEnded) -> Status:
    """How a response ended."""
    if ended.state != "done":
        return ended.state
    return "completed" if ended.answer is None or _incomplete(ended.answer) is None else "incomplete"


def outputs(about: About, said: Sequence[Message], ended: TurnEnded, *, final_only: bool = False) -> list[AnyItem]:
    """The items of an ended turn: every text in order, and last the calls for the client. With `final_only`, the last
    text alone."""
    texts = [one.text for one in said if one.role == "assistant" and one.text]
    answer = ended.answer or Answer("")
    if final_only:
        texts = [answer.text] if answer.text else []
    items: list[AnyItem] = [about.message(n, text) for n, text in enumerate(texts)]
    return [*items, *(about.call(len(items) + n, call) for n, call in enumerate(answer.tool_calls))]


def _usage(usage: Usage) -> UsageReport:
    return UsageReport(
        usage.input_tokens,
        InputDetails(usage.cached_tokens),
        usage.output_tokens,
        OutputDetails(usage.reasoning_tokens),
        usage.input_tokens + usage.output_tokens,
    )


def _fault(ended: TurnEnded) -> Fault:
    fault = ended.fault or TurnFault("the turn failed")
    return Fault("rate_limit_exceeded" if fault.status == 429 else "server_error", fault.text, fault.code)


def _incomplete(answer: Answer) -> Incomplete | None:
    if answer.tool_calls:
        return None
    match answer.finish_reason:
        case "length":
            return Incomplete("max_output_tokens")
        case "content_filter":
            return Incomplete("content_filter")
        case _:
            return None
