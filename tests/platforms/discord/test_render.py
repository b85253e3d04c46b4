"""Markdown in, Discord's dialect out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.platforms.discord.render import render

LIMIT = 2000
TABLE = "| name | age |\n|:-----|----:|\n| Ada | 36 |\n| Bea |"
DRAWN = "```\nname  age\n----  ---\nAda   36\nBea\n```"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** _it_ `code` ~~no~~ ||spoiler||", "**bold** _it_ `code` ~~no~~ ||spoiler||"),
        ("# One\n### Three\n#### Four\n###### Six ##", "# One\n### Three\n**Four**\n**Six**"),
        ("> quoted\n- item\n1. first", "> quoted\n- item\n1. first"),
        ("![a cat](https://c.example/cat.png)", "[a cat](https://c.example/cat.png)"),
        ('![](https://c.example/cat.png "Cat")', "https://c.example/cat.png"),
        ("before\n" + TABLE + " |\nafter", "before\n" + DRAWN.replace("Bea\n", "Bea\n") + "\nafter"),
        ("| not a table |", "| not a table |"),
        ("```md\n" + TABLE + "\n#### x\n```\n#### y", "```md\n" + TABLE + "\n#### x\n```\n**y**"),
        ("~~~\n```\n#### x\n~~~\n#### y", "~~~\n```\n#### x\n~~~\n**y**"),
        ("", ""),
    ],
)
def test_a_text_is_shown_as(text: str, shown: str) -> None:
    assert render(text, LIMIT) == shown


def test_a_text_that_would_become_too_long_stays_as_it_was() -> None:
    text = "| a | a long cell |\n|---|---|\n| a longer cell | 2 |\n| 1 | 2 |"
    assert render(text, len(text)) == text
    assert render(text, LIMIT) != text


@given(st.text(alphabet="#|`~-: \nab![]()", max_size=80))
def test_a_text_that_fits_fits_afterwards(text: str) -> None:
    assert len(render(text, len(text))) <= len(text)
