"""Connections that come and go while the others run (SPEC 2.6, 13.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serai.core.error import Busy, CredentialsRefused, StorageFailed
from serai.core.ids import Account, InputId
from serai.core.message import Inbound
from serai.core.source import Source
from serai.gateway.connection.link import CLOSE_SECONDS
from serai.gateway.connection.switchboard import DRAIN_SECONDS, Connection, Switchboard
from serai.ports.platform import Capabilities, Link, Receipt
from serai.testing.clock import SeededEntropy, virtual_time
from serai.testing.platform.fake import FakePlatform

WORK = Account("fake", "work")


async def receive(_: Inbound) -> Receipt:
    return Receipt(InputId("run_1"))


@asynccontextmanager
async def running() -> AsyncIterator[Switchboard]:
    switchboard = Switchboard(SeededEntropy())
    task = asyncio.create_task(switchboard.run(receive))
    await asyncio.sleep(0)
    try:
        yield switchboard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@virtual_time
async def test_a_connection_that_is_added_later_connects_and_is_kept_up() -> None:
    async with running() as switchboard:
        work = FakePlatform(account="work")
        switchboard.add(work)
        await work.says("hello")
        work.drops(ConnectionError("gone"))
        await asyncio.sleep(5)
        assert work.connections == 2


@virtual_time
async def test_a_closed_connection_makes_place_for_another_of_the_same_account() -> None:
    async with running() as switchboard:
        old, new = FakePlatform(account="work"), FakePlatform(account="work")
        switchboard.add(old)
        await old.says("hello")
        await switchboard.close(WORK)
        switchboard.add(new)
        await new.says("hello")
        assert switchboard.platform(WORK) is new
        assert old.connections == 1


@virtual_time
async def test_a_drained_account_goes_as_soon_as_nothing_is_owed() -> None:
    async with running() as switchboard:
        debts = [True] * 8

        async def owes(_: Account) -> bool:
            if len(debts) == 5:
                debts.pop()
                raise StorageFailed("the disk is full")
            return bool(debts and debts.pop())

        switchboard.add(FakePlatform(account="work"))
        switchboard.drain(WORK, owes)
        await asyncio.sleep(1.5)
        assert switchboard.platform(WORK) is not None, "what is owed can still be sent"
        await asyncio.sleep(1.5)
        assert switchboard.connection(WORK) is None


@virtual_time
async def test_draining_ends_after_its_time_and_does_not_connect_anew() -> None:
    async def owes(_: Account) -> bool:
        return True

    async with running() as switchboard:
        work = FakePlatform(account="work")
        switchboard.add(work)
        await work.says("hello")
        switchboard.drain(WORK, owes)
        work.drops(ConnectionError("gone"))
        await asyncio.sleep(DRAIN_SECONDS - 1)
        connection = switchboard.connection(WORK)
        assert connection is not None
        assert (connection.state, work.connections) == ("draining", 1)
        await asyncio.sleep(2)
        assert switchboard.connection(WORK) is None


@virtual_time
async def test_an_account_that_comes_back_while_it_drains_is_not_taken_away_again() -> None:
    async def owes(_: Account) -> bool:
        return True

    async with running() as switchboard:
        switchboard.add(FakePlatform(account="work"))
        switchboard.drain(WORK, owes)
        await switchboard.close(WORK)
        back = FakePlatform(account="work")
        switchboard.add(back)
        await asyncio.sleep(2 * DRAIN_SECONDS)
        assert switchboard.platform(WORK) is back


@virtual_time
async def test_a_disabled_account_that_is_removed_is_forgotten_at_once() -> None:
    async def owes(_: Account) -> bool:
        return True

    async with running() as switchboard:
        switchboard.disable(WORK, "its secret is missing")
        switchboard.drain(WORK, owes)
        assert switchboard.connection(WORK) is None


LIVE = Capabilities(text_limit=100, silence_s=60)


def connection_of(switchboard: Switchboard) -> Connection:
    connection = switchboard.connection(WORK)
    assert connection is not None
    return connection


class Hanging(FakePlatform):
    """Never comes as far as a connection."""

    async def run(self, link: Link) -> None:
        self.connections += 1
        await asyncio.Event().wait()


class Clinging(Hanging):
    """Does not stop when it is told to, and goes on receiving."""

    async def run(self, link: Link) -> None:
        self.late: list[Exception] = []
        self.free = asyncio.Event()
        while not self.free.is_set():
            try:
                await self.free.wait()
            except asyncio.CancelledError:
                self.told = asyncio.create_task(self._receive(link))

    async def _receive(self, link: Link) -> None:
        try:
            await link.receive(Inbound(Source("fake", "work"), "late", "late"))
        except Busy as error:
            self.late.append(error)


@virtual_time
async def test_a_connection_tells_who_it_is_and_how() -> None:
    async with running() as switchboard:
        work = FakePlatform(account="work", capabilities=LIVE)
        switchboard.add(work)
        assert str(connection_of(switchboard)) == "connecting"
        await work.online()
        assert str(connection_of(switchboard)) == "running as fake@work bot"
        work.drops(ConnectionError("the line is dead"))
        await asyncio.sleep(0.1)
        assert str(connection_of(switchboard)) == "waiting: the line is dead"


@virtual_time
async def test_refused_credentials_are_not_tried_again_until_somebody_asks_for_it() -> None:
    async with running() as switchboard:
        work = FakePlatform(account="work")
        work.drops(CredentialsRefused("the token was revoked; set a new one"))
        switchboard.add(work)
        await asyncio.sleep(3600)
        assert (str(connection_of(switchboard)), work.connections) == (
            "shut: the token was revoked; set a new one",
            0,
        )
        switchboard.try_again()
        await work.says("hello")
        assert connection_of(switchboard).state == "running"


@virtual_time
async def test_a_silent_connection_is_down_after_its_deadline_and_made_anew() -> None:
    async with running() as switchboard:
        work = FakePlatform(account="work", capabilities=LIVE)
        switchboard.add(work)
        await asyncio.sleep(3600)
        assert work.connections == 1, "a connection with signs of life stays"
        work.hangs()
        await asyncio.sleep(39)  # the last sign of life was 20 s ago at most
        assert work.connections == 1
        await asyncio.sleep(22.5)
        assert (work.connections, connection_of(switchboard).state) == (2, "running")


@virtual_time
async def test_a_driver_that_hangs_while_it_connects_is_tried_again() -> None:
    async with running() as switchboard:
        work = Hanging(account="work", capabilities=LIVE)
        switchboard.add(work)
        await asyncio.sleep(61.5)
        assert work.connections == 2


@virtual_time
async def test_drivers_that_hang_or_do_not_stop_delay_nobody() -> None:
    async with running() as switchboard:
        clinging = Clinging(account="clinging", capabilities=LIVE)
        switchboard.add(Hanging(account="hanging", capabilities=LIVE))
        switchboard.add(clinging)
        work = FakePlatform(account="work")
        loop = asyncio.get_running_loop()
        began = loop.time()
        switchboard.add(work)
        await work.says("hello")
        assert loop.time() - began < 0.05
        await asyncio.sleep(60)
        await work.says("hello")
        assert loop.time() - began < 60.05
        clinging.free.set()


@virtual_time
async def test_a_driver_that_does_not_stop_receives_nothing_more() -> None:
    switchboard = Switchboard(SeededEntropy())
    work = Clinging(account="work", capabilities=LIVE)
    switchboard.add(work)
    task = asyncio.create_task(switchboard.run(receive))
    await asyncio.sleep(60 + CLOSE_SECONDS + 0.1)
    assert [str(error) for error in work.late] == ["this connection was given up"]
    loop = asyncio.get_running_loop()
    began = loop.time()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert loop.time() - began <= CLOSE_SECONDS + 0.1
    work.free.set()


@virtual_time
async def test_the_waits_grow_up_to_a_minute_and_begin_anew_after_a_connection_that_lasted() -> None:
    async with running() as switchboard:
        work = FakePlatform(account="work")
        loop = asyncio.get_running_loop()
        for _ in range(12):
            work.drops(ConnectionError("not now"))
        began = loop.time()
        switchboard.add(work)
        await work.online()
        assert 150 < loop.time() - began < 400
        assert connection_of(switchboard).failures == 12
        await asyncio.sleep(120)
        work.drops(ConnectionError("gone"))
        await asyncio.sleep(2)
        assert (work.connections, connection_of(switchboard).failures) == (2, 1)


@pytest.mark.parametrize("error", [ValueError("a bug"), asyncio.CancelledError("by itself"), KeyError("x")])
def test_whatever_a_driver_raises_it_is_run_again(error: Exception) -> None:
    @virtual_time
    async def check() -> None:
        async with running() as switchboard:
            work = FakePlatform(account="work")
            work.drops(error)
            switchboard.add(work)
            await work.says("hello")
            assert work.connections == 1

    check()
