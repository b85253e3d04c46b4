"""`serai status` and `serai up`: is there a gateway, and how is it (SPEC 2.1, 16.5)."""

from pathlib import Path

import pytest

from serai.app.up import Running
from serai.cli.place import Place
from serai.cli.up import print_running
from tests.cli.fake_gateway import PID, TOKEN, FakeGateway
from tests.cli.stored import store_conversation
from tests.cli.terminal import OPS, Terminal

READY = {"ready": True, "default_agent": "main", "accounts": {"webhook": "connected"}, "turns_in_flight": 2}


def test_a_running_gateway_tells_how_it_is(serai: Terminal, gateway: FakeGateway) -> None:
    store_conversation(serai.home)
    gateway.answers("/ready", READY)
    said = serai("status")
    assert said.code == 0
    for line in (f"running, pid {PID}", gateway.url, "accounts webhook", "connected", "deliveries unknown"):
        assert line in said.out
    assert gateway.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in said.out


def test_the_same_as_json(serai: Terminal, gateway: FakeGateway) -> None:
    store_conversation(serai.home)
    gateway.answers("/ready", READY)
    document = serai("status", "--json").document
    assert (document["running"], document["pid"], document["url"]) == (True, PID, gateway.url)
    assert document["ready"] is True
    assert document["readiness"] == READY
    assert document["counts"]["sessions"] == 1
    assert document["counts"]["deliveries"] == {"unknown": 1}
    assert document["uptime_s"] >= 0


def test_a_gateway_that_is_not_ready_still_runs(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.answers("/ready", {"ready": False, "reasons": {"default_agent": "no model is configured"}}, 503)
    said = serai("status")
    assert said.code == 0
    assert "no model is configured" in said.out
    assert serai("status", "--json").document["ready"] is False


def test_a_gateway_that_does_not_answer_is_an_error(serai: Terminal, gateway: FakeGateway) -> None:
    gateway.hang_up()
    said = serai("status")
    assert said.code == 1
    assert f"(pid {PID}) did not answer" in said.err


def test_a_second_gateway_of_a_home_is_refused_and_names_the_first(serai: Terminal, gateway: FakeGateway) -> None:
    said = serai("up", "--port", "0")
    assert said.code == 1
    assert f"pid {PID}" in said.err


def test_a_bad_configuration_does_not_come_up(serai: Terminal) -> None:
    serai.write("agnets: {}\n")
    said = serai("up", "--port", "0")
    assert said.code == 1
    assert "config.yaml:1: agnets: unknown key (did you mean `agents`?)" in said.err


def test_up_says_what_to_open(serai: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    serai.write(OPS)
    place = Place(str(serai.home))
    print_running(place, Running("http://127.0.0.1:8642", place.snapshot(), ("a notice",), demo=True))
    shown = capsys.readouterr()
    assert shown.out.startswith("Serai is up at http://127.0.0.1:8642\n")
    assert "main (default), ops" in shown.out
    assert "http://127.0.0.1:8642/v1" in shown.out
    assert "demo model" in shown.out
    assert shown.err == "  Note: a notice\n"


def test_up_takes_a_home_of_its_own(serai: Terminal, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.yaml").write_text("agnets: {}\n")
    assert "agnets" in serai("up", "--home", str(other)).err
