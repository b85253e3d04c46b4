"""The items that a response is made of, and that were said to the agent (OpenAI API reference, "Responses")."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, field

from serai.api.response.id import bare
from serai.core.ids import InputId
from serai.core.message import Image, Message

ItemStatus = Literal["in_progress", "completed", "incomplete"]


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


def inputs(run: InputId, messages: Sequence[Message]) -> list[AnyItem]:
    """What was said to the agent, as items."""
    items: list[AnyItem] = []
    for one in messages:
        name = f"{bare(run)}_in{len(items)}"
        if one.role == "tool":
            items.append(CallOutputItem(f"fco_{name}", one.tool_call_id or "", one.text))
            continue
        if one.text or one.images or not one.tool_calls:
            items.append(MessageItem(f"msg_{name}", one.role, _parts(one)))
        for call in one.tool_calls:
            name = f"{bare(run)}_in{len(items)}"
            items.append(CallItem(f"fc_{name}", call.id, call.name, call.arguments))
    return items


def _parts(said: Message) -> list[OutputText | InputText | InputImage]:
    if said.role == "assistant":
        return [OutputText(said.text)]
    texts: list[OutputText | InputText | InputImage] = [InputText(said.text)] if said.text or not said.images else []
    return [*texts, *(_picture(image) for image in said.images)]


def _picture(image: Image) -> InputImage:
    return InputImage(image.url, image.detail)
