"""docs/platforms.md tells what the drivers declare."""

from tests.docs.capability import BEGIN, END, placed, table
from tests.docs.page import read


def test_the_table_of_capabilities_is_current() -> None:
    text = read("platforms.md")
    assert BEGIN in text
    assert END in text
    assert text == placed(text, table()), "run: python -m tests.docs.capability"
