"""What `serai setup` and `serai doctor` are told of an account."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp

from serai.core.ids import AgentId
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Check, Surroundings
from serai.platforms.yuanbao.check import check
from serai.testing.clock import SeededEntropy, VirtualClock, virtual_time
from tests.platforms.yuanbao.rig import ACCOUNT, BOT, KEY, SECRET, rig

NOWHERE: Final = "http://127.0.0.1:1"


class Env:
    """Variables, each under its own name."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def get(self, reader: AgentId | None, name: str) -> str:
        return self._values[name]

    def values(self) -> Sequence[str]:
        return tuple(self._values.values())


async def looked(url: str, secret: str = SECRET) -> Sequence[Check]:
    own = {"app_key_env": "KEY", "app_secret_env": "SECRET", "api_url": url}
    settings = AccountSettings(ACCOUNT, Access(), own)
    async with aiohttp.ClientSession() as session:
        env = Env(KEY=KEY, SECRET=secret)
        around = Surroundings(settings, env, session, VirtualClock(), SeededEntropy(), Path("/nowhere"))
        return await check(around)


@virtual_time
async def test_a_good_account_a_wrong_secret_and_no_network_are_told_apart() -> None:
    async with rig() as yuanbao:
        assert await looked(yuanbao.peer.api_url) == [Check(True, f"Yuanbao takes the key and secret of bot {BOT}")]
        (wrong,) = await looked(yuanbao.peer.api_url, "fake-other-secret")
        assert (wrong.ok, wrong.mend) == (False, "look up the bot's app key and secret in Yuanbao's app")
    (away,) = await looked(NOWHERE)
    assert (away.ok, away.mend) == (False, f"is `{NOWHERE}` reachable from here?")
