"""`serai setup` in a real terminal: a person is asked, and the key is not shown (SPEC 12)."""

from pathlib import Path

import pytest

from tests.cli.fake_endpoint import fake_endpoint
from tests.process.terminal import terminal

KEY = "fake-key-of-the-endpoint"

pytestmark = pytest.mark.slow


async def test_a_person_sets_up_a_first_agent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with fake_endpoint(["m"], KEY) as url:
        async with terminal(["-m", "serai", "setup"], {"SERAI_HOME": str(home), "HOME": str(tmp_path)}) as screen:
            await screen.expect("Number")
            screen.type("2\r")
            await screen.expect("Base URL")
            screen.type(f"{url}\r")
            await screen.expect("Name of the variable")
            screen.type("K\r")
            await screen.expect("Model")
            screen.type("m\r")
            await screen.expect("it is not shown")
            screen.type(f"{KEY}\r")
            shown = await screen.expect("Name of the first agent")
            assert "It answers: Ready." in shown
            assert KEY not in shown
            screen.type("ada\r")
            await screen.expect("Who is ada?")
            screen.type("You are Ada.\r")
            await screen.expect("Ready. Next:")
            assert await screen.ended() == 0
    assert (home / ".env").read_text() == f"K={KEY}\n"
    assert "You are Ada." in (home / "agents/ada/SOUL.md").read_text()
