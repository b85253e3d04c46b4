"""What the calls take, strictly: the parameters of the vendor's Node client (`types/index.d.ts`), and the limits of
the documentation. Whatever does not fit is a violation that fails the test."""

import json
import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

_Id = Annotated[str, Meta(min_length=1)]
_Uuid = Annotated[str, Meta(min_length=1, max_length=50)]
_Sequence = Annotated[int, Meta(ge=1, le=2147483647)]
_Kind = Literal["text", "post", "image", "file", "audio", "media", "interactive"]
_LARGEST: Final = {"text": 150 * 1024}
_LARGEST_RICH: Final = 30 * 1024


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A body in which every key is known."""


class Token(Shape):
    app_id: _Id
    app_secret: _Id


class Login(Shape):
    AppID: _Id
    AppSecret: _Id


class Create(Shape):
    receive_id: _Id
    msg_type: _Kind
    content: str
    uuid: _Uuid | None = None


class Reply(Shape):
    msg_type: _Kind
    content: str
    reply_in_thread: bool = False
    uuid: _Uuid | None = None


class Update(Shape):
    msg_type: Literal["text", "post"]
    content: str


class Patch(Shape):
    content: str


class Emoji(Shape):
    emoji_type: Literal["Typing"]


class Reaction(Shape):
    reaction_type: Emoji


class NewCard(Shape):
    type: Literal["card_json"]
    data: Annotated[str, Meta(min_length=1, max_length=3_000_000)]


class Content(Shape):
    content: Annotated[str, Meta(min_length=1, max_length=100_000)]
    sequence: _Sequence
    uuid: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Settings(Shape):
    settings: str
    sequence: _Sequence
    uuid: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class FullCard(Shape):
    card: NewCard
    sequence: _Sequence
    uuid: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Convert(Shape):
    message_id: _Id


class Violation(AssertionError):
    """A request that the platform's documentation does not allow."""


class PlainText(Shape):
    tag: Literal["plain_text"]
    content: Annotated[str, Meta(min_length=1, max_length=100)]


class Callback(Shape):
    type: Literal["callback"]
    value: dict[str, Any]


class Button(Shape, tag="button", tag_field="tag"):
    text: PlainText
    behaviors: Annotated[tuple[Callback, ...], Meta(min_length=1, max_length=1)]
    type: Literal["default", "primary", "danger"] = "default"


class Column(Shape):
    tag: Literal["column"]
    elements: tuple[Button, ...]
    width: Literal["auto", "weighted"] = "weighted"


class ColumnSet(Shape, tag="column_set", tag_field="tag"):
    columns: Annotated[tuple[Column, ...], Meta(min_length=1)]
    flex_mode: Literal["none", "stretch", "flow", "bisect", "trisect"] = "none"


class Markdown(Shape, tag="markdown", tag_field="tag"):
    content: str
    element_id: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,19}$")]


class Summary(Shape):
    content: str


class Config(Shape):
    streaming_mode: bool = False
    update_multi: bool = True
    summary: Summary | None = None


class Body(Shape):
    elements: Annotated[tuple[Markdown | Button | ColumnSet, ...], Meta(min_length=1, max_length=200)]


class Card(Shape):
    """A card of JSON 2.0, as far as this product makes cards."""

    schema: Literal["2.0"]
    body: Body
    config: Config = msgspec.field(default_factory=Config)

    @property
    def text(self) -> str:
        return "\n".join(element.content for element in self.body.elements if isinstance(element, Markdown))

    @property
    def buttons(self) -> list[Button]:
        sets = [element for element in self.body.elements if isinstance(element, ColumnSet)]
        return [button for one in sets for column in one.columns for button in column.elements]


def read(data: bytes | str, shape: type[Any]) -> Any:
    """The body as its shape. Raises Violation."""
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Violation(f"{shape.__name__}: {error}") from None


def read_card(data: str) -> Card:
    """A card. Raises Violation."""
    if len(data.encode()) > _LARGEST_RICH:
        raise Violation("a card of more than 30 KB")
    card: Card = read(data, Card)
    return card


def check_size(kind: str, body: bytes) -> None:
    """Raises Violation for a message that is too large."""
    if len(body) > _LARGEST.get(kind, _LARGEST_RICH):
        raise Violation(f"a {kind} of {len(body)} bytes")


def post_text(content: str) -> str:
    """What people read in a post. Raises Violation for what is none."""
    post = json.loads(content)
    if set(post) != {"zh_cn"} or not set(post["zh_cn"]) <= {"title", "content"}:
        raise Violation("a post without a language")
    nodes = [node for line in post["zh_cn"]["content"] for node in line]
    for node in nodes:
        if node["tag"] not in ("md", "img") or (node["tag"] == "md" and not node["text"]):
            raise Violation(f"a post with {node}")
    text = "\n".join(node["text"] for node in nodes if node["tag"] == "md")
    if re.search(r"<\s*at\b", text, re.IGNORECASE):
        raise Violation("somebody is mentioned")
    return text
