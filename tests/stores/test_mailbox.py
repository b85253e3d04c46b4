"""The web chat's mailbox in SQLite, on disk and in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.ids import InputId
from serai.ports.mailbox import Mailbox, Picture, PostRow
from serai.stores.sqlite.store import open_store
from tests.stores.test_sqlite import memory_store

FIRST = PostRow("chat-1", "p1", "", "Hello,\nworld", "sending", 100.0, input=InputId("run_1"))
ANSWER = PostRow("chat-1", "d1", "main", "Grüße!", "done", 101.0, answers=("p1",))


@pytest.fixture(params=["disk", "memory"])
async def mailbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Mailbox]:
    store = open_store(tmp_path / "state.db") if request.param == "disk" else memory_store()
    yield store.mailbox
    await store.close()


async def test_a_message_begins_a_chat_of_its_writer(mailbox: Mailbox) -> None:
    kept = await mailbox.add(FIRST, "ann")
    assert kept == replace(FIRST, n=1, revision=1)
    assert await mailbox.owner("chat-1") == "ann"
    (chat,) = await mailbox.chats("ann")
    assert (chat.title, chat.updated_at) == ("Hello,", 100.0)


async def test_a_message_of_another_person_is_not_kept(mailbox: Mailbox) -> None:
    await mailbox.add(FIRST, "ann")
    assert await mailbox.add(replace(FIRST, id="p2"), "bob") is None
    assert await mailbox.add(FIRST, "bob") is None
    assert len(await mailbox.posts("chat-1")) == 1


async def test_an_answer_needs_a_chat(mailbox: Mailbox) -> None:
    assert await mailbox.add(ANSWER) is None
    await mailbox.add(FIRST, "ann")
    assert await mailbox.add(ANSWER) == replace(ANSWER, n=2, revision=2)


async def test_a_second_copy_changes_nothing(mailbox: Mailbox) -> None:
    await mailbox.add(FIRST, "ann")
    first = await mailbox.add(ANSWER)
    assert await mailbox.add(replace(ANSWER, text="something else")) == first


async def test_readers_get_what_changed_after_a_revision(mailbox: Mailbox) -> None:
    first = await mailbox.add(FIRST, "ann")
    assert first is not None
    await mailbox.add(ANSWER)
    await mailbox.settle(replace(first, state="failed", error="no luck"))
    changed = await mailbox.posts("chat-1", after=1)
    assert [(post.id, post.n, post.revision, post.state, post.error) for post in changed] == [
        ("d1", 2, 2, "done", None),
        ("p1", 1, 3, "failed", "no luck"),
    ]


async def test_what_is_not_settled_is_found(mailbox: Mailbox) -> None:
    first = await mailbox.add(FIRST, "ann")
    assert first is not None
    await mailbox.add(ANSWER)
    assert await mailbox.unsettled() == [first]
    await mailbox.settle(replace(first, state="done"))
    assert await mailbox.unsettled() == []


async def test_a_dropped_message_takes_an_otherwise_empty_chat_with_it(mailbox: Mailbox) -> None:
    picture = Picture("dot.png", "image/png", b"\x89PNG")
    await mailbox.add(FIRST, "ann", [picture])
    assert await mailbox.picture("chat-1", "p1", 0) == picture
    await mailbox.drop("chat-1", "p1")
    assert await mailbox.picture("chat-1", "p1", 0) is None
    assert await mailbox.chats("ann") == []
    await mailbox.add(FIRST, "ann")
    await mailbox.add(replace(FIRST, id="p2"), "ann")
    await mailbox.drop("chat-1", "p2")
    assert len(await mailbox.chats("ann")) == 1


async def test_the_search_finds_any_case_and_takes_signs_as_they_are(mailbox: Mailbox) -> None:
    await mailbox.add(FIRST, "ann")
    await mailbox.add(ANSWER)
    for query, found in (("WORLD", 1), ("grüsse", 1), ("GRÜSSE!", 1), ("%", 0), ("_", 0), ("'", 0), ("", 1)):
        assert len(await mailbox.chats("ann", query)) == found, query
        assert await mailbox.chats("bob", query) == [], query


@pytest.mark.parametrize(
    ("text", "title"), [("\n\n  Hi  \nthere", "Hi"), ("", "dot.png"), ("x" * 200, "x" * 79 + "…")]
)
async def test_a_title_is_short(mailbox: Mailbox, text: str, title: str) -> None:
    await mailbox.add(replace(FIRST, text=text), "ann", [Picture("dot.png", "image/png", b"")])
    (chat,) = await mailbox.chats("ann")
    assert chat.title == title
