"""What `serai setup` and `serai doctor` are told of an account."""

from pathlib import Path

import aiohttp
from peer import PASSWORD, Peer
from rig import ACCOUNT, config
from serai_irc.check import check

from serai.core.ids import AgentId
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Check, Surroundings
from serai.testing import SeededEntropy, VirtualClock, virtual_time


class Held:
    """The secrets of a gateway: one password."""

    def __init__(self, password: str) -> None:
        self._password = password

    def get(self, reader: AgentId | None, name: str) -> str:
        assert (reader, name) == (None, "IRC_PASSWORD")
        return self._password

    def values(self) -> list[str]:
        return [self._password]


async def looked(port: int, password: str = PASSWORD, **changes: object) -> Check:
    own = config(port=port, **changes).model_dump()
    settings = AccountSettings(ACCOUNT, Access(frozenset(), frozenset(), True, False), own)
    async with aiohttp.ClientSession() as session:
        around = Surroundings(settings, Held(password), session, VirtualClock(), SeededEntropy(), Path("unused"))
        (shown,) = await check(around)
    return shown


@virtual_time
async def test_a_good_account_is_fine_and_nothing_is_said() -> None:
    async with Peer() as peer:
        assert await looked(peer.port) == Check(True, "the server takes the bot as serai")
        assert peer.said == []


@virtual_time
async def test_what_is_wrong_is_told() -> None:
    async with Peer() as peer:
        assert "refuses the password" in (await looked(peer.port, "fake-wrong-password")).text
        assert "does not take the nick" in (await looked(peer.port, nick="x" * 31)).text
        port = peer.port
    nobody = await looked(port)
    assert (nobody.ok, nobody.mend) == (False, "mend `server`, `port`, `tls` or `ca_file`")
