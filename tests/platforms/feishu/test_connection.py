"""The long connection: its rules, its codes, its answers."""

import asyncio
import json
from itertools import pairwise

import pytest

from serai.core.error import Busy, CredentialsRefused, StorageFailed
from serai.platforms.feishu.pace import Pace
from serai.platforms.feishu.wire import ClientConfig
from serai.testing.clock import virtual_time
from tests.platforms.feishu.rig import rig
from tests.platforms.feishu.stage import Ear, connected, running


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_it_logs_in_under_the_bots_name() -> None:
    ear = Ear()
    async with connected(ear):
        assert ear.names == ["Serai"]


@virtual_time
async def test_it_pings_as_often_as_it_is_told_and_every_frame_is_a_sign_of_life() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        await asyncio.sleep(185)
        pings = feishu.app.state.pings
        assert [round(later - earlier) for earlier, later in pairwise(pings)] == [60, 60, 60]
        assert ear.signs == len(pings)


@virtual_time
async def test_a_pong_may_bring_other_rules() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        feishu.app.state.pong = {
            "PingInterval": 10,
            "ReconnectCount": -1,
            "ReconnectInterval": 3,
            "ReconnectNonce": 0,
        }
        await asyncio.sleep(145)
        pings = feishu.app.state.pings
        assert [round(later - earlier) for earlier, later in pairwise(pings)] == [60, 60, 10, 10]
        assert len(ear.names) == 1, "the connection was given up"


@virtual_time
async def test_a_pong_that_cannot_be_read_changes_nothing() -> None:
    async with connected(Ear()) as feishu:
        feishu.app.state.pong = {"PingInterval": "soon"}
        await asyncio.sleep(150)
        assert await feishu.app.says("still there")


def test_the_pace_is_kept_within_reason() -> None:
    told = Pace().told(ClientConfig(-1, 0, -5, 100000))
    assert told == Pace(120, 0, 1, -1)


@virtual_time
async def test_it_comes_back_after_a_random_moment_of_at_most_the_nonce() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        feishu.peer.config |= {"ReconnectNonce": 30}
        waits = []
        for _ in range(4):
            await feishu.sever("closed_1000")
            begun = now()
            await feishu.logged_in()
            waits.append(now() - begun)
        assert len(ear.names) == 5
        assert all(wait <= 30.5 for wait in waits)
        assert len({round(wait) for wait in waits[1:]}) > 1, f"it is not random: {waits}"


@virtual_time
async def test_further_tries_come_at_the_interval_and_busy_is_tried_again() -> None:
    async with connected(Ear()) as feishu:
        feishu.peer.endpoint_codes = [1, 1000040343, 1000040350]
        await feishu.sever("cut")
        begun = now()
        await feishu.logged_in()
        assert 30 <= now() - begun <= 36


@virtual_time
async def test_it_gives_up_after_as_many_tries_as_the_platform_says() -> None:
    ear = Ear()
    async with rig() as feishu, running(feishu.platform, ear) as run:
        feishu.peer.config |= {"ReconnectCount": 2}
        await feishu.logged_in()
        feishu.peer.endpoint_codes = [1, 1, 1]
        await feishu.sever("closed_1001")
        await asyncio.wait({run}, timeout=60)
        assert isinstance(run.exception(), ConnectionError)
        assert feishu.peer.endpoint_codes == [1]


@pytest.mark.parametrize("code", [403, 514])
@virtual_time
async def test_refused_credentials_shut_it(code: int) -> None:
    async with rig() as feishu:
        feishu.peer.endpoint_codes = [code]
        with pytest.raises(CredentialsRefused, match="app_secret_env"):
            await feishu.platform.run(Ear())


@pytest.mark.parametrize("code", [1, 1000040343, 1000040350])
@virtual_time
async def test_without_a_first_connection_it_ends_to_be_run_again(code: int) -> None:
    async with rig() as feishu:
        feishu.peer.endpoint_codes = [code]
        with pytest.raises(ConnectionError):
            await feishu.platform.run(Ear())


@virtual_time
async def test_a_wrong_secret_shuts_it_with_a_sentence_that_does_not_hold_it() -> None:
    async with rig() as feishu:
        with pytest.raises(CredentialsRefused) as caught:
            await feishu.driver("fake-wrong-secret").run(Ear())
        assert "10014" in str(caught.value)
        assert "fake-wrong-secret" not in str(caught.value)


