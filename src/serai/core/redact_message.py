"""What is said, and what is told of it, without known secrets (SPEC 14, 16.4)."""

from dataclasses import replace

from serai.core.delivery import Delivery
from serai.core.message import Image, Message, ToolCall
from serai.core.redact import Redactor


def clean_message(redactor: Redactor, message: Message) -> Message:
    """The message as others may see it; the same object where it holds no secret."""
    text = redactor.clean(message.text)
    if not (message.images or message.tool_calls or message.name or message.tool_call_id):
        return message if text is message.text else replace(message, text=text)
    images = tuple([_clean_image(redactor, image) for image in message.images])
    calls = tuple([clean_call(redactor, call) for call in message.tool_calls])
    name, call_id = message.name and redactor.clean(message.name), message.tool_call_id
    call_id = call_id and redactor.clean(call_id)
    cleaned = replace(message, text=text, images=images, tool_calls=calls, name=name, tool_call_id=call_id)
    return message if cleaned == message else cleaned


def clean_call(redactor: Redactor, call: ToolCall) -> ToolCall:
    """The call of a tool as others may see it; the same object where it holds no secret."""
    cleaned = ToolCall(redactor.clean(call.id), redactor.clean(call.name), redactor.clean_arguments(call.arguments))
    return call if cleaned == call else cleaned


def clean_delivery(redactor: Redactor, delivery: Delivery) -> Delivery:
    """What is sent: the text, and the name of the file. The same object where neither holds a secret."""
    text, file = redactor.clean(delivery.text), delivery.enclosure
    name = redactor.clean(file.name) if file is not None else ""
    if file is not None and name != file.name:
        return replace(delivery, text=text, enclosure=replace(file, name=name))
    return delivery if text is delivery.text else replace(delivery, text=text)


def _clean_image(redactor: Redactor, image: Image) -> Image:
    """Its address; the content of one that stands in a `data:` address is no text to us."""
    if image.url.startswith("data:"):
        return image
    url = redactor.clean(image.url)
    return image if url is image.url else replace(image, url=url)
