"""Two bots in a gateway of its own process, killed in the middle of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.platforms.telegram.bot import FakeBot
from tests.platforms.telegram.peer import TelegramPeer
from tests.process.gateway import gateways
from tests.process.home import write_home
from tests.process.model import Asked, stub_model

_SECONDS = 60.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not holds():
            await asyncio.sleep(0.05)


def texts(bot: FakeBot) -> list[tuple[str, str]]:
    return [(posted.chat, posted.text) for posted in bot.posted]


@pytest.mark.slow
async def test_a_killed_gateway_loses_no_message_and_answers_through_the_right_bot(tmp_path: Path) -> None:
    slow = asyncio.Event()

    async def say(asked: Asked) -> str:
        if "wait" in asked.user_text:
            await slow.wait()
        return f"**{asked.body['model']}** heard: {asked.user_text}"

    async with TelegramPeer() as peer, stub_model(say) as model, gateways(tmp_path) as nursery:
        work, home = peer.bot("7000001:fake-token-one", "work_bot"), peer.bot("7000002:fake-token-two", "home_bot")
        config = {
            "model": {"name": "m-main", "base_url": f"{model}/v1"},
            "agents": {"ops": {"model": "m-ops"}},
            "routes": [{"match": {"platform": "telegram", "account": "work"}, "agent": "ops"}],
            "platforms": {
                "telegram": {
                    "token_env": "TG_HOME",
                    "base_url": peer.url,
                    "allow_users": ["42"],
                    "accounts": {"work": {"token_env": "TG_WORK", "base_url": peer.url, "allow_users": ["42"]}},
                }
            },
            "api_server": {"port": 0},
        }
        secrets = {"TG_HOME": home.token, "TG_WORK": work.token}
        environment = {"SERAI_HOME": str(write_home(tmp_path / "home", config, secrets))}
        first = await nursery.start(["-m", "serai", "up"], environment)
        work.offer(peer.says("hello"))
        home.offer(peer.says("hello"))
        await until(lambda: bool(work.posted and home.posted))
        work.offer(peer.says("please wait"))
        await until(lambda: not work.pending)
        await until(lambda: ("42", None) in work.typings)
        await first.kill()
        home.offer(peer.says("are you there?"))
        slow.set()
        await nursery.start(["-m", "serai", "up"], environment)
        await until(lambda: len(work.posted) == 2 and len(home.posted) == 2)
        await asyncio.sleep(2)
        assert texts(work) == [("42", "m-ops heard: hello"), ("42", "m-ops heard: please wait")]
        assert texts(home) == [("42", "m-main heard: hello"), ("42", "m-main heard: are you there?")]
        assert not [secret for secret in secrets.values() if secret in first.errors()]
