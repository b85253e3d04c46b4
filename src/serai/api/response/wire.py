"""The shape of a request for a response (OpenAI API reference, "Responses"; Open Responses, "Create a response").

Unknown parameters are refused by name; inside items unknown fields are tolerated, because clients send back what they
were once answered.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from serai.api.completion.client_tool import FunctionName, Mode
from serai.api.completion.wire import Count, Label, Penalty
from serai.core.message import ClientTool

Probability = Annotated[float, Meta(ge=0, le=1)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
ResponseId = Annotated[str, Meta(min_length=1, max_length=256)]


class InputText(Struct, tag_field="type", tag="input_text"):
    """A piece of what is said to the agent."""

    text: str


class OutputText(Struct, tag_field="type", tag="output_text"):
    """A piece of what was answered."""

    text: str


class Refusal(Struct, tag_field="type", tag="refusal"):
    """A refusal that was answered."""

    refusal: str


class InputImage(Struct, tag_field="type", tag="input_image"):
    """A picture by address."""

    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high"] | None = None


Part = InputText | OutputText | Refusal | InputImage
Content = str | Annotated[list[Part], Meta(min_length=1)]


class Item(Struct):
    """An item of the input; which fields it needs depends on its type."""

    type: Literal["message", "function_call", "function_call_output", "reasoning", "item_reference"] = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: Content | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: Content | None = None


class FunctionTool(Struct, tag_field="type", tag="function", forbid_unknown_fields=True):
    """A function of the client; there are no other tools here."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def tool(self) -> ClientTool:
        """The same in the gateway's words."""
        return ClientTool(self.name, self.description or "", self.parameters or {}, self.strict)


class NamedTool(Struct, tag_field="type", tag="function"):
    """The one function that must be called, or one that may be."""

    name: str


class AllowedTools(Struct, tag_field="type", tag="allowed_tools"):
    """The choice is narrowed."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Meta(min_length=1)]


class TextFormat(Struct, tag_field="type", tag="text", omit_defaults=True):
    """Plain text."""


class JsonFormat(Struct, tag_field="type", tag="json_object", omit_defaults=True):
    """Any JSON object."""


class SchemaFormat(Struct, tag_field="type", tag="json_schema", omit_defaults=True):
    """JSON of a schema."""

    name: Label
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class Text(Struct, forbid_unknown_fields=True):
    """How the answer is written."""

    format: TextFormat | JsonFormat | SchemaFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Struct, forbid_unknown_fields=True):
    """How long the model thinks. There are no summaries of it, so only `auto` may be asked for."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto"] | None = None


class StreamOptions(Struct, forbid_unknown_fields=True):
    """Obfuscation is padding that a client may always do without."""

    include_obfuscation: bool | None = None


class NamedConversation(Struct):
    """A conversation by its id."""

    id: ResponseId


class ResponseRequest(Struct, forbid_unknown_fields=True):
    """A whole request."""

    input: Annotated[str, Meta(min_length=1)] | Annotated[list[Item], Meta(min_length=1)]
    model: str | None = None
    instructions: str | None = None
    previous_response_id: ResponseId | None = None
    conversation: ResponseId | NamedConversation | None = None
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    metadata: Metadata | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Mode | NamedTool | AllowedTools | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Probability | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    truncation: Literal["auto", "disabled"] | None = None
    include: list[Literal["reasoning.encrypted_content"]] | None = None

    # Refused where they ask for something (`response_convert.refuse_unsupported`).
    access_programs: Any = None
    background_options: Any = None
    context_management: Any = None
    image: Any = None
    max_tool_calls: Any = None
    moderation: Any = None
    prompt: Any = None
    top_logprobs: int | None = None

    # About the provider's own book-keeping: without meaning here, and without harm.
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    user: str | None = None
