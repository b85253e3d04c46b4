"""From lines to messages: who, where, what, and whether it is said to the bot."""

import pytest
from rig import ACCOUNT
from serai_irc.config import KnownBy
from serai_irc.convert import addressed, inbound
from serai_irc.wire import encode, folded, parse

from serai.core.message import Inbound


def message(line: str, known_by: KnownBy = "nick", nick: str = "Serai[1]") -> Inbound | None:
    parsed = parse(line.encode() + b"\r\n")
    assert parsed is not None
    return inbound(ACCOUNT, parsed, nick, known_by, "t1")


@pytest.mark.parametrize(
    ("text", "left", "mentioned"),
    [
        ("serai: what now?", "what now?", True),
        ("Serai, /new", "/new", True),
        ("@serai hello", "hello", True),
        ("what now, serai?", "what now?", True),
        ("ask serai about it", "ask serai about it", True),
        ("serai", "serai", True),
        ("serais are inns", "serais are inns", False),
        ("caravan-serai", "caravan-serai", False),
        ("hello", "hello", False),
    ],
)
def test_the_nick_mentions_the_bot_and_is_taken_out_at_the_ends(text: str, left: str, mentioned: bool) -> None:
    assert addressed(text, "serai") == (left, mentioned)


def test_a_nick_of_signs_is_a_nick() -> None:
    found = message(":a!u@h PRIVMSG #x :serai[1]: hi")
    assert found is not None
    assert (found.text, found.mentioned) == ("hi", True)


def test_names_are_compared_without_regard_to_case_and_shown_as_they_are() -> None:
    found = message(":Alice!u@h PRIVMSG #Serai :hi")
    assert found is not None
    source = found.source
    assert (source.chat_id, source.chat_name, source.user_id, source.user_name) == (
        "#serai",
        "#Serai",
        "alice",
        "Alice",
    )
    assert folded("#ÄB") == "#Äb"


def test_a_query_is_the_chat_of_who_writes() -> None:
    found = message(":Alice!u@h PRIVMSG serai[1] :hi")
    assert found is not None
    assert (found.source.chat_type, found.source.chat_id) == ("dm", "alice")


@pytest.mark.parametrize(("known_by", "user"), [("nick", "alice"), ("host", "u@h"), ("account", "al")])
def test_people_are_known_by_what_the_operator_trusts(known_by: KnownBy, user: str) -> None:
    found = message("@account=al :Alice!u@h PRIVMSG #x :hi", known_by)
    assert found is not None
    assert found.source.user_id == user


def test_whoever_is_not_logged_in_to_an_account_is_nobody() -> None:
    found = message(":Alice!u@h PRIVMSG #x :hi", "account")
    assert found is not None
    assert found.source.user_id is None


def test_colours_and_control_characters_are_taken_out() -> None:
    found = message(":a!u@h PRIVMSG #x :\x02bold\x02 \x0304,12red\x03 \x04ff0000hex\x0f \x1ditalic\x07")
    assert found is not None
    assert found.text == "bold red hex italic"


def test_what_somebody_does_is_told_as_such() -> None:
    found = message(":alice!u@h PRIVMSG #x :\x01ACTION waves at serai[1]\x01")
    assert found is not None
    assert (found.text, found.mentioned) == ("* alice waves at", True)


def test_a_marked_bot_is_one() -> None:
    found = message("@bot :helper!u@h PRIVMSG #x :hi")
    assert found is not None
    assert found.source.is_bot


def test_a_message_without_an_id_has_a_key_of_its_own_and_one_with_an_id_has_that() -> None:
    plain, tagged = message(":a!u@h PRIVMSG #x :hi"), message("@msgid=7\\sb :a!u@h PRIVMSG #x :hi")
    assert plain is not None
    assert tagged is not None
    assert (plain.dedupe_key, plain.source.message_id) == ("line:t1", None)
    assert (tagged.dedupe_key, tagged.source.message_id) == ("message:2:#x:7 b", "7 b")


def test_a_line_that_clients_may_have_cut_is_near_the_limit() -> None:
    for length, near in ((300, False), (400, True)):
        found = message(f"@time={'1' * 200} :a!u@h PRIVMSG #x :{'x' * length}")
        assert found is not None
        assert found.near_limit is near


@pytest.mark.parametrize("params", [("a b", "c"), ("", "c"), (":a", "c"), ("a", "b\nQUIT"), ("a", "x" * 512)])
def test_what_cannot_stand_in_a_line_is_not_sent(params: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"parameter|bytes"):
        encode("PRIVMSG", *params)
