"""`serai send`: a text for chats, and what became of it (SPEC 10, 12, 16.5)."""

from collections.abc import Sequence

import pytest

from serai.cli.dispatch import dispatch
from serai.cli.gateway import required
from tests.cli.fake_gateway import TOKEN, FakeGateway
from tests.cli.terminal import Terminal

PATH = "/api/deliveries"


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


def test_what_waits_is_no_failure(serai: Terminal, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serai.cli.dispatch.PATIENCE_S", 0.3)
    accepted(gateway, result("telegram:1", "dlv_1"))
    settled(gateway, "dlv_1", "new", "telegram is not connected")
    said = serai("send", "telegram:1", "hello")
    assert (said.code, said.out) == (0, "telegram:1: waiting: telegram is not connected\n")
    assert len(gateway.asked) > 2


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
