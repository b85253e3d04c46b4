"""`serai session` and `serai delivery`: what the database holds (SPEC 12)."""

import sqlite3

import pytest

from tests.cli.stored import KEY, SESSION, store_conversation
from tests.cli.terminal import Terminal


@pytest.fixture
def stored(serai: Terminal) -> Terminal:
    store_conversation(serai.home)
    return serai


def state_of_held(serai: Terminal) -> str:
    with sqlite3.connect(serai.home / "state.db") as database:
        row: tuple[str] = database.execute("SELECT state FROM delivery WHERE id = 'held'").fetchone()
    database.close()
    return row[0]


def test_conversations_are_listed_with_their_keys(stored: Terminal) -> None:
    said = stored("session", "list")
    assert said.code == 0
    assert SESSION in said.out
    assert KEY in said.out


def test_conversations_are_listed_in_the_envelope_of_the_api(stored: Terminal) -> None:
    document = stored("session", "list", "--json").document
    assert (document["object"], document["has_more"], document["next"]) == ("list", False, None)
    row = document["data"][0]
    assert (row["object"], row["id"], row["key"], row["agent"]) == ("session", SESSION, KEY, "ops")


def test_conversations_of_one_agent_are_listed(stored: Terminal) -> None:
    assert stored("session", "list", "--agent", "main").out == "No sessions yet\n"
    assert SESSION in stored("session", "list", "--agent", "ops").out


@pytest.mark.parametrize("name", [SESSION, KEY])
def test_a_conversation_is_shown_by_its_id_and_by_its_key(name: str, stored: Terminal) -> None:
    said = stored("session", "show", name)
    assert said.code == 0
    assert "user" in said.out
    assert "  hello\n" in said.out
    document = stored("session", "show", name, "--json").document
    assert [(entry["role"], entry["text"]) for entry in document["history"]] == [
        ("user", "hi"),
        ("assistant", "hello"),
    ]


def test_deliveries_are_listed_with_state_and_reason(stored: Terminal) -> None:
    said = stored("delivery", "list")
    assert "held" in said.out
    assert "unknown" in said.out
    assert "webhook@work:room%3A1" in said.out
    assert "the connection broke" in said.out
    assert stored("delivery", "list", "--state", "sent").out == "No deliveries\n"
    assert stored("delivery", "list", "--json").document["data"][0]["state"] == "unknown"


def test_a_held_delivery_is_sent_again_once(stored: Terminal) -> None:
    said = stored("delivery", "retry", "held")
    assert said.code == 0
    assert "will be sent again when the gateway runs" in said.out
    assert state_of_held(stored) == "new"
    assert stored("delivery", "retry", "held").code == 1


def test_reading_changes_nothing_and_makes_no_database(serai: Terminal) -> None:
    for command in (["session", "list"], ["delivery", "list"], ["session", "show", "x"], ["delivery", "retry", "x"]):
        serai(*command)
    assert list(serai.home.iterdir()) == []
