"""The platform in memory that users test their agents with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from serai.core.delivery import Delivery, Target
from serai.core.error import Busy, SendPermanent, SendTemporary, SendUnknown, Startup
from serai.core.ids import AgentId, DeliveryId, InputId
from serai.core.message import Inbound
from serai.ports.platform import Capabilities, Receipt
from serai.testing.clock import VirtualClock, virtual_time
from serai.testing.platform.fake import FakePlatform
from serai.testing.platform.stage import Listening

Hear = Callable[[Inbound], Awaitable[Receipt]]


def delivery(text: str, name: str = "d1") -> Delivery:
    return Delivery(DeliveryId(name), Target("fake", "1"), AgentId("main"), text)


@asynccontextmanager
async def running(fake: FakePlatform, receive: Hear) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.ensure_future(fake.run(Listening(receive)))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def accept(inbound: Inbound) -> Receipt:
    return Receipt(InputId(inbound.dedupe_key))


async def refuse(inbound: Inbound) -> Receipt:
    raise Busy("too many messages wait here", retry_after=2)


@virtual_time
async def test_what_people_say_reaches_the_gateway_with_its_place_and_person() -> None:
    fake, heard = FakePlatform("chatter", "work"), []

    async def listen(inbound: Inbound) -> Receipt:
        heard.append(inbound)
        return Receipt(InputId("i1"), duplicate=True)

    async with running(fake, listen):
        receipt = await fake.says(
            "hello", chat="c:1", user="42", chat_type="group", thread="t", user_name="al\u202eice", mentioned=True
        )
    assert receipt == Receipt(InputId("i1"), duplicate=True)
    (inbound,) = heard
    assert (inbound.text, inbound.mentioned, inbound.source.connection) == ("hello", True, ("chatter", "work"))
    assert (inbound.source.chat_id, inbound.source.user_id, inbound.source.thread_id) == ("c:1", "42", "t")
    assert inbound.source.user_name == "alice"


@virtual_time
async def test_a_message_has_a_fresh_id_unless_the_test_gives_one() -> None:
    fake = FakePlatform()
    async with running(fake, accept):
        keys = [(await fake.says("hello")).input_id for _ in range(3)]
        again = [(await fake.says("hello", message="same")).input_id for _ in range(2)]
    assert len(set(keys)) == 3
    assert len(set(again)) == 1


@virtual_time
async def test_the_speaker_hears_why_the_gateway_did_not_take_it() -> None:
    fake = FakePlatform()
    async with running(fake, refuse):
        with pytest.raises(Busy):
            await fake.says("hello")


@virtual_time
async def test_people_may_speak_before_the_connection_is_up() -> None:
    fake = FakePlatform()
    said = asyncio.ensure_future(fake.says("hello"))
    await asyncio.sleep(60)
    assert not said.done()
    async with running(fake, accept):
        assert await said


@virtual_time
async def test_answers_can_be_awaited_one_by_one() -> None:
    fake = FakePlatform()
    first = asyncio.ensure_future(fake.answer())
    await asyncio.sleep(1)
    assert (await fake.send(delivery("one", "d1"))).remote_id != (await fake.send(delivery("two", "d2"))).remote_id
    assert (await first).text == "one"
    assert (await fake.answer()).text == "two"
    assert [sent.text for sent in fake.sent] == ["one", "two"]


@virtual_time
async def test_sends_fail_as_lined_up_and_then_work_again() -> None:
    fake = FakePlatform()
    fake.fails(SendTemporary("slow down", retry_after=3), SendPermanent("no such chat"))
    fake.fails(SendUnknown("cut off"), seconds=30, arrived=True)
    with pytest.raises(SendTemporary):
        await fake.send(delivery("one"))
    with pytest.raises(SendPermanent):
        await fake.send(delivery("one"))
    begun = VirtualClock().now()
    with pytest.raises(SendUnknown):
        await fake.send(delivery("one"))
    assert VirtualClock().now() - begun == pytest.approx(30)
    await fake.send(delivery("two", "d2"))
    assert [sent.text for sent in fake.sent] == ["one", "two"]
    assert len(fake.attempts) == 4


@virtual_time
async def test_a_repeated_send_is_recognised_only_where_the_platform_can() -> None:
    keyed, plain = FakePlatform(capabilities=Capabilities(4096, send_key=True)), FakePlatform()
    assert [await keyed.send(delivery("one")), await keyed.send(delivery("one"))] == [
        await keyed.send(delivery("one"))
    ] * 2
    await plain.send(delivery("one"))
    await plain.send(delivery("one"))
    assert (len(keyed.sent), len(plain.sent)) == (1, 2)


@virtual_time
async def test_a_text_over_the_limit_is_refused_in_the_units_of_the_platform() -> None:
    fake = FakePlatform(capabilities=Capabilities(4, "utf16"))
    await fake.send(delivery("🙂🙂"))
    with pytest.raises(SendPermanent):
        await fake.send(delivery("🙂🙂a"))


@virtual_time
async def test_a_dropped_connection_ends_the_run_and_the_next_one_works() -> None:
    fake = FakePlatform()
    async with running(fake, accept) as task:
        await fake.says("hello")
        fake.drops(ConnectionError("gone"))
        with pytest.raises(ConnectionError, match="gone"):
            await task
    async with running(fake, accept):
        assert await fake.says("hello again")
    assert fake.connections == 2


@virtual_time
async def test_a_connection_can_fail_to_begin() -> None:
    fake = FakePlatform()
    fake.drops(Startup("the token was revoked"))
    with pytest.raises(Startup, match="revoked"):
        await fake.run(accept)
    assert fake.connections == 0
