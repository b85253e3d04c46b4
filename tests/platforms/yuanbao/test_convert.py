"""Pushes of Yuanbao in the gateway's words, however they are wrapped."""

import json
from typing import Any

import pytest

from serai.core.ids import Account
from serai.core.message import Inbound
from serai.platforms.yuanbao.convert import inbound, revisions
from serai.platforms.yuanbao.wire import Element, Pushed

ACCOUNT = Account("yuanbao", "work")
BOT = "bot-1"


def text(words: str) -> Element:
    return Element("TIMTextElem", {"text": words})


def custom(**data: Any) -> Element:
    return Element("TIMCustomElem", {"data": json.dumps(data)})


def pushed(*elements: Element, group: str = "", sender: str = "ada", quote: str = "", command: str = "") -> Pushed:
    return Pushed(command, sender, "Ada", group, "The group" if group else "", "m1", 7, elements, quote)


def heard(push: Pushed) -> Inbound:
    found = inbound(ACCOUNT, BOT, push)
    assert found is not None
    return found


def test_a_direct_chat_has_the_id_of_its_person() -> None:
    source = heard(pushed(text("hello"))).source
    assert (source.chat_id, source.chat_type, source.user_id, source.user_name) == ("ada", "dm", "ada", "Ada")


def test_a_group_has_its_code_and_its_name() -> None:
    source = heard(pushed(text("hello"), group="g1")).source
    assert (source.chat_id, source.chat_type, source.chat_name) == ("g1", "group", "The group")


def test_the_bots_name_is_taken_out_and_others_stay() -> None:
    message = heard(
        pushed(
            custom(elem_type=1002, text="@bot", user_id=BOT),
            text(" ask "),
            custom(elem_type=1002, text="@bob", user_id="bob"),
            text("about it"),
            group="g1",
        )
    )
    assert (message.text, message.mentioned) == ("ask @bob about it", True)


def test_a_group_message_that_names_nobody_is_not_for_the_bot() -> None:
    assert not heard(pushed(text("hello"), group="g1")).mentioned


def test_an_answer_to_the_bot_is_for_the_bot() -> None:
    quote = json.dumps({"quote": {"id": "m0", "sender_id": BOT, "desc": "4."}})
    message = heard(pushed(text("why?"), group="g1", quote=quote))
    assert (message.text, message.mentioned) == ("why?", True)


def test_what_others_said_is_quoted_above_but_never_before_a_command() -> None:
    quote = json.dumps({"quote": {"id": "m0", "sender_id": "bob", "desc": "so"}})
    assert heard(pushed(text("why?"), quote=quote)).text == "> so\n\nwhy?"
    assert heard(pushed(text("/stop"), quote=quote)).text == "/stop"


@pytest.mark.parametrize("quote", ["{", "[]", '{"quote": 5}', "null", '"text"'])
def test_a_quote_that_is_broken_harms_nothing(quote: str) -> None:
    assert heard(pushed(text("hello"), quote=quote)).text == "hello"


def test_the_largest_of_a_pictures_sizes_is_taken() -> None:
    sizes = [{"type": 3, "size": 10, "url": "https://example.org/s"}, {"type": 1, "size": 90, "url": "https://l"}]
    (picture,) = heard(pushed(Element("TIMImageElem", {"image_info_array": sizes}))).attachments
    assert (picture.ref, picture.media_type) == ("https://l", "image/*")


def test_a_file_keeps_its_name_and_size() -> None:
    content = {"url": "https://example.org/f", "file_name": "plan.pdf", "file_size": 12}
    (file,) = heard(pushed(Element("TIMFileElem", content))).attachments
    assert (file.name, file.size, file.ref) == ("plan.pdf", 12, "https://example.org/f")


def test_the_bot_does_not_hear_itself() -> None:
    assert inbound(ACCOUNT, BOT, pushed(text("mine"), sender=BOT)) is None


def test_messages_taken_back_are_told_one_by_one() -> None:
    push = Pushed("Group.CallbackAfterRecallMsg", "ada", "", "g1", "", "", 0, (), "", ("m1", "m2"))
    assert [(one.chat_id, one.message_id, one.text) for one in revisions(ACCOUNT, push)] == [
        ("g1", "m1", None),
        ("g1", "m2", None),
    ]
    assert inbound(ACCOUNT, BOT, push) is None
