"""docs/web.md names every path that the page calls, every event, and what a message may hold."""

from serai.api.guard import cookie
from serai.web.wire import MessageBody
from tests.docs.page import quoted, read, rows
from tests.docs.test_api import constants, paths

TEXT = read("web.md")


def test_every_path_of_the_page_is_told_and_no_other() -> None:
    told = {word.split()[-1] for row in rows(TEXT, "path") for word in row.names}
    assert told == paths("web/site.py")


def test_every_event_is_told() -> None:
    told = {name for row in rows(TEXT, "event") for name in row.names}
    known = constants("web/events.py") | constants("web/room.py")
    assert told == {"message", "drafts", "delta"}
    assert told <= known


def test_the_fields_of_a_message_and_the_cookie_are_named() -> None:
    assert set(MessageBody.__struct_fields__) - {"id"} <= quoted(TEXT)
    assert cookie.NAME in quoted(TEXT)
