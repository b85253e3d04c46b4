"""Events as messages, and contents as texts: tables."""

import json
from typing import Any

import msgspec
import pytest

from serai.core.ids import Account
from serai.core.message import Attachment, Inbound
from serai.core.source import Source
from serai.platforms.feishu import content, convert
from serai.platforms.feishu.wire import BotInfo, Header, Pressed, Received

ACCOUNT = Account("feishu", "work")
BOT = BotInfo("ou_bot", "Serai")
NOTHING = convert.Known()
HEADER = Header("im.message.receive_v1", "ev1", "tenant")
BOTS = {"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Serai"}
TOMS = {"key": "@_user_10", "id": {"open_id": "ou_tom"}, "name": "Tom\u202e"}


def received(kind: str = "text", body: Any = None, **fields: Any) -> Received:
    message = {
        "message_id": "om_1",
        "chat_id": "oc_1",
        "message_type": kind,
        "content": json.dumps(body or {"text": "hi"}),
    }
    sender = {"sender_type": fields.pop("sender_type", "user"), "sender_id": {"open_id": "ou_1", "union_id": "on_1"}}
    return msgspec.convert({"sender": sender, "message": message | fields}, Received)


def inbound(event: Received, known: convert.Known = NOTHING) -> Inbound:
    said = content.read(event.message.message_type, event.message.content, event.message.message_id)
    return convert.inbound(ACCOUNT, HEADER, event, said, BOT, "cli_1", known)


def test_a_direct_message_has_all_that_routing_can_match() -> None:
    assert inbound(received(), convert.Known("Ada\n", "", "")).source == Source(
        "feishu",
        "work",
        "oc_1",
        "dm",
        user_id="ou_1",
        user_id_alt="on_1",
        user_name="Ada",
        guild_id="tenant",
        message_id="om_1",
    )


def test_a_message_of_a_topic_is_of_its_group_and_thread() -> None:
    event = received(chat_type="group", thread_id="omt_1", root_id="om_0", parent_id="om_0")
    source = inbound(event, convert.Known("Ada", "ops", "")).source
    assert (source.chat_type, source.chat_id, source.thread_id, source.chat_name) == ("group", "oc_1", "omt_1", "ops")


def test_a_reply_outside_of_topics_is_no_thread() -> None:
    assert inbound(received(chat_type="group", root_id="om_0", parent_id="om_0")).source.thread_id is None


@pytest.mark.parametrize(
    ("text", "mentions", "said", "mentioned"),
    [
        ("@_user_1 hello", [BOTS], "hello", True),
        ("hello @_user_1", [BOTS], "hello", True),
        ("@_user_1你好", [BOTS], "你好", True),
        ("@_user_1 ask @_user_10 first", [BOTS, TOMS], "ask @Tom first", True),
        ("@_user_10 hello", [TOMS], "@Tom hello", False),
        ("@_all hello", [], "@all hello", False),
        ("@_all你好", [], "@all你好", False),
        ("@_allow @_user_3", [], "@_allow @_user_3", False),
        ("hello", [], "hello", False),
        ("@_user_1 x", [{"key": "@_user_1", "id": None, "name": None}], "@ x", False),
    ],
)
def test_mentions_are_names_and_the_bots_own_is_taken_out(
    text: str, mentions: list[dict[str, Any]], said: str, mentioned: bool
) -> None:
    message = inbound(received(body={"text": text}, chat_type="group", mentions=mentions))
    assert (message.text, message.mentioned) == (said, mentioned)


@pytest.mark.parametrize(("author", "mentioned"), [("cli_1", True), ("ou_bot", True), ("ou_2", False), ("", False)])
def test_an_answer_to_the_bots_own_message_is_said_to_it(author: str, mentioned: bool) -> None:
    event = received(chat_type="group", parent_id="om_0")
    assert inbound(event, convert.Known(parent_author=author)).mentioned is mentioned


@pytest.mark.parametrize(("length", "near"), [(3799, False), (3800, True), (4000, True)])
def test_a_text_as_long_as_clients_cut_it_is_near_the_limit(length: int, near: bool) -> None:
    assert inbound(received(body={"text": "x" * length})).near_limit is near


def test_bots_are_marked_and_the_own_is_known() -> None:
    assert inbound(received(sender_type="app")).source.is_bot
    assert not convert.is_own(received(), BOT)
    assert convert.is_own(received(), BotInfo("ou_1"))


def ref(key: str, kind: str = "file") -> str:
    return json.dumps(["om_1", key, kind], separators=(",", ":"))


