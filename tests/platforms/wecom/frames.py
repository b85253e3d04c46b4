"""What WeCom takes from a bot, strictly: an unknown command, field or type is an error of the driver."""

import base64
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A shape without anything beside it."""


class Headers(Strict):
    req_id: Annotated[str, Meta(min_length=1)]


class Frame(Strict):
    cmd: str
    headers: Headers
    body: msgspec.Raw = msgspec.Raw()


class Subscribe(Strict):
    bot_id: str
    secret: str


class Stream(Strict):
    id: Annotated[str, Meta(min_length=1)]
    content: str
    finish: bool


class StreamBody(Strict, tag_field="msgtype", tag="stream"):
    stream: Stream


class Button(Strict):
    text: str
    style: Literal[1, 2, 3, 4]
    key: Annotated[str, Meta(min_length=1, max_length=1024)]


class Title(Strict):
    title: Annotated[str, Meta(min_length=1, max_length=26)]


class Action(Strict):
    type: Literal[0, 1, 2]


class Card(Strict):
    card_type: Literal["button_interaction", "text_notice"]
    main_title: Title
    task_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_@-]{1,128}$")]
    sub_title_text: str = ""
    button_list: Annotated[list[Button], Meta(max_length=6)] = []
    card_action: Action | None = None


class CardBody(Strict, tag_field="msgtype", tag="template_card"):
    template_card: Card


class Markdown(Strict):
    content: Annotated[str, Meta(min_length=1)]


class MediaId(Strict):
    media_id: str


class UnaskedMarkdown(Strict, tag_field="msgtype", tag="markdown"):
    chatid: str
    markdown: Markdown


class UnaskedCard(Strict, tag_field="msgtype", tag="template_card"):
    chatid: str
    template_card: Card


class UnaskedFile(Strict, tag_field="msgtype", tag="file"):
    chatid: str
    file: MediaId


class UnaskedImage(Strict, tag_field="msgtype", tag="image"):
    chatid: str
    image: MediaId


class Update(Strict):
    response_type: Literal["update_template_card"]
    template_card: Card


class UploadInit(Strict):
    type: Literal["file", "image", "voice", "video"]
    filename: str
    total_size: int
    total_chunks: Annotated[int, Meta(ge=1, le=100)]
    md5: str


class UploadChunk(Strict):
    upload_id: str
    chunk_index: int
    base64_data: str


class UploadFinish(Strict):
    upload_id: str


SHAPES: Final[dict[str, Any]] = {
    "aibot_subscribe": Subscribe,
    "aibot_respond_msg": StreamBody | CardBody,
    "aibot_respond_update_msg": Update,
    "aibot_send_msg": UnaskedMarkdown | UnaskedCard | UnaskedFile | UnaskedImage,
    "aibot_upload_media_init": UploadInit,
    "aibot_upload_media_chunk": UploadChunk,
    "aibot_upload_media_finish": UploadFinish,
}


def read(text: str) -> tuple[Frame, Any]:
    """A frame and its body. Raises msgspec.ValidationError, KeyError for an unknown command."""
    frame = msgspec.json.decode(text, type=Frame)
    if frame.cmd == "ping":
        assert not bytes(frame.body), "a ping has no body"
        return frame, None
    return frame, msgspec.json.decode(frame.body, type=SHAPES[frame.cmd])


def size(content: str) -> int:
    return len(content.encode())


def data(chunk: UploadChunk) -> bytes:
    return base64.b64decode(chunk.base64_data, validate=True)
