"""Platforms that cannot start, or hang, delay no other (SPEC 13.2).

Delay is measured in virtual time, which passes only while everybody waits: what another account makes one wait for
shows, and what a busy machine does not. How long others were kept from the loop shows as the CPU time of its longest
step, which no other process adds to either.
"""

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from serai.app.platforms import BUILT_IN, Manifests, make
from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.gateway.connection.switchboard import Switchboard
from serai.platforms import Surroundings
from serai.ports.platform import Receipt
from serai.testing.clock import SeededEntropy, VirtualClock, VirtualTimeLoop
from serai.testing.platform.rig import PlatformRig, Utterance
from serai.testing.platform.stage import Gateway
from tests.app.stage import Home
from tests.conftest import Figure
from tests.platforms.test_contract import rig_of
from tests.together.deaf import SECRETS, deaf, nowhere, settings

OTHERS = [name for name in BUILT_IN if name != "discord"]
MOST_S = 0.050
TRIES = 4
_ROUNDS = 5
_PAUSE_S = 20.0


class SteppedLoop(VirtualTimeLoop):
    """Notes the CPU time of its longest step."""

    longest_s = 0.0

    def _run_once(self) -> None:
        begun = time.thread_time()
        super()._run_once()  # type: ignore[misc]
        self.longest_s = max(self.longest_s, time.thread_time() - begun)


class Evening:
    """Platforms on one switchboard, each before a peer of its own.

    Virtual seconds: `login` until each was logged in, `turn` until a message was handed over and acknowledged, at the
    worst. `step` is the longest step of the loop, in CPU seconds.
    """

    def __init__(self, rigs: Mapping[str, PlatformRig]) -> None:
        self._rigs = rigs
        self._gateway = Gateway()
        self.switchboard = Switchboard(SeededEntropy())
        self.login: Mapping[str, float] = {}
        self.turn: dict[str, float] = dict.fromkeys(rigs, 0.0)
        self.step = 0.0

    async def receive(self, event: Inbound | Revision | Press) -> Receipt:
        return await self._gateway.receive(event)

    async def pass_(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SteppedLoop)
        loop.longest_s = 0.0
        self.login = await self._each(lambda rig: rig.logged_in())
        for number in range(_ROUNDS):
            took = await self._each(lambda rig, n=number: _turn(rig, n))
            self.turn = {name: max(self.turn[name], took[name]) for name in took}
            await asyncio.sleep(_PAUSE_S)
        self.step = loop.longest_s

    async def _each(self, work: Callable[[PlatformRig], Awaitable[None]]) -> dict[str, float]:
        async def timed(rig: PlatformRig) -> float:
            begun = asyncio.get_running_loop().time()
            await work(rig)
            return asyncio.get_running_loop().time() - begun

        return dict(zip(self._rigs, await asyncio.gather(*map(timed, self._rigs.values())), strict=True))


async def _turn(rig: PlatformRig, number: int) -> None:
    """Something is said, and is acknowledged."""
    acks = await rig.inject([rig.payload(Utterance(f"text {number}", message=f"{10_000_001 + number}"))])
    assert list(acks) == [True]


@asynccontextmanager
async def evening(folder: Path, good: Sequence[str], bad: Sequence[str], place: str) -> AsyncIterator[Evening]:
    """With good accounts, and bad ones whose server is at `place`."""
    async with AsyncExitStack() as stack:
        rigs = {name: await stack.enter_async_context(rig_of(name)()) for name in good}
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        one = Evening(rigs)
        for around in await _configured(folder, bad, place, session):
            one.switchboard.add(make(Manifests(), around))
        for rig in rigs.values():
            one.switchboard.add(rig.platform)
        running = asyncio.create_task(one.switchboard.run(one.receive))
        try:
            yield one
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _configured(
    folder: Path, bad: Sequence[str], place: str, session: aiohttp.ClientSession
) -> list[Surroundings]:
    """What a gateway would make the bad accounts' drivers of."""
    home = Home(folder / "home")
    platforms = {name: {"accounts": {"bad": settings(place)[name]}} for name in bad}
    home.configure(json.dumps({"platforms": platforms}))
    home.write("".join(f"{name}={value}\n" for name, value in SECRETS.items()), ".env")
    loaded = await home.read()
    assert loaded.snapshot is not None
    assert not loaded.problems, loaded.problems
    accounts = [loaded.snapshot.accounts[Account(name, "bad")] for name in bad]
    clock, entropy = VirtualClock(), SeededEntropy()
    return [
        Surroundings(one, loaded.secrets, session, clock, entropy, folder / one.account.platform) for one in accounts
    ]


def measured(folder: Path, trouble: str, good: Sequence[str], bad: Sequence[str]) -> Evening:
    """An evening that is over."""

    async def measure() -> Evening:
        async with deaf() as server:
            place = server.place if trouble == "hangs" else await nowhere()
            async with evening(folder, good, bad, place) as one:
                await one.pass_()
                return one

    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=SteppedLoop) as runner:
            return runner.run(measure())
    finally:
        gc.enable()


@pytest.mark.parametrize("trouble", ["hangs", "refuses"])
@pytest.mark.parametrize("bad", [OTHERS, ["discord"]], ids=["others", "discord"])
def test_accounts_that_cannot_start_delay_no_other(
    tmp_path: Path, figure: Figure, bad: list[str], trouble: str
) -> None:
    """Discord's own turn comes apart: all its accounts talk to one endpoint (docs/decisions/discord.md)."""
    good = [name for name in BUILT_IN if bad != [name]]
    alone, beside = measured(tmp_path, trouble, good, []), measured(tmp_path, trouble, good, bad)
    states = [one.state for one in beside.switchboard.connections() if one.account.name == "bad"]
    assert states
    assert all(state != "running" for state, name in zip(states, bad, strict=True) if name != "webhook"), states
    late = {name: max(beside.login[name] - alone.login[name], beside.turn[name] - alone.turn[name]) for name in good}
    worst = max(late, key=lambda name: late[name])
    figure(
        f"beside {len(bad)} accounts whose server {trouble}: latest by {late[worst] * 1000:.1f} ms ({worst}); "
        f"longest step {beside.step * 1000:.1f} ms of CPU, {alone.step * 1000:.1f} ms without them"
    )
    assert late[worst] < MOST_S, late
    more = [beside.step - alone.step]
    while more[-1] >= MOST_S:  # what is done for the first time, or disturbed by the machine, does not come again
        assert len(more) < TRIES, more
        alone, beside = measured(tmp_path, trouble, good, []), measured(tmp_path, trouble, good, bad)
        more.append(beside.step - alone.step)
