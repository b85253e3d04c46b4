"""Where files lie that came with messages: names of strangers make no path of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.ids import InputId
from serai.core.inbox import kept_path
from serai.core.message import Attachment

RUN = InputId("run_0193abcd")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.pdf", "plan.pdf"),
        (".bashrc", "bashrc"),
        ("..", "file.pdf"),
        ("", "file.pdf"),
        ("evil\u202efdp.exe", "evilfdp.exe"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("x" * 300 + ".txt", "x" * 96 + ".txt"),
    ],
)
def test_a_name_is_cleaned(name: str, kept: str) -> None:
    assert kept_path(RUN, 0, Attachment(name=name, media_type="application/pdf")) == f"inbox/0193abcd/{kept}"


def test_two_files_of_one_name_do_not_meet() -> None:
    same = Attachment(name="a.txt")
    assert kept_path(RUN, 0, same) != kept_path(RUN, 1, same)


@given(st.text(), st.text(max_size=40))
def test_no_name_leads_out_of_the_inbox(name: str, run: str) -> None:
    parts = kept_path(InputId(run), 0, Attachment(name=name)).split("/")
    assert len(parts) == 3
    assert all(part not in ("", ".", "..") and not part.startswith((".", "~")) for part in parts)
