"""Markdown as the platform takes it: tables."""

import json

import pytest

from serai.core.delivery import Button, Target
from serai.platforms.feishu.card import button_card, growing_card, settled_card, summary
from serai.platforms.feishu.remote import Remote
from serai.platforms.feishu.render import plain, post, render
from tests.platforms.feishu.shape import post_text, read_card

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("plain", "plain"),
        ("# Title\ntext", "**Title**\ntext"),
        ("### A **bold** one ###", "**A bold one**"),
        ("#no heading", "#no heading"),
        ("see ![a cat](https://a.example/c.png)", "see [a cat](https://a.example/c.png)"),
        (f"before\n{TABLE}\nafter", f"before\n```\n{TABLE}\n```\nafter"),
        ("```sh\n# a comment\n![x](y)\n```", "```sh\n# a comment\n![x](y)\n```"),
        ("a | b is no table", "a | b is no table"),
        ('<at user_id="all"></at>', '<\u200bat user_id="all"><\u200b/at>'),
        ("< AT id=all>", "<\u200b AT id=all>"),
        ("<person id = 'ou_1'></person>", "<\u200bperson id = 'ou_1'><\u200b/person>"),
        ('```\n<at user_id="all">\n```', '```\n<\u200bat user_id="all">\n```'),
        ("a < attic", "a < attic"),
        ("bell\x07 and half \ud83d", "bell and half "),
    ],
)
def test_text_is_rendered(text: str, rendered: str) -> None:
    assert render(text) == rendered


@pytest.mark.parametrize("text", ["one", "a\tb\nc", "🙂" * 100, "**x** `y` [z](https://z.example)"])
def test_what_is_taken_as_it_is_is_left_as_it_is(text: str) -> None:
    assert render(text) == text
    assert plain(text) == text


def test_a_post_is_one_that_the_platform_takes() -> None:
    assert post_text(post(render('say "hi"\n<at user_id="all">'))) == 'say "hi"\n<\u200bat user_id="all">'


def test_a_growing_card_streams_and_a_settled_one_does_not() -> None:
    growing, settled = read_card(growing_card("On")), read_card(settled_card("Once"))
    assert (growing.config.streaming_mode, growing.text) == (True, "On")
    assert (settled.config.streaming_mode, settled.text) == (False, "Once")


def test_buttons_bring_back_their_value_and_their_place() -> None:
    target = Target("feishu", "oc_1", thread_id="omt_1", chat_type="group")
    card = read_card(button_card("May I?", [Button("Allow", "a:1"), Button("D" * 200, "d:1")], target))
    assert [button.text.content for button in card.buttons] == ["Allow", "D" * 100]
    assert card.buttons[0].behaviors[0].value == {"value": "a:1", "chat_type": "group", "thread_id": "omt_1"}
    assert json.loads(button_card("x", [], target))["body"]["elements"] == [
        {"tag": "markdown", "element_id": "answer", "content": "x"}
    ]


@pytest.mark.parametrize(
    ("text", "short"), [("# Title\nmore", "Title"), ("", "…"), ("**bold** move", "bold** move"), ("x" * 99, "x" * 60)]
)
def test_the_list_of_chats_shows_the_beginning(text: str, short: str) -> None:
    assert summary(text) == short


@pytest.mark.parametrize("remote", [Remote("om_1"), Remote("om_1", "grown", "7355"), Remote("om_1", "post")])
def test_a_stored_id_is_read_as_it_was_written(remote: Remote) -> None:
    assert Remote.read(str(remote)) == remote
