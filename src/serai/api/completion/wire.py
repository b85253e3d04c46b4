"""The shape of a chat-completion request (OpenAI API reference, "Create chat completion").

Unknown parameters are refused by name; inside messages unknown fields are tolerated, because clients send back what
other servers once answered.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from serai.api.completion.client_tool import AllowedTools, FunctionTool, Mode, NamedTool

Penalty = Annotated[float, Meta(ge=-2, le=2)]
Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Bias = Annotated[float, Meta(ge=-100, le=100)]
Label = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]


class TextPart(Struct, tag_field="type", tag="text"):
    """A piece of text."""

    text: str


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    """An earlier answer's refusal."""

    refusal: str


class ImageUrl(Struct):
    """A picture's address, `https:` or `data:`."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Struct, tag_field="type", tag="image_url"):
    """A picture."""

    image_url: ImageUrl


Texts = str | Annotated[list[TextPart], Meta(min_length=1)]


class SystemMessage(Struct, tag_field="role", tag="system"):
    """An instruction by the client."""

    content: Texts


class DeveloperMessage(Struct, tag_field="role", tag="developer"):
    """The newer name of a system message."""

    content: Texts


class UserMessage(Struct, tag_field="role", tag="user"):
    """What a person said."""

    content: str | Annotated[list[TextPart | ImagePart], Meta(min_length=1)]
    name: str | None = None


class FunctionCall(Struct):
    """What a tool call asks for; `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCall(Struct):
    """An earlier tool call."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class AssistantMessage(Struct, tag_field="role", tag="assistant"):
    """What was answered earlier."""

    content: str | list[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Any = None


class ToolMessage(Struct, tag_field="role", tag="tool"):
    """The result of an earlier tool call."""

    content: Texts
    tool_call_id: str


ChatMessage = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


class StreamOptions(Struct, forbid_unknown_fields=True):
    """How to stream. Obfuscation is padding that a client may always do without."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class TextFormat(Struct, tag_field="type", tag="text", omit_defaults=True):
    """Plain text."""


class JsonFormat(Struct, tag_field="type", tag="json_object", omit_defaults=True):
    """Any JSON object."""


class JsonSchema(Struct, omit_defaults=True):
    """A named JSON Schema."""

    name: Label
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class SchemaFormat(Struct, tag_field="type", tag="json_schema", omit_defaults=True):
    """JSON of a schema."""

    json_schema: JsonSchema


class ChatRequest(Struct, forbid_unknown_fields=True):
    """A whole request."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    # Passed to the model as they are (`OPTIONS`).
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Bias] | None = None
    max_completion_tokens: Count | None = None
    max_tokens: Count | None = None
    parallel_tool_calls: bool | None = None
    presence_penalty: Penalty | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    response_format: TextFormat | JsonFormat | SchemaFormat | None = None
    seed: Long | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None

    # The client's own functions (`client_tool.chosen`).
    tools: list[FunctionTool] | None = None
    tool_choice: Mode | NamedTool | AllowedTools | None = None

    # Refused where they ask for something (`convert.refuse_unsupported`).
    audio: Any = None
    function_call: Any = None
    functions: list[Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None
    moderation: Any = None
    n: Count | None = None
    prediction: Any = None
    top_logprobs: int | None = None
    web_search_options: Any = None

    # About the provider's own book-keeping: without meaning here, and without harm.
    metadata: dict[str, str] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    user: str | None = None


OPTIONS = (
    "frequency_penalty",
    "logit_bias",
    "max_completion_tokens",
    "max_tokens",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "top_p",
    "verbosity",
)
