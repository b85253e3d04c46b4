"""Encoded histories are the same as encoding afresh, whatever happened to the session."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from serai.core.message import Message
from serai.models.history import KEPT_FROM, History, HistoryCache
from serai.models.wire import encode, wire_message

PLENTY = 10**9


def fresh(messages: tuple[Message, ...]) -> bytes:
    """The same without a cache."""
    return b",".join(encode(wire_message(message)) for message in messages)


def session(length: int, name: str = "s") -> tuple[Message, ...]:
    return tuple(Message("user", f"{name} says {n}") for n in range(length))


steps = st.lists(st.tuples(st.sampled_from(["grow", "replace", "cut", "rewrite"]), st.integers(1, 40)), max_size=12)


@given(steps, st.integers(0, 50))
def test_a_history_that_grows_and_changes_is_encoded_as_if_afresh(made: list[tuple[str, int]], start: int) -> None:
    cache = HistoryCache(PLENTY)
    messages = session(start)
    for count, (what, size) in enumerate(made):
        new = session(size, f"step {count}")
        if what == "grow":
            messages += new
        elif what == "replace":
            messages = messages[:-size] + new
        elif what == "cut":
            messages = messages[:-size]
        else:
            messages = messages[:size] + new + messages[size:]
        assert cache.encode(messages) == fresh(messages)


def test_the_text_of_known_messages_is_not_made_again() -> None:
    cache = HistoryCache(PLENTY)
    messages = session(1000)
    first = cache.encode(messages)
    again = cache.encode((*messages, Message("assistant", "new")))
    assert again is first
    assert again.endswith(b',{"role":"assistant","content":"new"}')


def test_what_changed_near_the_end_costs_little() -> None:
    history, messages = History(), session(1000)
    assert history.become(messages) == 1000
    for changed in range(1, 6):
        messages = (*messages[:-changed], *session(changed, "changed"), Message("assistant", "new"))
        assert history.become(messages) <= 2 * changed + 2
        assert history.buffer == fresh(messages)


def test_forks_of_one_session_do_not_mix() -> None:
    cache = HistoryCache(PLENTY)
    trunk = session(KEPT_FROM)
    left, right = (*trunk, Message("user", "left")), (*trunk, Message("user", "right"))
    for fork in (left, right, left, right, trunk):
        assert cache.encode(fork) == fresh(fork)


def test_equal_messages_of_another_session_do_not_mix() -> None:
    cache = HistoryCache(PLENTY)
    for _ in range(3):
        messages = session(50)
        assert cache.encode(messages) == fresh(messages)


def test_what_was_not_used_for_longest_goes_first_and_the_bound_holds() -> None:
    sessions = [session(100, f"session {n}") for n in range(10)]
    cache = HistoryCache(100_000)
    for _ in range(3):
        for messages in sessions:
            assert cache.encode(messages) == fresh(messages)
            assert 0 < cache.size <= 100_000
    kept = cache.encode(sessions[0])
    for messages in sessions[1:5]:
        cache.encode(messages)
        assert cache.encode(sessions[0]) is kept


def test_a_session_over_the_bound_is_encoded_and_not_kept() -> None:
    cache = HistoryCache(1000)
    messages = session(500)
    assert cache.encode(messages) == fresh(messages)
    assert cache.size == 0


def test_a_lone_surrogate_spoils_no_other_message() -> None:
    cache = HistoryCache(PLENTY)
    messages = (*session(20), Message("user", "half \ud83d"), Message("user", "whole 😀"))
    decoded = msgspec.json.decode(b"[" + cache.encode(messages) + b"]")
    assert [message["content"] for message in decoded][-3:] == ["s says 19", "half ?", "whole 😀"]
