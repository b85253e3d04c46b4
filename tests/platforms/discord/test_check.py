"""What `serai doctor` is told of an account, and which settings are refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from serai.core.ids import AgentId
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Check, Surroundings
from serai.platforms.discord.check import check
from serai.platforms.discord.config import DiscordConfig
from serai.platforms.discord.driver import Discord
from serai.ports.secrets import SecretMissing
from serai.testing.clock import EPOCH, SeededEntropy, VirtualClock, virtual_time
from tests.platforms.discord.peer import DiscordPeer
from tests.platforms.discord.rig import ACCOUNT


@dataclass
class OneSecret:
    value: str

    def get(self, reader: AgentId | None, name: str) -> str:
        if not self.value or name != "DISCORD_TOKEN":
            raise SecretMissing(name)
        return self.value

    def values(self) -> Iterable[str]:
        return (self.value,)


def surroundings(peer: DiscordPeer, session: aiohttp.ClientSession, token: str, **own: Any) -> Surroundings:
    addresses = {"base_url": peer.base_url, "gateway_url": peer.gateway_url}
    settings = AccountSettings(ACCOUNT, Access(), {"token_env": "DISCORD_TOKEN", **addresses, **own})
    return Surroundings(settings, OneSecret(token), session, VirtualClock(), SeededEntropy(), Path("/nowhere"))


async def looked(token: str | None, *, content: bool = True, servers: int = 1, **own: Any) -> Sequence[Check]:
    async with DiscordPeer(lambda: EPOCH) as peer, aiohttp.ClientSession() as session:
        made = peer.token("Serai", content=content)
        for number in range(servers):
            peer.world.join(peer.world.guild(f"Guild {number}"), peer.bot(made))
        return await check(surroundings(peer, session, made if token is None else token, **own))


@virtual_time
async def test_a_good_account_is_told_by_name() -> None:
    found = await looked(None, servers=2)
    assert [(one.ok, one.text) for one in found] == [
        (True, "the token is serai's"),
        (True, "the bot is on 2 servers"),
    ]


@virtual_time
async def test_what_is_wrong_is_told_with_what_mends_it() -> None:
    for found, text, mend in (
        (await looked("fake-wrong"), "refuses the token", "DISCORD_TOKEN"),
        (await looked(""), "no token", "DISCORD_TOKEN"),
        (await looked(None, content=False), "Intent is off", "message_content: false"),
        (await looked(None, servers=0), "on no server", "invite it"),
    ):
        wrong = [one for one in found if not one.ok]
        assert [(text in one.text, mend in one.mend) for one in wrong] == [(True, True)], found
        assert "fake-wrong" not in repr(found)


@virtual_time
async def test_an_intent_that_is_not_wanted_is_not_missed() -> None:
    assert all(one.ok for one in await looked(None, content=False, message_content=False))


@virtual_time
async def test_no_network_is_told() -> None:
    async with DiscordPeer(lambda: EPOCH) as peer, aiohttp.ClientSession() as session:
        token = peer.token("Serai")
        await peer.refuse_connections()
        (found,) = await check(surroundings(peer, session, token))
    assert not found.ok
    assert "cannot be reached" in found.text


@virtual_time
async def test_a_driver_is_made_of_settings() -> None:
    async with DiscordPeer(lambda: EPOCH) as peer, aiohttp.ClientSession() as session:
        driver = Discord.configured(surroundings(peer, session, "fake-token-of-settings"))
    assert driver.account == ACCOUNT
    assert "fake-token-of-settings" not in repr(driver)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"token_env": "MTA5 not a name"},
        {"token_env": "T", "token": "x"},
        {"token_env": "T", "message_content": "yes"},
        {"token_env": "T", "base_url": "http://127.0.0.1:1"},
        {"token_env": "T", "base_url": "ftp://a", "gateway_url": "ws://a"},
        {"token_env": "T", "base_url": "http://a", "gateway_url": "http://a"},
        {"token_env": "T", "base_url": "http://u:p@a", "gateway_url": "ws://a"},
        {"token_env": "T", "base_url": "http://a:99999999", "gateway_url": "ws://a"},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DiscordConfig(**settings)


def test_settings_that_can_be_are_taken() -> None:
    assert DiscordConfig(token_env="T").message_content
    own = DiscordConfig(token_env="T", base_url="http://a/", gateway_url="ws://a")
    assert (own.base_url, own.gateway_url) == ("http://a", "ws://a")
