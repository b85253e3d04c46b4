"""From deliveries to lines, none over the limit with what the server puts before it."""

import pytest
from serai_irc.outgoing import TEXT_LIMIT, lines

from serai.core.delivery import Delivery, Target
from serai.core.error import SendPermanent
from serai.core.ids import AgentId, DeliveryId

_LONGEST_PREFIX = f":{'n' * 30}!{'u' * 18}@{'h' * 63} "


def said(text: str, chat: str = "#serai") -> list[str]:
    delivery = Delivery(DeliveryId("d1"), Target("irc", chat), AgentId("main"), text)
    return [line.decode().removesuffix("\r\n") for line in lines(delivery, "n" * 30)]


def test_each_line_of_a_text_is_one_and_blank_ones_are_left_out() -> None:
    assert said("one\n\n  two\r\nthree") == [
        "PRIVMSG #serai :one",
        "PRIVMSG #serai :  two",
        "PRIVMSG #serai :three",
    ]


@pytest.mark.parametrize("sign", ["x", "ü", "🙂", "é\u0301"])
@pytest.mark.parametrize("chat", ["a", "#" + "c" * 63, "#" + "c" * 199])
def test_no_line_is_cut_by_the_server(sign: str, chat: str) -> None:
    text = sign * (TEXT_LIMIT // len(sign.encode()))
    made = said(text, chat)
    assert all(len(f"{_LONGEST_PREFIX}{line}\r\n".encode()) <= 512 for line in made)
    assert "".join(line.partition(" :")[2] for line in made) == text
    assert len(made) == 1 or len(chat) == 200


def test_a_text_makes_no_request_to_a_client() -> None:
    assert said("\x01VERSION\x01") == ["PRIVMSG #serai :VERSION"]


@pytest.mark.parametrize("chat", ["a,b", "$*.test", "a b", "", ":a", "a\r\nQUIT", "#" + "c" * 600])
def test_what_is_no_chat_is_refused(chat: str) -> None:
    with pytest.raises(SendPermanent):
        said("hello", chat)


@pytest.mark.parametrize("text", ["\ud800", "\x01\x01", "x" * (TEXT_LIMIT + 1)])
def test_what_cannot_be_said_is_refused(text: str) -> None:
    with pytest.raises(SendPermanent):
        said(text)
