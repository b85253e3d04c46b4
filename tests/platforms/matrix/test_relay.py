"""What goes wrong between the driver and a real homeserver (Synapse), and what then becomes of messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from serai.core.error import SendPermanent, SendTemporary, SendUnknown
from serai.platforms.matrix.driver import Matrix
from tests.patience import PATIENCE_S
from tests.platforms.matrix.person import Person, person
from tests.platforms.matrix.relay import Refusal, Relay, relayed
from tests.platforms.matrix.stage import Hearing, connected, delivery, until
from tests.platforms.matrix.synapse import Synapse

pytestmark = pytest.mark.slow

_SEND = "PUT /_matrix/client/v3/rooms"
_SYNC = "GET /_matrix/client/v3/sync"
_LIMITED = Refusal(429, {"errcode": "M_LIMIT_EXCEEDED", "error": "fake", "retry_after_ms": 7000})


@dataclass(frozen=True, slots=True)
class Scene:
    """A driver before a homeserver, with a relay between; and Alice, who has none, in a room with the bot."""

    relay: Relay
    driver: Matrix
    gateway: Hearing
    alice: Person
    room: str


@asynccontextmanager
async def scene(synapse: Synapse, folder: Path, *, encrypted: bool = False) -> AsyncIterator[Scene]:
    bot, user = synapse.register("bot"), synapse.register("alice")
    async with (
        relayed(synapse.url) as relay,
        connected(relay.url, bot, folder / "bot") as (driver, gateway),
        person(synapse.url, user, folder / "alice") as alice,
    ):
        room = await alice.room(bot.user_id, encrypted=encrypted)
        await gateway.when(lambda: room in driver.rooms)
        await alice.sees(room, lambda event: event.get("content", {}).get("membership") == "join")
        yield Scene(relay, driver, gateway, alice, room)


async def test_a_rate_limit_is_told_with_its_wait(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        header = Refusal(429, {"errcode": "M_LIMIT_EXCEEDED", "error": "fake"}, (("Retry-After", "7"),))
        for refusal in (_LIMITED, header):
            on.relay.troubles.append((_SEND, refusal))
            with pytest.raises(SendTemporary) as limited:
                await on.driver.send(delivery(on.room, "hello"))
            assert limited.value.retry_after == 7


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (502, "not JSON", SendTemporary),
        (503, {"errcode": "M_UNKNOWN", "error": "fake"}, SendTemporary),
        (401, {"errcode": "M_UNKNOWN_TOKEN", "error": "fake"}, SendTemporary),
        (403, {"errcode": "M_FORBIDDEN", "error": "fake"}, SendPermanent),
        (413, {"errcode": "M_TOO_LARGE", "error": "fake"}, SendPermanent),
        (200, {"no": "event id"}, SendUnknown),
    ],
)
async def test_a_refusal_is_told_by_its_kind(
    synapse: Synapse, tmp_path: Path, status: int, document: object, kind: type[Exception]
) -> None:
    async with scene(synapse, tmp_path) as on:
        on.relay.troubles.append((_SEND, Refusal(status, document)))
        with pytest.raises(kind):
            await on.driver.send(delivery(on.room, "hello"))
        await on.driver.send(delivery(on.room, "again"))
        await on.alice.hears(on.room, "again")


async def test_a_send_whose_answer_was_lost_is_not_doubled_by_its_repetition(
    synapse: Synapse, tmp_path: Path
) -> None:
    for encrypted in (False, True):
        async with scene(synapse, tmp_path / f"{encrypted}", encrypted=encrypted) as on:
            on.relay.troubles += [(_SEND, "lost")] * 2  # aiohttp repeats a PUT once by itself
            with pytest.raises(SendUnknown):
                await on.driver.send(delivery(on.room, "once", key="dlv_once"))
            sent = await on.driver.send(delivery(on.room, "once", key="dlv_once"))
            assert (await on.alice.hears(on.room, "once"))["event_id"] == sent.remote_id
            await on.driver.send(delivery(on.room, "the end"))
            await on.alice.hears(on.room, "the end")
            bodies = [event.get("content", {}).get("body") for event in on.alice.events[on.room]]
            assert bodies.count("once") == 1


async def test_the_key_of_a_send_outlives_a_restart(synapse: Synapse, tmp_path: Path) -> None:
    bot, user = synapse.register("bot"), synapse.register("alice")
    ids = set()
    async with person(synapse.url, user, tmp_path / "alice") as alice:
        room = await alice.room(bot.user_id)
        for _ in range(2):
            async with connected(synapse.url, bot, tmp_path / "bot") as (driver, gateway):
                await gateway.when(lambda driver=driver: room in driver.rooms)
                ids.add((await driver.send(delivery(room, "once", key="dlv_once"))).remote_id)
    assert len(ids) == 1


async def test_an_answer_that_no_longer_grows_is_not_taken_for_the_one_that_did(
    synapse: Synapse, tmp_path: Path
) -> None:
    async with scene(synapse, tmp_path) as on:
        opened = await on.driver.send(delivery(on.room, "Once", key="dlv_g", state="open"))
        whole = await on.driver.send(delivery(on.room, "Once upon a time", key="dlv_g"))
        assert opened.remote_id != whole.remote_id
        await on.alice.hears(on.room, "Once upon a time")


async def test_a_room_key_that_did_not_get_through_is_shared_again_before_anything_is_sent(
    synapse: Synapse, tmp_path: Path
) -> None:
    async with scene(synapse, tmp_path, encrypted=True) as on:
        told = [("/keys/claim", _LIMITED), ("/keys/claim", Refusal(500, {}))]
        told += [("/sendToDevice/", trouble) for trouble in (_LIMITED, Refusal(500, {}), Refusal(403, {}))]
        for trouble in told:
            on.relay.troubles.append(trouble)
            with pytest.raises(SendTemporary) as failed:
                await on.driver.send(delivery(on.room, "hello"))
            assert not on.relay.troubles, failed.value
        await on.driver.send(delivery(on.room, "hello"))
        await on.alice.hears(on.room, "hello")


@pytest.mark.parametrize("cleanly", [True, False])
async def test_a_connection_that_ends_is_taken_up_again_and_nothing_is_lost_or_doubled(
    synapse: Synapse, tmp_path: Path, cleanly: bool
) -> None:
    async with scene(synapse, tmp_path) as on:
        for number in range(3):
            polls = on.relay.requests.count(_SYNC)
            assert on.relay.sever(cleanly=cleanly)
            await until(lambda polls=polls: on.relay.requests.count(_SYNC) > polls)
            await on.alice.says(on.room, f"text {number}")
            await on.gateway.hears(f"text {number}")
        assert [inbound.text for inbound in on.gateway.heard] == ["text 0", "text 1", "text 2"]


async def test_an_answer_of_the_sync_that_is_lost_comes_again(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        on.relay.troubles.append((_SYNC, "lost"))
        await on.alice.says(on.room, "one")
        await on.gateway.hears("one")
        await until(lambda: not on.relay.troubles)
        await on.alice.says(on.room, "two")
        await on.gateway.hears("two")
        assert [inbound.text for inbound in on.gateway.heard] == ["one", "two"]


async def test_a_homeserver_that_says_nothing_any_more_is_asked_on_a_new_connection(
    synapse: Synapse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serai.platforms.matrix.client.POLL_S", 1.0)  # nio waits 15 s longer
    async with scene(synapse, tmp_path) as on:
        on.relay.troubles.append((_SYNC, "silent"))
        await until(lambda: not on.relay.troubles)
        await on.alice.says(on.room, "hello")
        await on.gateway.hears("hello")


async def test_a_homeserver_that_is_gone_ends_the_run_and_the_next_one_misses_nothing(
    synapse: Synapse, tmp_path: Path
) -> None:
    bot, user = synapse.register("bot"), synapse.register("alice")
    async with person(synapse.url, user, tmp_path / "alice") as alice:
        async with relayed(synapse.url) as relay, connected(relay.url, bot, tmp_path / "bot") as (driver, gateway):
            room = await alice.room(bot.user_id)
            await gateway.when(lambda: room in driver.rooms)
            await relay.stop()
            assert gateway.runs
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(asyncio.shield(gateway.runs), PATIENCE_S)
            with pytest.raises(SendTemporary):
                await driver.send(delivery(room, "hello"))
        await alice.says(room, "anybody there?")
        async with connected(synapse.url, bot, tmp_path / "bot") as (_, gateway):
            await gateway.hears("anybody there?")
