"""What every driver must do that keeps a connection: come back, stay away where it must, and know itself (SPEC 13.2).

A driver that declares no `silence_s` has no connection to keep; these tests are skipped for it.
"""

import asyncio
from typing import Final

from serai.core.error import CredentialsRefused, LoggedInElsewhere, Shut
from serai.testing.platform.rig import ExclusiveRig, LiveRig, Sever, Utterance
from serai.testing.platform.stage import Stage, overheard, told
from serai.testing.platform.staged import Staged, on_loop, played

_BACK_SECONDS: Final = 90.0
"""For which a driver may need to be there again, once its silence is noticed."""

_LATE_SECONDS: Final = 5.0
"""For which a second copy of something is waited for."""


class PlatformLiveContract(Staged):
    """Connections that end, each in its way."""

    @on_loop
    async def test_after_a_clean_close_1000_it_is_there_again(self) -> None:
        await self._survives("closed_1000")

    @on_loop
    async def test_after_a_clean_close_1001_it_is_there_again(self) -> None:
        await self._survives("closed_1001")

    @on_loop
    async def test_after_a_cut_it_is_there_again(self) -> None:
        await self._survives("cut")

    @on_loop
    async def test_a_silent_connection_is_noticed_and_made_anew(self) -> None:
        await self._survives("silent")

    @on_loop
    async def test_a_copy_that_comes_after_a_reconnect_has_the_key_of_the_first(self) -> None:
        async with self.kept() as stage:
            rig = _live(stage)
            said = Utterance("once", message="1")
            assert await stage.say(said) == [True]
            await rig.sever("cut")
            await _back(stage)
            assert await stage.say(said) == [True], "a second copy was not acknowledged"
            keys = {inbound.dedupe_key for inbound in stage.gateway.heard}
        assert len(keys) == 1, f"a second copy has another key: {keys}"

    @on_loop
    async def test_it_says_as_whom_it_has_logged_in(self) -> None:
        async with self.kept() as stage:
            _live(stage)
            assert stage.gateway.logins, "it has not said that it is up"
            assert all(stage.gateway.logins), "it does not say who it is"

    @on_loop
    async def test_what_the_bot_itself_said_is_no_message(self) -> None:
        async with self.kept() as stage:
            await stage.rig.inject([_live(stage).echo("my own words")])
            await stage.say(Utterance("somebody else's"))
            heard = [inbound.text for inbound in stage.gateway.heard if not inbound.source.is_bot]
            assert heard == ["somebody else's"], f"heard {heard}"

    @on_loop
    async def test_refused_credentials_shut_the_connection(self) -> None:
        with overheard() as log:
            async with self.kept() as stage:
                await _live(stage).revoke()
                error = await _shut(stage)
                secrets = [secret for secret in stage.rig.secrets if secret in told(error) + log.getvalue()]
        assert isinstance(error, CredentialsRefused), f"got {error!r}"
        assert str(error), "it does not say what to do"
        assert not secrets, "a secret can be read"

    @on_loop
    async def test_a_second_login_shuts_the_connection(self) -> None:
        async with self.kept() as stage:
            exclusive = stage.rig.platform.capabilities.exclusive
            rig = played(stage.rig, ExclusiveRig, declared=exclusive, ability="detection of a second login")  # type: ignore[type-abstract]
            await rig.log_in_elsewhere()
            error = await _shut(stage)
        assert isinstance(error, LoggedInElsewhere), f"got {error!r}"
        assert str(error), "it does not say what to do"

    async def _survives(self, how: Sever) -> None:
        """After an end, the driver is connected again, and nothing is lost or doubled."""
        async with self.kept() as stage:
            rig = _live(stage)
            assert await stage.say(Utterance("before", message="1")) == [True]
            logins = len(stage.gateway.logins)
            await rig.sever(how)
            await _back(stage)
            assert len(stage.gateway.logins) > logins, "it has not said that it is up again"
            assert await stage.say(Utterance("after", message="2")) == [True], "not acknowledged"
            await asyncio.sleep(_LATE_SECONDS)
            heard = {inbound.dedupe_key: inbound.text for inbound in stage.gateway.heard}
            assert sorted(heard.values()) == ["after", "before"], f"heard {heard}"
            await stage.rig.platform.send(stage.delivery("still here"))
            assert stage.rig.seen[-1].text == "still here"


def _live(stage: Stage) -> LiveRig:
    silence_s = stage.rig.platform.capabilities.silence_s
    return played(stage.rig, LiveRig, declared=silence_s is not None, ability="connection of its own")  # type: ignore[type-abstract]


async def _back(stage: Stage) -> None:
    """Waits until the driver is logged in again."""
    most = (stage.rig.platform.capabilities.silence_s or 0) + _BACK_SECONDS
    try:
        async with asyncio.timeout(most):
            await stage.rig.logged_in()
    except TimeoutError:
        shut = f": {stage.gateway.shut!r}" if stage.gateway.shut else ""
        raise AssertionError(f"it is not logged in again after {most:g} s{shut}") from None


async def _shut(stage: Stage) -> Shut:
    """Waits until the driver says that it must not be run again."""
    for _ in range(int(_BACK_SECONDS) * 10):
        if stage.gateway.shut is not None:
            return stage.gateway.shut
        await asyncio.sleep(0.1)
    raise AssertionError(f"it goes on trying: {stage.gateway.ends!r}")
