"""Time and chance for tests."""

import asyncio
import selectors
import threading
import time

import pytest

from serai.testing.clock import EPOCH, ManualClock, SeededEntropy, VirtualClock, VirtualTimeLoop, run, virtual_time


def test_a_manual_clock_moves_by_hand_alone() -> None:
    clock = ManualClock(100.0)
    assert clock.now() == clock.now() == 100.0
    clock.advance(5.5)
    assert clock.now() == 105.5


def test_the_same_seed_makes_the_same_choices() -> None:
    one, same, other = SeededEntropy(1), SeededEntropy(1), SeededEntropy(2)
    tokens = [one.token() for _ in range(100)]
    assert tokens == [same.token() for _ in range(100)]
    assert len({*tokens, other.token()}) == 101
    assert all(len(token) == 24 and int(token, 16) >= 0 for token in tokens)
    assert all(2.0 <= one.between(2.0, 3.0) <= 3.0 for _ in range(100))


def test_a_wait_of_35_seconds_takes_milliseconds_and_is_35_seconds() -> None:
    async def wait() -> float:
        clock = VirtualClock()
        begun = clock.now()
        assert begun == EPOCH
        await asyncio.sleep(35)
        return clock.now() - begun

    begun = time.monotonic()
    assert run(wait()) == pytest.approx(35)
    assert time.monotonic() - begun < 10


@virtual_time
async def test_timers_fire_in_their_order() -> None:
    fired: list[str] = []

    async def ring(name: str, after: float) -> None:
        await asyncio.sleep(after)
        fired.append(name)

    await asyncio.gather(ring("day", 86_400), ring("hour", 3_600), ring("second", 1))
    assert fired == ["second", "hour", "day"]


@virtual_time
async def test_time_stands_still_while_there_is_work() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(1000):
        await asyncio.sleep(0)
    assert loop.time() == begun


@virtual_time
async def test_a_deadline_strikes_a_peer_that_never_answers() -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(ignore, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await reader.read(1)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


@virtual_time
async def test_sockets_within_the_loop_are_faster_than_any_timer() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1_000_000))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    begun = VirtualClock().now()
    async with asyncio.timeout(1):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x" * 1_000_000)
        assert len(await reader.read(-1)) == 1_000_000
    assert VirtualClock().now() == begun
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


@virtual_time
async def test_work_in_a_thread_is_waited_for_before_time_passes() -> None:
    def work() -> str:
        threading.Event().wait(0.05)
        return "done"

    async with asyncio.timeout(1):
        assert await asyncio.to_thread(work) == "done"


@virtual_time
async def test_a_thread_of_ones_own_is_faster_than_any_timer() -> None:
    loop = asyncio.get_running_loop()
    answer = loop.create_future()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(answer.set_result, "came")).start()
    async with asyncio.timeout(1):
        assert await answer == "came"


@virtual_time
async def test_a_pause_of_the_whole_process_is_no_silence_of_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    answer, goes_on = loop.create_future(), threading.Event()
    look = loop._waiting._system.select

    def paused(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """The machine gives this process nothing for as long as it looks for the first time."""
        if timeout and not goes_on.is_set():
            goes_on.set()
            return []
        return look(timeout)

    def tell() -> None:
        goes_on.wait()
        loop.call_soon_threadsafe(answer.set_result, "came")

    monkeypatch.setattr(loop._waiting._system, "select", paused)
    threading.Thread(target=tell).start()
    async with asyncio.timeout(1):
        assert await answer == "came"


@virtual_time
async def test_time_can_be_held_for_something_outside() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    answer = loop.create_future()
    threading.Timer(0.3, lambda: loop.call_soon_threadsafe(answer.set_result, "came")).start()
    with loop.held():
        async with asyncio.timeout(1):
            assert await answer == "came"


@virtual_time
async def test_a_plain_fixture_reaches_a_test_on_virtual_time(tmp_path: object) -> None:
    await asyncio.sleep(3600)
    assert tmp_path


def test_an_error_of_the_test_comes_out() -> None:
    @virtual_time
    async def fail() -> None:
        await asyncio.sleep(1)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        fail()
