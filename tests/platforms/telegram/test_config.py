"""Settings of a Telegram account, its manifest, and what a look at its credentials shows."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError

from serai.core.error import Startup
from serai.core.ids import Account
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Check, Surroundings
from serai.platforms.telegram.check import check
from serai.platforms.telegram.config import PUBLIC_API, TelegramConfig
from serai.platforms.telegram.driver import Telegram
from serai.testing import SeededEntropy, VirtualClock, virtual_time
from tests.platforms.telegram.bot import FakeBot
from tests.platforms.telegram.peer import TelegramPeer
from tests.platforms.telegram.rig import TOKEN

GOOD = {"token_env": "TELEGRAM_TOKEN"}


def test_the_public_api_is_the_default_and_a_root_is_kept_without_its_slash() -> None:
    assert TelegramConfig.model_validate(GOOD).base_url == PUBLIC_API
    own = TelegramConfig.model_validate(GOOD | {"base_url": "http://127.0.0.1:8081/"})
    assert own.base_url == "http://127.0.0.1:8081"


@pytest.mark.parametrize(
    "changed",
    [
        {"token_env": "7000001:AAfake"},
        {"token_env": ""},
        {"token_env": 7},
        {"token": "7000001:AAfake"},
        {"base_url": ""},
        {"base_url": "api.telegram.org"},
        {"base_url": "ftp://api.telegram.org"},
        {"base_url": "https://ada:fake@api.telegram.org"},
        {"base_url": "https://api.telegram.org/?a=b"},
        {"base_url": "https://api.telegram.org/{token}"},
        {"base_url": "https://[bad"},
    ],
)
def test_what_cannot_be_used_is_a_problem(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as raised:
        TelegramConfig.model_validate(GOOD | changed)
    assert "AAfake" not in str(raised.value)


def test_the_token_is_required() -> None:
    with pytest.raises(ValidationError):
        TelegramConfig.model_validate({})


@pytest.mark.parametrize("token", ["", " \n", "7:a b", "7:a/b", "7:ä", "7:{a}"])
def test_a_token_that_is_none_refuses_to_start(token: str) -> None:
    @virtual_time
    async def begin() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(Startup) as raised:
                Telegram(Account("telegram"), token, session)
            assert "@BotFather" in str(raised.value)
            assert not token.strip() or token not in str(raised.value)

    begin()


def test_manifest_and_settings_import_no_library() -> None:
    code = "import sys, serai.platforms.telegram.config; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"telegram", "httpx", "aiohttp"} & set(done.stdout.split())


class Secrets:
    """One secret."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get(self, agent: object, name: str) -> str:
        assert name == "TELEGRAM_TOKEN"
        return self._token

    def values(self) -> tuple[str, ...]:
        return (self._token,)


def surroundings(session: aiohttp.ClientSession, url: str, token: str, *, mention: bool = True) -> Surroundings:
    own = TelegramConfig.model_validate(GOOD | {"base_url": url}).model_dump()
    settings = AccountSettings(Account("telegram"), Access(), own, require_mention=mention)
    return Surroundings(settings, Secrets(token), session, VirtualClock(), SeededEntropy(), Path("/nowhere"))


async def shown(peer: TelegramPeer, *, token: str = TOKEN, mention: bool = True) -> Sequence[Check]:
    async with aiohttp.ClientSession() as session:
        return await check(surroundings(session, peer.url, token, mention=mention))


def bot(peer: TelegramPeer) -> FakeBot:
    return peer.bot(TOKEN, "serai_bot")


@virtual_time
async def test_a_look_at_a_good_account() -> None:
    async with TelegramPeer() as peer:
        bot(peer).reads_all = True
        checks = await shown(peer)
        assert all(one.ok for one in checks)
        assert [one.text.partition(" ")[0] for one in checks] == ["logged", "no", "privacy"]
        assert "@serai_bot" in checks[0].text
        assert {call.method for call in bot(peer).calls} == {"getme", "getwebhookinfo"}


@virtual_time
async def test_privacy_mode_is_wrong_only_where_all_talk_is_to_be_read() -> None:
    async with TelegramPeer() as peer:
        bot(peer)
        fits = (await shown(peer))[-1]
        assert (fits.ok, fits.mend) == (True, "")
        hidden = (await shown(peer, mention=False))[-1]
        assert not hidden.ok
        assert "/setprivacy" in hidden.mend


@virtual_time
async def test_a_webhook_and_groups_that_are_forbidden_are_told() -> None:
    async with TelegramPeer() as peer:
        bot(peer).webhook = "https://hooks.example/secret-path"
        bot(peer).joins_groups = False
        told = await shown(peer)
        assert [one.ok for one in told] == [True, False, True, True]
        assert "hooks.example" in told[1].text
        assert "secret-path" not in told[1].text
        assert "/setjoingroups" in told[3].text


@virtual_time
async def test_a_token_that_does_not_count_is_told_with_what_to_do() -> None:
    async with TelegramPeer() as peer:
        for token in ("7:another-fake", " "):
            (only,) = await shown(peer, token=token)
            assert not only.ok
            assert only.mend
            assert "another-fake" not in repr(only)


@virtual_time
async def test_a_server_that_is_not_there_is_told() -> None:
    async with TelegramPeer() as peer:
        url = peer.url
    async with aiohttp.ClientSession() as session:
        (only,) = await check(surroundings(session, url, TOKEN))
    assert not only.ok
    assert url in only.mend
    assert TOKEN not in repr(only)
