"""What an answer looks like in Matrix."""

import json

import pytest

from serai.core.delivery import Target
from serai.platforms.matrix import render

DM = Target("matrix", "!r:x", user_id="@alice:x", reply_to=("$1", "$2"))
GROUP = Target("matrix", "!r:x", chat_type="group", user_id="@alice:x", reply_to=("$1", "$2"))
THREAD = Target("matrix", "!r:x", chat_type="group", user_id="@alice:x", reply_to=("$2",), thread_id="$root")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("plain words", None),
        ("two\nlines", None),
        ("**bold** and *slanted*", "<p><strong>bold</strong> and <em>slanted</em></p>"),
        ("~~gone~~", "<p><s>gone</s></p>"),
        ("a `code`", "<p>a <code>code</code></p>"),
        ("```py\nx < 1\n```", '<pre><code class="language-py">x &lt; 1\n</code></pre>'),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("# Head", "<h1>Head</h1>"),
        ("[a link](https://x.example)", '<p><a href="https://x.example">a link</a></p>'),
        ("![a picture](https://x.example/p)", '<p>!<a href="https://x.example/p">a picture</a></p>'),
        ("<b>raw</b>", None),
        ("[bad](javascript:alert(1))", None),
        ("a & b < c", None),
    ],
)
def test_markdown_becomes_the_html_that_matrix_allows(markdown: str, html: str | None) -> None:
    assert render.html(markdown) == html


def test_html_of_an_answer_is_shown_and_not_obeyed() -> None:
    assert render.html("**a** <script>x</script>") == "<p><strong>a</strong> &lt;script&gt;x&lt;/script&gt;</p>"


def test_a_table_is_a_table() -> None:
    assert "<td>1</td>" in str(render.html("| a | b |\n|---|---|\n| 1 | 2 |"))


def test_a_direct_chat_gets_no_reply_and_nobody_is_rung() -> None:
    content = render.message("hello @room", DM)
    assert content["m.mentions"] == {}
    assert "m.relates_to" not in content


def test_a_group_gets_a_reply_to_the_last_message_that_rings_its_sender() -> None:
    content = render.message("hello", GROUP)
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$2"}}
    assert content["m.mentions"] == {"user_ids": ["@alice:x"]}


def test_an_answer_in_a_thread_names_its_root() -> None:
    assert render.message("hello", THREAD)["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$2"},
    }


def test_an_edit_holds_the_whole_text_and_no_relation_inside() -> None:
    content = render.edit("one\n**two**", THREAD, "$mine")
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$mine"}
    assert content["m.new_content"]["body"] == "one\n**two**"
    assert "m.relates_to" not in content["m.new_content"]
    assert content["m.mentions"] == {}, "an edit rings nobody again"


@pytest.mark.parametrize("text", ["🙂" * (render.TEXT_LIMIT // 4), '"' * render.TEXT_LIMIT, "*&* " * 3750])
def test_the_longest_text_is_whole_and_fits_into_an_encrypted_event(text: str) -> None:
    for content in (render.message(text, THREAD), render.edit(text, THREAD, "$mine")):
        assert content.get("m.new_content", content)["body"] == text
        assert len(json.dumps(content)) * 4 / 3 < 65_536 - 2_000


def test_a_text_whose_html_is_too_large_is_sent_without_it() -> None:
    assert "formatted_body" not in render.message("*&* " * 3750, DM)
    assert "formatted_body" in render.message("*&* " * 10, DM)
