"""Callbacks of WeCom in the gateway's words."""

from typing import Any

import msgspec
import pytest

from serai.core.delivery import Button
from serai.core.ids import Account
from serai.core.message import Press
from serai.platforms.wecom.convert import card, inbound, media_of, press
from serai.platforms.wecom.wire import Body

ACCOUNT = Account("wecom", "work")


def body(**parts: Any) -> Body:
    base = {"msgid": "m1", "msgtype": "text", "from": {"userid": "ada"}, "chattype": "single"}
    return msgspec.convert(base | parts, Body)


def test_a_direct_chat_has_the_id_of_its_person() -> None:
    found = inbound(ACCOUNT, body(text={"content": "hello"}))
    assert found is not None
    source = found.source
    assert (source.platform, source.account, source.chat_type) == ("wecom", "work", "dm")
    assert (source.chat_id, source.user_id, source.message_id) == ("ada", "ada", "m1")


def test_a_group_is_its_own_chat_and_every_message_of_it_is_for_the_bot() -> None:
    found = inbound(ACCOUNT, body(chattype="group", chatid="g1", text={"content": "@Bot hello"}))
    assert found is not None
    assert (found.source.chat_id, found.source.chat_type, found.source.user_id) == ("g1", "group", "ada")
    assert (found.text, found.mentioned) == ("hello", True)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("@Bot @ops restart it", "@ops restart it"),
        ("@Bot /stop", "/stop"),
        ("@Bot", ""),
        ("hello @Bot", "hello @Bot"),
    ],
)
def test_only_the_first_name_of_a_groups_message_is_the_bots(said: str, text: str) -> None:
    found = inbound(ACCOUNT, body(chattype="group", chatid="g1", text={"content": said}))
    assert (found.text if found else "") == text


def test_in_a_direct_chat_a_name_is_part_of_the_text() -> None:
    found = inbound(ACCOUNT, body(text={"content": "@ops restart it"}))
    assert found is not None
    assert found.text == "@ops restart it"


def test_voice_is_told_in_words() -> None:
    found = inbound(ACCOUNT, body(msgtype="voice", voice={"content": "good morning"}))
    assert found is not None
    assert found.text == "good morning"


def test_pictures_among_text_keep_their_order_and_their_keys() -> None:
    items = [
        {"msgtype": "text", "text": {"content": "before"}},
        {"msgtype": "image", "image": {"url": "https://example.org/1", "aeskey": "a2V5"}},
        {"msgtype": "text", "text": {"content": "after"}},
    ]
    found = inbound(ACCOUNT, body(msgtype="mixed", mixed={"msg_item": items}))
    assert found is not None
    assert found.text == "before\nafter"
    (picture,) = found.attachments
    assert picture.media_type == "image/*"
    assert (media_of(picture).url, media_of(picture).aeskey) == ("https://example.org/1", "a2V5")


def test_what_is_quoted_stands_above_but_never_before_a_command() -> None:
    quote = {"msgtype": "text", "text": {"content": "one\ntwo"}}
    found = inbound(ACCOUNT, body(text={"content": "why?"}, quote=quote))
    assert found is not None
    assert found.text == "> one\n> two\n\nwhy?"
    command = inbound(ACCOUNT, body(text={"content": "/stop"}, quote=quote))
    assert command is not None
    assert command.text == "/stop"


def test_a_text_that_a_client_may_have_cut_says_so() -> None:
    long, short = inbound(ACCOUNT, body(text={"content": "x" * 3900})), inbound(ACCOUNT, body(text={"content": "x"}))
    assert long is not None
    assert short is not None
    assert (long.near_limit, short.near_limit) == (True, False)


def test_a_kind_that_is_not_known_brings_nothing() -> None:
    assert inbound(ACCOUNT, body(msgtype="location")) is None


def test_two_pairs_of_chat_and_message_never_have_one_key() -> None:
    one = inbound(ACCOUNT, body(chattype="group", chatid="a:b", msgid="c", text={"content": "x"}))
    two = inbound(ACCOUNT, body(chattype="group", chatid="a", msgid="b:c", text={"content": "x"}))
    assert one is not None
    assert two is not None
    assert one.dedupe_key != two.dedupe_key


def test_a_pressed_button_brings_its_value_and_its_card() -> None:
    event = {"eventtype": "template_card_event", "event_key": "approve:1", "task_id": "dlv_1"}
    found = press(ACCOUNT, body(msgtype="event", event=event))
    assert isinstance(found, Press)
    assert (found.value, found.source.message_id, found.source.user_id) == ("approve:1", "dlv_1", "ada")


@pytest.mark.parametrize("kind", ["enter_chat", "feedback_event", "disconnected_event"])
def test_other_events_are_no_buttons(kind: str) -> None:
    assert press(ACCOUNT, body(msgtype="event", event={"eventtype": kind})) is None


def test_a_card_has_a_short_title_and_a_button_for_each_choice() -> None:
    made = card("x" * 40, "May I?", "dlv_1", (Button("Yes", "y"), Button("No", "n")))
    assert made["main_title"] == {"title": "x" * 26}
    assert made["button_list"] == [
        {"text": "Yes", "style": 1, "key": "y"},
        {"text": "No", "style": 1, "key": "n"},
    ]