@pytest.mark.parametrize(
    ("kind", "body", "text", "files"),
    [
        ("text", {"text": "[Feishu](https://open.feishu.cn)"}, "[Feishu](https://open.feishu.cn)", ()),
        ("image", {"image_key": "img_1"}, "", (Attachment(media_type="image/jpeg", ref=ref("img_1", "image")),)),
        (
            "file",
            {"file_key": "f1", "file_name": "a.pdf"},
            "",
            (Attachment(name="a.pdf", media_type="application/pdf", ref=ref("f1")),),
        ),
        ("file", {"file_key": "f1", "file_name": "a.?"}, "", (Attachment(name="a.?", ref=ref("f1")),)),
        ("audio", {"file_key": "f1", "duration": 2000}, "", (Attachment(media_type="audio/ogg", ref=ref("f1")),)),
        (
            "media",
            {"file_key": "f1", "file_name": "a.mp4", "image_key": "i"},
            "",
            (Attachment(name="a.mp4", media_type="video/mp4", ref=ref("f1")),),
        ),
        ("location", {"name": "Bund", "longitude": "121", "latitude": "31"}, "[location: Bund (31, 121)]", ()),
        ("vote", {"topic": "Lunch", "options": ["rice", "soup"]}, "[vote: Lunch]\n- rice\n- soup", ()),
    ],
)
def test_every_kind_is_text_or_files(kind: str, body: Any, text: str, files: tuple[Attachment, ...]) -> None:
    assert content.read(kind, json.dumps(body), "om_1") == content.Content(text, files)


POST = {
    "title": "Plan",
    "content": [
        [
            {"tag": "text", "text": "see "},
            {"tag": "a", "text": "this", "href": "https://a.example"},
            {"tag": "text", "text": " or "},
            {"tag": "a", "text": "https://b.example", "href": "https://b.example"},
        ],
        [
            {"tag": "at", "user_id": "@_user_1", "user_name": "Tom"},
            {"tag": "text", "text": " and "},
            {"tag": "at", "user_id": "all"},
        ],
        [{"tag": "img", "image_key": "img_1"}],
        [{"tag": "media", "file_key": "f1", "image_key": "i"}],
        [{"tag": "emotion", "emoji_type": "SMILE"}],
        [{"tag": "hr"}],
        [{"tag": "code_block", "language": "GO", "text": "x := 1\n"}],
    ],
}
PLAIN = """Plan
see [this](https://a.example) or https://b.example
@_user_1 and @_all


:SMILE:
---
```go
x := 1
```"""


@pytest.mark.parametrize("post", [POST, {"zh_cn": POST}, {"en_us": POST}])
def test_a_post_is_plain_text_and_its_pictures_are_files(post: Any) -> None:
    read = content.read("post", json.dumps(post), "om_1")
    assert read.text == PLAIN
    assert [file.ref for file in read.files] == [ref("img_1", "image"), ref("f1")]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("sticker", '{"file_key": "f1"}'),
        ("interactive", "{}"),
        ("merge_forward", '{"content": "Merged and Forwarded Message"}'),
        ("folder", '{"file_key": "f1", "file_name": "x"}'),
        ("todo", "{}"),
        ("text", "no json"),
        ("text", '{"text": 7}'),
        ("post", "[]"),
        ("image", "{}"),
    ],
)
def test_what_has_no_text_is_unreadable(kind: str, body: str) -> None:
    with pytest.raises(content.Unreadable):
        content.read(kind, body, "om_1")


def pressed(value: Any) -> Pressed:
    event = {
        "operator": {"open_id": "ou_1", "union_id": "on_1"},
        "action": {"tag": "button", "value": value},
        "context": {"open_message_id": "om_9", "open_chat_id": "oc_1"},
    }
    return msgspec.json.decode(json.dumps(event), type=Pressed)


def test_a_press_tells_value_person_and_place() -> None:
    press = convert.press(ACCOUNT, HEADER, pressed({"value": "a:1", "chat_type": "group", "thread_id": "omt_1"}))
    assert press is not None
    assert (press.value, press.dedupe_key) == ("a:1", "event:ev1")
    assert press.source == Source(
        "feishu",
        "work",
        "oc_1",
        "group",
        user_id="ou_1",
        user_id_alt="on_1",
        thread_id="omt_1",
        guild_id="tenant",
        message_id="om_9",
    )


@pytest.mark.parametrize("value", [{"key": "foreign"}, "text", None, 7, {"value": 1}])
def test_a_foreign_button_is_no_press(value: Any) -> None:
    assert convert.press(ACCOUNT, HEADER, pressed(value)) is None