@virtual_time
async def test_something_on_the_way_that_answers_403_is_no_refusal_of_the_credentials() -> None:
    async with rig() as feishu:
        feishu.peer.strangers.append(403)
        with pytest.raises(ConnectionError):
            await feishu.platform.run(Ear())


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Handshake-Status": "403", "Handshake-Msg": "forbidden"}, CredentialsRefused),
        ({"Handshake-Status": "514", "Handshake-Autherrcode": "1000040350"}, ConnectionError),
        ({}, ConnectionError),
    ],
)
@virtual_time
async def test_a_handshake_that_fails_is_told_by_its_status(headers: dict[str, str], error: type[Exception]) -> None:
    async with rig() as feishu:
        feishu.peer.handshakes = [headers]
        with pytest.raises(error):
            await feishu.platform.run(Ear())


@pytest.mark.parametrize("interval", [5, 60])
@virtual_time
async def test_a_half_open_connection_is_noticed_by_the_missing_pong(interval: int) -> None:
    async with rig() as feishu, running(feishu.platform, Ear()):
        feishu.peer.config |= {"PingInterval": interval}
        await feishu.logged_in()
        await feishu.sever("silent")
        begun = now()
        await feishu.logged_in()
        assert now() - begun <= interval + 15 + 5 + 1
        assert await feishu.app.says("again")


@pytest.mark.parametrize("pieces", [2, 7])
@virtual_time
async def test_an_event_in_pieces_is_heard_once(pieces: int) -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        assert await feishu.app.push(feishu.app.message("long " * 200), pieces=pieces)
        assert [inbound.text for inbound in ear.heard] == [("long " * 200).strip()]


@pytest.mark.parametrize("error", [StorageFailed("the disk is full"), Busy("too many wait")])
@virtual_time
async def test_what_could_not_be_stored_is_answered_with_500(error: Exception) -> None:
    ear = Ear(errors=[error])
    async with connected(ear) as feishu:
        event = feishu.app.message("hello")
        assert await feishu.app.answer(event) == {"code": 500}
        assert await feishu.app.answer(event) == {"code": 200}
        assert len(ear.heard) == 1


@virtual_time
async def test_it_is_acknowledged_only_once_it_is_stored() -> None:
    stored = asyncio.Event()
    ear = Ear()

    async def wait() -> None:
        await stored.wait()

    ear.before = wait
    async with connected(ear) as feishu:
        answer = asyncio.create_task(feishu.app.says("hello"))
        await asyncio.sleep(1)
        assert not answer.done()
        stored.set()
        assert await answer


@virtual_time
async def test_what_was_said_while_nobody_listened_or_nothing_could_be_stored_is_heard_later() -> None:
    ear = Ear(errors=[StorageFailed("the disk is full")] * 3)
    async with connected(ear) as feishu:
        await feishu.sever("cut")
        await feishu.app.insist(feishu.app.message("patience"))
        assert [inbound.text for inbound in ear.heard] == ["patience"]


@virtual_time
async def test_copies_and_late_events_keep_their_keys() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        first, second = (feishu.app.message(text, message=f"om_{text}") for text in ("first", "second"))
        again = json.loads(json.dumps(first))
        again["header"]["event_id"] = "another event of the same message"
        for event in (second, first, again):
            assert await feishu.app.push(event)
        keys = [inbound.dedupe_key for inbound in ear.heard]
        assert keys[1] == keys[2] != keys[0]


@virtual_time
async def test_bytes_that_are_no_frame_and_events_that_are_none_disturb_nobody() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        await feishu.app.state.lines[-1].socket.send_bytes(b"\xff\xff")
        await feishu.app.state.lines[-1].socket.send_str("text")
        for payload in (b"no json", b"[]", b'{"header": 7}', "[" * 10000, {"header": {"event_type": "x.y_v1"}}):
            assert await feishu.app.push(payload if not isinstance(payload, str) else payload.encode())
        assert await feishu.app.says("hello")
        assert [inbound.text for inbound in ear.heard] == ["hello"]


@virtual_time
async def test_two_apps_in_one_process_hear_and_answer_as_themselves() -> None:
    ears = Ear(), Ear()
    async with rig() as feishu:
        other_app = feishu.peer.app("cli_fedcba9876543210", "fake-second-secret", "Other")
        other = feishu.driver_of(other_app, "fake-second-secret", "second")
        async with running(feishu.platform, ears[0]), running(other, ears[1]):
            await asyncio.gather(feishu.app.state.ready.wait(), other_app.state.ready.wait())
            assert await feishu.app.says("to the first")
            assert await other_app.says("to the second")
            assert [[inbound.text for inbound in ear.heard] for ear in ears] == [["to the first"], ["to the second"]]
            assert [ear.heard[0].source.account for ear in ears] == ["work", "second"]
            assert [ear.names for ear in ears] == [["Serai"], ["Other"]]
            await feishu.app.sever("cut")
            assert await other_app.says("undisturbed")
