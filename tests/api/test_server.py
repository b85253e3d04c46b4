"""Starting, stopping and the load of many clients (SPEC 11, 15)."""

import asyncio

import pytest

from serai.core.error import Startup
from serai.core.event import TextDelta
from serai.core.snapshot import ApiSettings
from serai.testing.clock import virtual_time
from tests.api.stage import ALL_KEY, ANSWER, FakeRuns, Stage, answered, request, serving
from tests.patience import PATIENCE_S

ASK = request(
    "POST",
    "/v1/chat/completions",
    {"messages": [{"role": "user", "content": "2+2?"}]},
    [("Authorization", f"Bearer {ALL_KEY}")],
)


async def test_a_taken_port_is_said_in_words() -> None:
    async with serving() as stage:
        other = Stage(FakeRuns(), ApiSettings())
        with pytest.raises(Startup, match=f"port {stage.port} of 127.0.0.1 is taken"):
            await other.server.start("127.0.0.1", stage.port)
        await other.server.stop(0)


async def test_an_address_that_is_not_ours_is_said_in_words() -> None:
    with pytest.raises(Startup, match=r"cannot listen on 192\.0\.2\.1"):
        await Stage(FakeRuns(), ApiSettings()).server.start("192.0.2.1", 0)


async def test_a_port_is_free_again_after_the_stop() -> None:
    stage = Stage(FakeRuns(), ApiSettings())
    host, port = await stage.server.start("127.0.0.1", 0)
    await stage.server.stop(1)
    again = Stage(FakeRuns(), ApiSettings())
    assert await again.server.start("127.0.0.1", port) == (host, port)
    await again.server.stop(1)


async def test_stopping_lets_a_request_finish() -> None:
    go_on = asyncio.Event()
    async with serving(FakeRuns(go_on, ANSWER)) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(ASK)
        await stage.runs.started.wait()
        stopping = asyncio.create_task(stage.server.stop(grace=60))
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
            await _refused(stage)
        go_on.set()
        assert (await answered(reader)).status == 200
        await stopping
        assert await reader.read() == b""
        writer.close()
    assert not stage.runs.runs[0].abandoned.is_set()


@virtual_time
async def test_stopping_abandons_what_does_not_finish_in_time() -> None:
    loop = asyncio.get_running_loop()
    async with serving(FakeRuns(TextDelta("It "), asyncio.Event())) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(ASK)
        await stage.runs.started.wait()
        begun = loop.time()
        await stage.server.stop(grace=7)
        assert 7 <= loop.time() - begun < 8
        assert stage.runs.runs[0].abandoned.is_set()
        assert await reader.read() == b""
        writer.close()


async def test_idle_connections_do_not_hold_up_the_stop() -> None:
    async with serving() as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(request("GET", "/health"))
        await answered(reader)
        async with asyncio.timeout(PATIENCE_S / 2):
            await stage.server.stop(grace=60)
        assert await reader.read() == b""
        writer.close()


@virtual_time
async def test_a_body_that_does_not_come_is_not_waited_for_for_ever() -> None:
    loop = asyncio.get_running_loop()
    async with serving() as stage:
        begun = loop.time()
        answer = await stage.send(ASK[:-1])
        assert loop.time() - begun == pytest.approx(60)
    assert (answer.status, answer.error["code"]) == (408, "body_timeout")


async def test_a_thousand_clients_may_come_at_once() -> None:
    gate = asyncio.Event()
    runs = FakeRuns(gate, ANSWER)
    async with serving(runs) as stage:
        asking = [asyncio.create_task(stage.send(ASK)) for _ in range(1000)]
        while len(runs.runs) < len(asking):
            runs.started.clear()
            await runs.started.wait()
        gate.set()
        answers = await asyncio.gather(*asking)
    assert {answer.status for answer in answers} == {200}


async def _refused(stage: Stage) -> None:
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.close()
