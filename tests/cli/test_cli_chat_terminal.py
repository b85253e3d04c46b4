"""`serai chat` in a real terminal, with a real gateway and a stub model (SPEC 12)."""

import asyncio
import stat
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.process.gateway import gateways
from tests.process.home import write_home
from tests.process.model import Asked, stub_model
from tests.process.terminal import terminal

ANSWERS = {
    "hello": "That is **strong**.\n\n- one\n- two\n",
    "again": "Still \x1b]0;owned\x07here.",
    "first line\nsecond line": "Two lines.",
    "back?": "Yes, back.",
    "who?": "Ops is.",
}

pytestmark = pytest.mark.slow


async def test_a_conversation_in_a_terminal(tmp_path: Path) -> None:
    stuck = asyncio.Event()
    asked: list[str] = []

    async def model(question: Asked) -> str:
        asked.append(question.user_text)
        if question.user_text == "slow":
            stuck.set()
            await asyncio.Event().wait()
        return ANSWERS[question.user_text]

    async with stub_model(model) as address, gateways(tmp_path) as nursery:
        config = {"model": {"name": "m", "base_url": f"{address}/v1"}, "agents": {"main": {}, "ops": {}}}
        home = write_home(tmp_path / "home", config, {})
        up, environment = ["-m", "serai", "up", "--port", "0"], {"SERAI_HOME": str(home)}
        gateway = await nursery.start(up, environment)
        async with terminal(["-m", "serai", "chat"], {**environment, "HOME": str(tmp_path)}) as screen:
            await screen.expect("default>")

            # The answer is drawn as Markdown.
            screen.type("hello\r")
            shown = await screen.expect("two")
            assert "\x1b[1mstrong\x1b[0m" in shown
            assert "**" not in shown

            # What a model says cannot drive the terminal.
            await screen.expect("default>")
            screen.type("again\r")
            shown = await screen.expect("here.")
            assert "\x1b]0;" not in shown
            assert "]0;owned" in shown

            # A pasted text is one message, whatever its lines.
            await screen.expect("default>")
            screen.type("\x1b[200~first line\nsecond line\x1b[201~")
            screen.type("\r")
            await screen.expect("Two lines.")

            # Ctrl-C stops the answer, and not the program.
            await screen.expect("default>")
            screen.type("slow\r")
            await asyncio.wait_for(stuck.wait(), PATIENCE_S)
            screen.type("\x03")
            await screen.expect("(stopped)")
            await screen.expect("default>")

            # The gateway goes away: a sentence, and the message is kept. It comes back, elsewhere.
            await gateway.stop()
            screen.type("back?\r")
            await screen.expect("Error: No gateway runs")
            await screen.expect("back?")
            await nursery.start(up, environment)
            screen.type("\r")
            await screen.expect("Yes, back.")

            # Commands are completed, and change whom one talks to.
            await screen.expect("default>")
            screen.type("/agent o")
            await screen.expect("ops")
            screen.type("\t")
            await screen.expect("ops")
            screen.type("\r")
            await screen.expect("agent ops.")
            await screen.expect("ops>")
            screen.type("who?\r")
            await screen.expect("Ops is.")

            # Ctrl-D leaves.
            await screen.expect("ops>")
            screen.type("\x04")
            assert await screen.ended() == 0
    assert asked == ["hello", "again", "first line\nsecond line", "slow", "back?", "who?"]
    history = home / "chat_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "+first line\n+second line\n" in history.read_text()
