"""`serai send`: a text for chats, and what became of it (SPEC 10, 12, 16.5)."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from serai.cli.dispatch import dispatch
from serai.cli.gateway import required
from tests.cli.fake_gateway import SILENCE, TOKEN, Asked, FakeGateway
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_S

PATH = "/api/deliveries"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gateway answers at once is awaited, however slow the machine is."""
    monkeypatch.setattr("serai.cli.dispatch._LEAST_S", PATIENCE_S)


def result(target: str, *deliveries: str, error: str | None = None, agent: str | None = None) -> dict[str, object]:
    return {
        "object": "dispatched",
        "target": target,
        "agent_id": agent,
        "deliveries": list(deliveries),
        "error": error,
    }


def accepted(gateway: FakeGateway, *results: dict[str, object]) -> None:
    gateway.answers(PATH, {"object": "list", "data": list(results), "has_more": False, "next": None}, 202)


def settled(gateway: FakeGateway, name: str, state: str, error: str | None = None) -> None:
    gateway.answers(f"{PATH}/{name}", {"object": "delivery", "id": name, "state": state, "error": error})


def test_a_text_is_sent_and_its_outcome_told(serai: Terminal, gateway: FakeGateway) -> None:
    accepted(gateway, result("telegram:1", "dlv_1"))
    settled(gateway, "dlv_1", "sent")
    said = serai("send", "telegram:1", "The build is green.")
    assert (said.code, said.out, said.err) == (0, "telegram:1: sent\n", "")
    asked = gateway.asked[0]
    assert (asked.method, asked.path) == ("POST", PATH)
    assert asked.document == {"target": "telegram:1", "text": "The build is green."}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_an_agent_is_passed_on_and_the_text_may_come_from_standard_input(
    serai: Terminal, gateway: FakeGateway
) -> None:
    accepted(gateway, result("telegram:1", "dlv_1", agent="ops"))
    settled(gateway, "dlv_1", "sent")
    assert serai("send", "--agent", "ops", "telegram:1", "-", typed="two\nlines\n").code == 0
    assert gateway.asked[0].document == {"target": "telegram:1", "text": "two\nlines", "agent": "ops"}


def test_each_target_has_a_line_and_one_failure_is_an_exit_code(serai: Terminal, gateway: FakeGateway) -> None:
    accepted(
        gateway,
        result("telegram:1", "dlv_1", "dlv_2"),
        result("slack:C1", "dlv_3"),
        result("matrix:!r%3As.org", "dlv_4"),
        result("discord", error="`discord` has no home chat"),
    )
    settled(gateway, "dlv_1", "sent")
    settled(gateway, "dlv_2", "sent")
    settled(gateway, "dlv_3", "dead", "the bot was thrown out")
    settled(gateway, "dlv_4", "unknown", "the connection broke")
    said = serai("send", "all", "hello")
    assert said.code == 1
    assert said.out.splitlines() == [
        "telegram:1: sent",
        "slack:C1: failed: the bot was thrown out",
        "matrix:!r%3As.org: unknown: the connection broke",
        "discord: failed: `discord` has no home chat",
    ]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["sent", "new"], ("waiting", "telegram is not connected")),
        (["sent", "sending"], ("waiting", "telegram is not connected")),
        (["dead", "new"], ("failed", "telegram is not connected")),
        (["sent", "unknown"], ("unknown", "telegram is not connected")),
        (["sent", "sent"], ("sent", None)),
    ],
)
def test_the_worst_of_a_cut_text_counts(
    states: Sequence[str], outcome: tuple[str, str | None], serai: Terminal, gateway: FakeGateway
) -> None:
    names = [f"dlv_{n}" for n in range(len(states))]
    accepted(gateway, result("telegram:1", *names))
    for name, state in zip(names, states, strict=True):
        settled(gateway, name, state, None if state == "sent" else "telegram is not connected")
    (one,) = dispatch(required(serai.home / "gateway.lock"), "telegram:1", "hello", None, patience=0)
    assert (one.state, one.reason) == outcome


