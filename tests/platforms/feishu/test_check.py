"""A look at an account's credentials and permissions."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from serai.core.ids import AgentId
from serai.core.snapshot import Access, AccountSettings
from serai.platforms import Check, Surroundings
from serai.platforms.feishu.check import check
from serai.platforms.feishu.driver import Feishu
from serai.ports.secrets import SecretMissing
from serai.testing.clock import SeededEntropy, VirtualClock, virtual_time
from tests.platforms.feishu.rig import ACCOUNT, APP_ID, SECRET, FeishuRig, rig


class Safe:
    """Knows one secret."""

    def __init__(self, value: str) -> None:
        self._value = value

    def get(self, reader: AgentId | None, name: str) -> str:
        if reader is not None or name != "FEISHU_SECRET":
            raise SecretMissing(name)
        return self._value

    def values(self) -> Iterable[str]:
        return [self._value]


def surroundings(feishu: FeishuRig, secret: str = SECRET, domain: str = "") -> Surroundings:
    own = {"app_id": APP_ID, "app_secret_env": "FEISHU_SECRET", "domain": domain or feishu.peer.url}
    settings = AccountSettings(ACCOUNT, Access(), own)
    return Surroundings(settings, Safe(secret), feishu.session, VirtualClock(), SeededEntropy(), Path("/nowhere"))


@asynccontextmanager
async def checked(secret: str = SECRET, *, without: str = "") -> AsyncIterator[list[Check]]:
    async with rig() as feishu:
        feishu.app.state.scopes.discard(without)
        yield list(await check(surroundings(feishu, secret)))
        assert not feishu.seen, "something was sent"


@virtual_time
async def test_good_credentials_and_permissions_are_fine() -> None:
    async with checked() as found:
        assert all(one.ok for one in found), found
        assert "Serai" in found[0].text
        assert len(found) == 7


@virtual_time
async def test_a_wrong_secret_is_told_with_what_mends_it() -> None:
    async with checked("fake-wrong-secret") as found:
        (one,) = found
        assert not one.ok
        assert "FEISHU_SECRET" in one.text
        assert "fake-wrong-secret" not in repr(one)
        assert one.mend


@virtual_time
async def test_a_missing_permission_is_named_with_what_it_costs() -> None:
    async with checked(without="cardkit:card:write") as found:
        (missing,) = [one for one in found if not one.ok]
        assert "cardkit:card:write" in missing.text
        assert "grow" in missing.text
        assert "Permissions" in missing.mend


@virtual_time
async def test_permissions_that_cannot_be_seen_are_no_failure_of_the_rest() -> None:
    async with rig() as feishu:
        feishu.peer.errors["GET application"] = [99991672]
        found = await check(surroundings(feishu))
        assert [one.ok for one in found] == [True, False]


@virtual_time
async def test_an_app_that_is_not_published_is_told() -> None:
    async with rig() as feishu:
        feishu.app.state.in_use = False
        found = await check(surroundings(feishu))
        assert "not in use" in next(one.text for one in found if not one.ok)


@virtual_time
async def test_a_platform_that_does_not_answer_is_told() -> None:
    async with rig() as feishu:
        await feishu.peer.close()
        (one,) = await check(surroundings(feishu))
        assert not one.ok


@virtual_time
async def test_an_account_is_made_of_its_settings() -> None:
    async with rig() as feishu:
        platform = Feishu.configured(surroundings(feishu))
        assert platform.account == ACCOUNT
        assert (await platform.bot()).app_name == "Serai"
