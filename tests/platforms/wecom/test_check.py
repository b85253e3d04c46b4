"""What `serai setup` and `serai doctor` are told of an account."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from serai.core.error import FetchFailed
from serai.core.ids import AgentId
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Check, Surroundings
from serai.platforms.wecom.check import check
from serai.platforms.wecom.media import decipher
from serai.testing.clock import SeededEntropy, VirtualClock, virtual_time
from tests.platforms.wecom.peer import wecom_peer
from tests.platforms.wecom.rig import ACCOUNT, BOT, SECRET

NOWHERE: Final = "ws://127.0.0.1:1"


class Env:
    """Variables, each under its own name."""

    def __init__(self, **values: str) -> None:
        self._values = values

    def get(self, reader: AgentId | None, name: str) -> str:
        return self._values[name]

    def values(self) -> Sequence[str]:
        return tuple(self._values.values())


async def looked(url: str, secret: str = SECRET) -> Sequence[Check]:
    settings = AccountSettings(ACCOUNT, Access(), {"bot_id_env": "BOT", "secret_env": "SECRET", "url": url})
    async with aiohttp.ClientSession() as session:
        env = Env(BOT=BOT, SECRET=secret)
        around = Surroundings(settings, env, session, VirtualClock(), SeededEntropy(), Path("/nowhere"))
        return await check(around)


@virtual_time
async def test_a_good_account_a_wrong_secret_and_no_network_are_told_apart() -> None:
    async with wecom_peer({BOT: SECRET}) as peer:
        assert await looked(peer.url) == [Check(True, f"WeCom takes the id and secret of bot {BOT}")]
        (wrong,) = await looked(peer.url, "fake-other-secret")
        assert (wrong.ok, wrong.mend) == (False, "look up the bot's id and secret in WeCom's console")
    (away,) = await looked(NOWHERE)
    assert (away.ok, away.mend) == (False, f"is `{NOWHERE}` reachable from here?")


@virtual_time
async def test_a_missing_library_is_told_and_costs_files_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cryptography", "cryptography.hazmat.primitives.ciphers"):
        monkeypatch.setitem(sys.modules, name, None)
    async with wecom_peer({BOT: SECRET}) as peer:
        _, lacking = await looked(peer.url)
    assert (lacking.ok, lacking.mend) == (False, "pip install 'serai[wecom]'")
    with pytest.raises(FetchFailed, match="library that is not installed"):
        decipher(bytes(32), "A" * 43)