class Standing:
    """`time` that passes only where it is slept through, which costs nothing."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def test_what_waits_is_no_failure(serai: Terminal, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serai.cli.dispatch.time", Standing())
    monkeypatch.setattr("serai.cli.dispatch.PATIENCE_S", 0.3)
    accepted(gateway, result("telegram:1", "dlv_1"))
    settled(gateway, "dlv_1", "new", "telegram is not connected")
    said = serai("send", "telegram:1", "hello")
    assert (said.code, said.out) == (0, "telegram:1: waiting: telegram is not connected\n")
    assert len(gateway.asked) > 2


class Leaving(FakeGateway):
    """Takes the text, and is gone, or hangs, when it is asked what became of it."""

    hang_s = 0.0

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if asked.method == "GET":
            self.over.wait(self.hang_s)
            return SILENCE
        return super().answer(asked)

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.over = threading.Event()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        super().__exit__()


@pytest.fixture
def leaving(serai: Terminal) -> Iterator[Leaving]:
    with Leaving(serai.home) as fake:
        accepted(fake, result("telegram:1", "dlv_1"), result("telegram:2", error="it is blank"))
        yield fake


def test_what_was_accepted_is_no_failure_where_the_gateway_goes_away(serai: Terminal, leaving: Leaving) -> None:
    accepted(leaving, result("telegram:1", "dlv_1"))
    said = serai("send", "telegram:1", "hello")
    assert (said.code, said.out, said.err) == (0, "telegram:1: waiting: stored; the gateway went away\n", "")
    (one,) = serai("send", "telegram:1", "hello", "--json").document["data"]
    assert (one["state"], one["deliveries"]) == ("waiting", ["dlv_1"])


def test_a_gateway_that_goes_away_hides_no_failure(serai: Terminal, leaving: Leaving) -> None:
    said = serai("send", "telegram:1", "hello")
    assert said.code == 1
    assert said.out.splitlines() == [
        "telegram:1: waiting: stored; the gateway went away",
        "telegram:2: failed: it is blank",
    ]


def test_a_gateway_that_hangs_is_awaited_no_longer_than_was_said(
    serai: Terminal, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serai.cli.dispatch.PATIENCE_S", 2.0)
    monkeypatch.setattr("serai.cli.dispatch._LEAST_S", 0.1)
    accepted(leaving, result("telegram:1", "dlv_1"))
    leaving.hang_s = 25.0
    began = time.monotonic()
    said = serai("send", "telegram:1", "hello")
    assert (said.code, said.out) == (0, "telegram:1: waiting: stored; the gateway does not answer\n")
    assert time.monotonic() - began < 20


def test_a_text_that_may_have_been_taken_is_not_said_to_be_lost(
    serai: Terminal, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "answer", lambda _: SILENCE)
    said = serai("send", "telegram:1", "hello")
    assert said.code == 1
    assert said.err.endswith(" It may have taken the text; `serai delivery list` tells.\n")
    leaving.hang_up()
    assert "It may have taken" not in serai("send", "telegram:1", "hello").err


def test_a_delivery_that_cannot_be_looked_at_waits(
    serai: Terminal, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serai.cli.dispatch.PATIENCE_S", 0.1)
    accepted(gateway, result("telegram:1", "dlv_1"))
    gateway.answers(f"{PATH}/dlv_1", {"error": {"message": "The database is busy."}}, 503)
    said = serai("send", "telegram:1", "hello")
    assert (said.code, said.out) == (0, "telegram:1: waiting: stored; The database is busy.\n")


def test_a_refusal_of_the_gateway_is_one_sentence(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers(PATH, {"error": {"message": "`target`: Expected `str` of length <= 1000."}}, 400)
    said = serai("send", "telegram:1", "hello")
    assert (said.code, said.out, said.err) == (1, "", "Error: `target`: Expected `str` of length <= 1000.\n")


def test_a_reason_cannot_drive_the_terminal(serai: Terminal, gateway: FakeGateway) -> None:
    accepted(gateway, result("telegram:\x1b[2J", error="a\nb\x1b"))
    assert serai("send", "telegram:1", "hello").out == "telegram: [2J: failed: a b \n"


def test_without_a_gateway_nothing_is_sent(serai: Terminal) -> None:
    said = serai("send", "telegram:1", "hello")
    assert said.code == 1
    assert "No gateway runs" in said.err


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_blank_text_is_wrong_usage(text: str, serai: Terminal, gateway: FakeGateway) -> None:
    said = serai("send", "telegram:1", "-", typed=text)
    assert said.code == 2
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["", "x"], "The target is empty."),
        (["telegram:1", " "], "The text is empty."),
        (["--agent", "", "telegram:1", "x"], "--agent needs the ID of an agent; without it the gateway speaks."),
        (["x" * 1001, "x"], "The target is too long: 1000 characters are the most."),
        (["telegram:1", "x" * 100_001], "The text is too long: 100000 characters are the most."),
    ],
)
def test_what_cannot_be_sent_is_wrong_usage(
    words: Sequence[str], sentence: str, serai: Terminal, gateway: FakeGateway
) -> None:
    said = serai("send", *words)
    assert (said.code, said.err.splitlines()[-1]) == (2, f"Error: {sentence}")
    assert gateway.asked == []


def test_several_targets_in_one_word_are_not_taken_for_a_chat(serai: Terminal, gateway: FakeGateway) -> None:
    accepted(gateway, result("web:a,b", error="no"))
    said = serai("send", "web:a,WEB@default:b", "x")
    assert (said.code, gateway.asked) == (1, [])
    assert said.err == (
        "Error: This looks like several targets; name one at a time. A comma inside an id is written `%2C`.\n"
    )
    serai("send", "web:a,b", "x")
    assert gateway.asked[0].document["target"] == "web:a,b"


def test_a_long_target_is_not_printed_whole(serai: Terminal, gateway: FakeGateway) -> None:
    accepted(gateway, result("web:" + "x" * 900, error="no"))
    assert serai("send", "web:" + "x" * 900, "x").out == f"web:{'x' * 96}…: failed: no\n"
