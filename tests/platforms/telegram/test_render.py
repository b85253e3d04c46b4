"""Markdown as Telegram's HTML."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serai.platforms.telegram.render import render
from tests.platforms.telegram.visible import Unparsable, read


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("plain", "plain"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("a < **b** & <i>", "a &lt; <b>b</b> &amp; &lt;i&gt;"),
        ("**bold** and __bold__", "<b>bold</b> and <b>bold</b>"),
        ("*it* and _it_", "<i>it</i> and <i>it</i>"),
        ("***both***", "<b><i>both</i></b>"),
        ("**a *b* c**", "<b>a <i>b</i> c</b>"),
        ("**a _b_ c**", "<b>a <i>b</i> c</b>"),
        ("~~gone~~", "<s>gone</s>"),
        ("`a<b>`", "<code>a&lt;b&gt;</code>"),
        ("`` a ` b ``", "<code>a ` b</code>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("__init__.py", "__init__.py"),
        (r"\*not\*", "*not*"),
        ("**open", "**open"),
        ("[here](https://e.org/a_(b))", '<a href="https://e.org/a_(b)">here</a>'),
        ('[x](https://e.org/?a="1"&b)', '<a href="https://e.org/?a=&quot;1&quot;&amp;b">x</a>'),
        ("[ada](tg://user?id=42)", "ada (tg://user?id=42)"),
        ("[x](javascript:alert(1))", "x (javascript:alert(1))"),
        ("![a cat](https://e.org/c.png)", '<a href="https://e.org/c.png">a cat</a>'),
        ("<https://e.org>", "https://e.org"),
        ("# Title #", "<b>Title</b>"),
        ("#hashtag", "#hashtag"),
        ("- one\n  * two\n1. three", "• one\n  • two\n1. three"),
        ("- [ ] open\n- [x] done", "☐ open\n☑ done"),
        ("---", "———"),
        ("> a\n> **b**\nc", "<blockquote>a\n<b>b</b></blockquote>\nc"),
        ("```py\nx = '<'\n```\nafter", "<pre><code class=\"language-py\">x = '&lt;'</code></pre>\nafter"),
        ("```\n**raw**", "<pre>**raw**</pre>"),
        ("~~~~\n```\n~~~~", "<pre>```</pre>"),
        ("| a | b |\n|---|:-:|\n| 1 | <2> |\nend", "<pre>| a | b |\n|---|:-:|\n| 1 | &lt;2&gt; |</pre>\nend"),
        ("a | b", "a | b"),
        ("<b>not ours</b>", "&lt;b&gt;not ours&lt;/b&gt;"),
    ],
)
def test_markdown_becomes_html(markdown: str, html: str) -> None:
    assert render(markdown) == html
    read(html)


SIGNS = st.text(alphabet="ab *_`~[]()!<>&|#-+.>\\\n1:/h🙂\"'", max_size=80)


@given(SIGNS)
@example("[*](https://a)[**b](mailto:x)**")
@example("`<`**`a`**")
@example("> ```\n> a")
@example('~~~a"b<\n')
def test_every_text_becomes_html_that_is_taken_and_no_longer_than_it_was(markdown: str) -> None:
    visible = read(render(markdown))
    assert len(visible) <= len(markdown)


@given(SIGNS)
def test_no_sign_that_is_no_markup_is_lost(markdown: str) -> None:
    kept = "".join(sign for sign in read(render(markdown)) if sign.isalnum() or sign == "🙂")
    told = "".join(sign for sign in markdown if sign.isalnum() or sign == "🙂")
    assert set(kept) <= set(told)


@pytest.mark.parametrize(
    "unit", ["__a ", "**a*", "***a", "*", "`", "[a](", "\\", "~~a", "![", "_a ", "> ", "| a |\n|-|-|\n"]
)
def test_no_text_takes_long(unit: str) -> None:
    text = (unit * 40960)[:40960]  # ten times what can be sent: time that grows with the square shows
    begun = time.process_time()
    render(text)
    assert time.process_time() - begun < 2.0


def test_the_peer_refuses_broken_markup() -> None:
    for html in (
        "<b>",
        "</b>",
        "<b><i></b></i>",
        "<h1>a</h1>",
        '<a onclick="x">a</a>',
        "<pre><b>a</b></pre>",
        "<!-- a -->",
    ):
        with pytest.raises(Unparsable):
            read(html)
