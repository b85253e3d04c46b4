"""What a response repeats of its request (OpenAI API reference, "Responses")."""

from functools import cache
from typing import Literal

from msgspec import Struct

from serai.api.response.wire import (
    AllowedTools,
    FunctionTool,
    JsonFormat,
    NamedTool,
    ResponseRequest,
    SchemaFormat,
    TextFormat,
)


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


def _or(value: float | None, usual: float) -> float:
    return usual if value is None else value
