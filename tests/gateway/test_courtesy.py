"""A chat is told why nothing comes of its message, where nobody else tells it (SPEC 5.8, 16.6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serai.core.error import Busy, Refused, SendPermanent, StorageFailed, Unauthorised, UnknownAgent
from serai.core.ids import InputId
from serai.gateway.connection.switchboard import Switchboard
from serai.ports.platform import Capabilities, Receipt
from serai.testing.clock import SeededEntropy, virtual_time
from serai.testing.platform.fake import FakePlatform

LIVE = Capabilities(text_limit=4096, silence_s=600.0)


@asynccontextmanager
async def chat(error: Exception, capabilities: Capabilities = LIVE) -> AsyncIterator[FakePlatform]:
    """A platform whose every message meets an error."""

    async def receive(_: object) -> Receipt:
        raise error
        return Receipt(InputId("never"))

    switchboard, fake = Switchboard(SeededEntropy()), FakePlatform(capabilities=capabilities)
    switchboard.add(fake)
    task = asyncio.create_task(switchboard.run(receive))
    try:
        yield fake
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@virtual_time
@pytest.mark.parametrize(
    "error",
    [
        UnknownAgent("agent `ops` is stopped"),
        Unauthorised("you are not on the list"),
        Busy("too many messages wait here"),
    ],
)
async def test_a_chat_is_told_and_the_driver_learns_it_all_the_same(error: Exception) -> None:
    async with chat(error) as fake:
        with pytest.raises(type(error)):
            await fake.says("hello", chat="c", thread="t", message="m1")
        said = await fake.answer()
    assert said.text == f"Sorry, I cannot answer: {error}."
    assert (said.target.chat_id, said.target.thread_id, said.target.reply_to) == ("c", "t", ("m1",))
    assert said.agent == ""


@virtual_time
async def test_a_chat_is_told_once_a_minute_for_some_platforms_send_again_what_was_not_taken() -> None:
    async with chat(Busy("too many messages wait here")) as fake:
        for chat_id in ("a", "a", "b"):
            with pytest.raises(Busy):
                await fake.says("hello", chat=chat_id)
        await asyncio.sleep(61)
        with pytest.raises(Busy):
            await fake.says("hello", chat="a")
        await asyncio.sleep(1)
        assert [said.target.chat_id for said in fake.sent] == ["a", "b", "a"]


@virtual_time
async def test_nobody_is_told_whose_message_comes_again() -> None:
    async with chat(StorageFailed("the disk is full")) as fake:
        with pytest.raises(StorageFailed):
            await fake.says("hello")
        await asyncio.sleep(1)
        assert fake.sent == []


@virtual_time
async def test_a_platform_that_answers_its_caller_is_left_to_do_so() -> None:
    async with chat(UnknownAgent("no agent"), Capabilities(text_limit=4096)) as fake:
        with pytest.raises(Refused):
            await fake.says("hello")
        await asyncio.sleep(1)
        assert fake.sent == []


@virtual_time
async def test_where_it_cannot_be_said_nothing_else_happens() -> None:
    async with chat(UnknownAgent("no agent")) as fake:
        fake.fails(SendPermanent("no such chat"))
        with pytest.raises(UnknownAgent):
            await fake.says("hello")
        await asyncio.sleep(1)
        assert (len(fake.attempts), fake.sent) == (1, [])
