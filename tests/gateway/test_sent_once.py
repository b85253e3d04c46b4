"""A request to send that comes again sends nothing twice (SPEC 11.7)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.ids import AgentId
from serai.gateway.request.sending import Dispatched
from serai.ports.store.arrival import Idempotency, IdempotencyConflict
from serai.testing.clock import EPOCH, virtual_time
from serai.testing.model import ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life
from tests.conversations.script import Kill
from tests.gateway.mortal import lives
from tests.gateway.stage import Stage, snapshot

OPS = AgentId("ops")
REQUEST = Idempotency("operator", "key-1", "route", "body", EPOCH + 1_000_000)


def stage() -> Stage:
    return Stage(ScriptedModel(lambda _: "answer"), snapshot("ops"))


async def sends(one: Stage, request: Idempotency | None = REQUEST, *targets: str) -> Sequence[Dispatched]:
    return await one.sending.send(targets or ("fake:1", "fake:2", "nowhere:3"), "hello", OPS, request)


def heard(one: Stage) -> list[tuple[str, str]]:
    return [(sent.target.chat_id, sent.text) for sent in one.fake.sent]


@virtual_time
async def test_a_repeat_gets_the_first_results_and_sends_nothing() -> None:
    one = stage()
    async with one.running():
        first = await sends(one)
        await asyncio.sleep(5)
        one.state.swap(snapshot(), one.state.secrets)  # the agent is gone, and the first answer stays what it was
        assert await sends(one) == first
        await asyncio.sleep(5)
        assert heard(one) == [("1", "hello"), ("2", "hello")]
    assert [result.error for result in first] == [None, None, "no platform `nowhere` is configured"]


@virtual_time
async def test_without_a_key_the_same_again_is_sent_again() -> None:
    one = stage()
    async with one.running():
        first, second = await sends(one, None), await sends(one, None)
        await asyncio.sleep(5)
    assert first[0].deliveries != second[0].deliveries
    assert len(heard(one)) == 4


@virtual_time
async def test_of_requests_at_the_same_time_one_is_sent_and_all_get_its_results() -> None:
    one = stage()
    async with one.running():
        results = await asyncio.gather(*[sends(one) for _ in range(5)])
        await asyncio.sleep(5)
    assert results == [results[0]] * 5
    assert heard(one) == [("1", "hello"), ("2", "hello")]


@virtual_time
async def test_a_repeat_is_told_why_nothing_was_sent() -> None:
    one = stage()
    async with one.running():
        (first,) = await sends(one, REQUEST, "nowhere:1")
        assert await sends(one, REQUEST, "nowhere:1") == [first]
        with pytest.raises(IdempotencyConflict):
            await sends(one, replace(REQUEST, body_digest="other"), "fake:1")
    assert heard(one) == []


@pytest.mark.parametrize(("side", "again"), [("before", False), ("after", True)])
@virtual_time
async def test_after_a_crash_a_repeat_finds_what_was_stored(tmp_path: Path, side: str, again: bool) -> None:
    peer = FakePlatform()
    async with lives(tmp_path / "state.db", ScriptedModel([]), peer, snapshot("ops")) as gateways:
        dying = Life(Kill(side, "deliver", 1))
        lost = asyncio.create_task(sends(await gateways.begin(dying)))
        await dying.over.wait()
        following = await gateways.begin(Life())
        await asyncio.sleep(5)
        assert [sent.target.chat_id for sent in peer.sent] == (["1", "2"] if again else [])
        first = await sends(following)
        assert await sends(following) == first
        await asyncio.sleep(5)
        assert [sent.target.chat_id for sent in peer.sent] == ["1", "2"]
        assert {sent.id for sent in peer.sent} == {name for result in first for name in result.deliveries}
        lost.cancel()


@virtual_time
async def test_what_was_stored_is_sent_at_once_although_its_caller_has_gone() -> None:
    one = stage()
    stored = one.store.deliver

    async def slowly(*args: object, **kwargs: object) -> bytes | None:
        answer = await stored(*args, **kwargs)  # type: ignore[arg-type]
        await asyncio.sleep(2)
        return answer

    one.store.deliver = slowly  # type: ignore[method-assign]
    async with one.running():
        caller = asyncio.create_task(sends(one))
        await asyncio.sleep(1)
        caller.cancel()
        await asyncio.sleep(3)
        assert heard(one) == [("1", "hello"), ("2", "hello")]
