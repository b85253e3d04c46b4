"""What a client gets: the response object and its items (OpenAI API reference, "Responses"; Open Responses).

An id of a response is that of its run. `model` is the agent that answered: models are agents in this API.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Literal

from msgspec import Struct, field

from serai.api.response.wire import (
    AllowedTools,
    FunctionTool,
    JsonFormat,
    NamedTool,
    ResponseRequest,
    SchemaFormat,
    TextFormat,
)
from serai.core.call_id import shown
from serai.core.event import TurnEnded, TurnFault
from serai.core.ids import AgentId, InputId
from serai.core.message import Answer, Image, Message, ToolCall, Usage

Status = Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"]
ItemStatus = Literal["in_progress", "completed", "incomplete"]

_RUN: Final = "run_"
_RESPONSE: Final = "resp_"


def response_id(run: InputId) -> str:
    """The id of a run's response."""
    return _RESPONSE + run.removeprefix(_RUN)


def run_id(response: str) -> InputId:
    """The run of a response; one that does not exist for an id that is none."""
    return InputId(_RUN + response.removeprefix(_RESPONSE) if response.startswith(_RESPONSE) else response)


class OutputText(Struct, tag_field="type", tag="output_text"):
    """The text of an answer."""

    text: str
    annotations: list[str] = field(default_factory=list)
    logprobs: list[str] = field(default_factory=list)


class InputText(Struct, tag_field="type", tag="input_text"):
    """A text that was said to the agent."""

    text: str


class InputImage(Struct, tag_field="type", tag="input_image"):
    """A picture that was shown to the agent."""

    image_url: str
    detail: Literal["auto", "low", "high"]
    file_id: None = None


class MessageItem(Struct, tag_field="type", tag="message"):
    """Something that was said."""

    id: str
    role: Literal["user", "assistant", "system"]
    content: list[OutputText | InputText | InputImage]
    status: ItemStatus = "completed"


class CallItem(Struct, tag_field="type", tag="function_call"):
    """A call for the client to run."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: ItemStatus = "completed"


class CallOutputItem(Struct, tag_field="type", tag="function_call_output"):
    """The result that the client brought."""

    id: str
    call_id: str
    output: str
    status: ItemStatus = "completed"


AnyItem = MessageItem | CallItem | CallOutputItem


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


class TextEcho(Struct):
    format: TextFormat | JsonFormat | SchemaFormat
    verbosity: Literal["low", "medium", "high"] | None = "medium"


class ReasoningEcho(Struct):
    effort: str | None
    summary: str | None


class ConversationEcho(Struct):
    id: str


class Echo(Struct):
    """What a response repeats of its request; kept with it. What was not set has the protocol's usual value."""

    instructions: str | None
    previous_response_id: str | None
    metadata: dict[str, str]
    text: TextEcho
    reasoning: ReasoningEcho
    tools: list[FunctionTool]
    tool_choice: str | NamedTool | AllowedTools
    parallel_tool_calls: bool
    max_output_tokens: int | None
    temperature: float
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    truncation: Literal["auto", "disabled"]
    store: bool
    background: bool
    safety_identifier: str | None
    prompt_cache_key: str | None
    user: str | None
    conversation: ConversationEcho | None = None
    max_tool_calls: None = None
    top_logprobs: int = 0
    service_tier: str = "default"


def echo(wanted: ResponseRequest, conversation: str | None = None) -> Echo:
    """What is repeated of a request."""
    text, reasoning = wanted.text, wanted.reasoning
    return Echo(
        instructions=wanted.instructions,
        previous_response_id=wanted.previous_response_id,
        metadata=wanted.metadata or {},
        text=TextEcho((text and text.format) or TextFormat(), (text and text.verbosity) or "medium"),
        reasoning=ReasoningEcho(reasoning.effort, reasoning.summary) if reasoning else ReasoningEcho(None, None),
        tools=wanted.tools or [],
        tool_choice=wanted.tool_choice or "auto",
        parallel_tool_calls=wanted.parallel_tool_calls is not False,
        max_output_tokens=wanted.max_output_tokens,
        temperature=_or(wanted.temperature, 1.0),
        top_p=_or(wanted.top_p, 1.0),
        presence_penalty=_or(wanted.presence_penalty, 0.0),
        frequency_penalty=_or(wanted.frequency_penalty, 0.0),
        truncation=wanted.truncation or "disabled",
        store=wanted.store is not False,
        background=bool(wanted.background),
        safety_identifier=wanted.safety_identifier,
        prompt_cache_key=wanted.prompt_cache_key,
        user=wanted.user,
        conversation=ConversationEcho(conversation) if conversation is not None else None,
    )


@cache
def usual_echo() -> Echo:
    """What a request repeats that sets nothing."""
    return echo(ResponseRequest(""))


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
        return f"{kind}_{self.run.removeprefix(_RUN)}_{n}"


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


def inputs(run: InputId, messages: Sequence[Message]) -> list[AnyItem]:
    """What was said to the agent, as items."""
    items: list[AnyItem] = []
    for one in messages:
        name = f"{run.removeprefix(_RUN)}_in{len(items)}"
        if one.role == "tool":
            items.append(CallOutputItem(f"fco_{name}", one.tool_call_id or "", one.text))
            continue
        if one.text or one.images or not one.tool_calls:
            items.append(MessageItem(f"msg_{name}", one.role, _parts(one)))
        for call in one.tool_calls:
            name = f"{run.removeprefix(_RUN)}_in{len(items)}"
            items.append(CallItem(f"fc_{name}", call.id, call.name, call.arguments))
    return items


def _parts(said: Message) -> list[OutputText | InputText | InputImage]:
    if said.role == "assistant":
        return [OutputText(said.text)]
    texts: list[OutputText | InputText | InputImage] = [InputText(said.text)] if said.text or not said.images else []
    return [*texts, *(_picture(image) for image in said.images)]


def _picture(image: Image) -> InputImage:
    return InputImage(image.url, image.detail)


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


def _or(value: float | None, usual: float) -> float:
    return usual if value is None else value
