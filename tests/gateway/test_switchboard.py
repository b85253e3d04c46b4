"""Connections that come and go while the others run (SPEC 2.6, 13.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serai.core.error import StorageFailed
from serai.core.ids import Account, InputId
from serai.core.message import Inbound
from serai.gateway.switchboard import DRAIN_SECONDS, Switchboard
from serai.ports.platform import Receipt
from serai.testing.clock import SeededEntropy, virtual_time
from serai.testing.platform import FakePlatform

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
