"""`serai session search|export` and `serai usage`: what was said, and what it took (SPEC 12)."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.event import TurnEnded, TurnFault
from serai.core.message import Answer, Message, Usage
from serai.ports.store.claim import Finish
from serai.stores.sqlite.store import open_store
from serai.testing.store.stage import NOW, arrival, begun, done, offer
from tests.cli.stored import KEY, SESSION, store_conversation
from tests.cli.terminal import Terminal


def store_turns(home: Path, *finishes: Finish) -> None:
    """Turns of agent ops, one a chat, that have ended just now."""
    asyncio.run(_store(home / "state.db", finishes))


async def _store(path: Path, finishes: tuple[Finish, ...]) -> None:
    store = open_store(path)
    try:
        for number, finish in enumerate(finishes):
            accepted = await store.accept(arrival(1, chat=f"chat-{number}"))
            claim = await store.claim(accepted.lane, offer(f"t{number}"))
            assert claim is not None
            await store.finish(claim.fence, finish, time.time())
    finally:
        await store.close()


def said(text: str) -> Finish:
    return replace(done(), messages=[Message("user", text), Message("assistant", "Noted.")])


def answered(model: str, usage: Usage) -> Finish:
    return replace(done(), ended=TurnEnded("done", Answer("hi", usage, model)))


def test_a_message_is_found_by_all_its_words_in_any_case_and_order(serai: Terminal) -> None:
    store_turns(serai.home, said('The Ürbach bridge is "closed"\nuntil May'), said("the bridge is open"))
    found = serai("session", "search", "ÜRBACH BRIDGE", "--json").document
    assert (found["object"], found["has_more"]) == ("list", False)
    assert [(row["agent"], row["role"], row["session"]) for row in found["data"]] == [("ops", "user", "ses_t0")]
    assert "…" not in serai("session", "search", '"closed"').out
    assert 'The Ürbach bridge is "closed" until May' in serai("session", "search", "until closed").out
    assert serai("session", "search", "ürbach open").out == "Nothing found\n"


def test_the_search_takes_its_words_as_they_are(serai: Terminal) -> None:
    store_turns(serai.home, said("one hundred"), said("100% sure"))
    assert "100% sure" in serai("session", "search", "0%").out
    assert serai("session", "search", "o_e").out == "Nothing found\n"


def test_a_long_message_is_shown_around_the_place(serai: Terminal) -> None:
    store_turns(serai.home, said("a " * 500 + "needle" + " b" * 500))
    line = serai("session", "search", "needle").out.splitlines()[1]
    assert "needle" in line
    assert len(line) < 200


def test_the_latest_are_found_first_and_more_are_told_of(serai: Terminal) -> None:
    store_turns(serai.home, said("first bridge"), said("second bridge"))
    found = serai("session", "search", "bridge", "--limit", "1", "--json").document
    assert [row["text"] for row in found["data"]] == ["second bridge"]
    assert found["has_more"]
    assert "There are more" in serai("session", "search", "bridge", "--limit", "1").err


def test_other_agents_messages_are_left_out(serai: Terminal) -> None:
    store_turns(serai.home, said("bridge"))
    assert serai("session", "search", "bridge", "--agent", "main").out == "Nothing found\n"
    assert "bridge" in serai("session", "search", "bridge", "--agent", "ops").out


def test_nothing_to_look_for_is_a_wrong_command_line(serai: Terminal) -> None:
    assert serai("session", "search", " ").code == 2


@pytest.mark.parametrize("name", [SESSION, KEY])
def test_a_conversation_is_exported_as_markdown(name: str, serai: Terminal) -> None:
    store_conversation(serai.home)
    document = serai("session", "export", name).out
    assert document.startswith(f"# {SESSION}\n\n- session: `{SESSION}`\n- key: `{KEY}`\n- agent: ops\n")
    assert "## user, 1970-" in document
    assert document.endswith("\n\nhello\n")


def test_an_exported_conversation_cannot_drive_the_terminal(serai: Terminal) -> None:
    store_turns(serai.home, said("a\x1b[2Jb"))
    assert "a[2Jb" in serai("session", "export", "ses_t0").out


def test_an_export_as_json_is_what_show_prints(serai: Terminal) -> None:
    store_conversation(serai.home)
    exported = serai("session", "export", SESSION, "--format", "json").document
    assert exported == serai("session", "show", SESSION, "--json").document


def test_turns_and_tokens_are_summed_by_what_was_asked_for(serai: Terminal) -> None:
    store_turns(
        serai.home,
        answered("m-one", Usage(10, 5, 2, 1)),
        answered("m-one", Usage(20, 5, 2, 1)),
        answered("m-two", Usage(1, 1)),
    )
    by_model = serai("usage", "--by", "model", "--json").document["data"]
    assert [(row["model"], row["turns"], row["input_tokens"], row["output_tokens"]) for row in by_model] == [
        ("m-one", 2, 30, 10),
        ("m-two", 1, 1, 1),
    ]
    (by_agent,) = serai("usage", "--by", "agent", "--json").document["data"]
    assert (by_agent["agent"], by_agent["turns"], by_agent["cached_tokens"]) == ("ops", 3, 4)
    assert "model" not in by_agent
    (by_day,) = serai("usage", "--by", "day", "--json").document["data"]
    assert by_day["day"] == time.strftime("%Y-%m-%d")
    head, *rows = serai("usage").out.splitlines()
    assert head.split() == ["day", "agent", "model", "turns", "input", "cached", "output", "reasoning"]
    assert len(rows) == 2


def test_a_turn_that_failed_counts_without_tokens(serai: Terminal) -> None:
    store_turns(serai.home, replace(done(), ended=TurnEnded("failed", fault=TurnFault("the model is away"))))
    (row,) = serai("usage", "--json").document["data"]
    assert (row["turns"], row["model"], row["input_tokens"]) == (1, "", 0)


def test_turns_of_long_ago_and_of_other_agents_do_not_count(serai: Terminal) -> None:
    store_conversation(serai.home)
    assert time.time() - 7 * 86400 > NOW
    assert serai("usage").out == "No turns in the last 7 days\n"
    store_turns(serai.home, done())
    assert serai("usage", "--agent", "main", "--json").document["data"] == []


async def test_a_running_turn_is_no_usage_yet(tmp_path: Path, serai: Terminal) -> None:
    store = open_store(serai.home / "state.db")
    await begun(store)
    await store.close()
    assert await asyncio.to_thread(lambda: serai("usage", "--days", "3650").out) == "No turns in the last 3650 days\n"
