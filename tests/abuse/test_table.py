"""Everything wrong is answered as the table says, by a real process, which lives on (SPEC 11.1, 11.2)."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.abuse.stage import Running, running
from tests.abuse.table import TABLE, Row, head
from tests.api.stage import Answered, answered, request

pytestmark = pytest.mark.slow

_PATIENCE_S = 60.0


async def test_every_row_has_its_exact_status_and_code(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        wrong = [line for row in TABLE if (line := await _differs(gateway, row)) is not None]
        assert not wrong, "\n".join(wrong)
        assert (await _sent(gateway, request("GET", "/health"))).json == {"status": "ok"}
        assert gateway.process.is_alive
        assert "Traceback" not in gateway.process.errors()


async def test_a_body_that_breaks_behind_its_answer_is_the_clients_affair(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(head("POST", "/v1/nothing", "Transfer-Encoding: chunked"))
        assert (await answered(reader)).status == 404
        writer.write(b"not a chunk\r\n")
        async with asyncio.timeout(_PATIENCE_S):
            await reader.read()
        writer.close()
        assert (await _sent(gateway, request("GET", "/health"))).status == 200
        assert "Traceback" not in gateway.process.errors()


def test_a_row_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(row.name for row in TABLE).items() if count > 1] == []
    assert len(TABLE) > 200


async def _differs(gateway: Running, row: Row) -> str | None:
    """What came instead of what the row says."""
    answer = await _sent(gateway, row.data)
    if answer.status < 400:
        came = (answer.status, None, None)
    else:
        came = (answer.status, answer.error["code"], answer.error["param"])
    wanted = (row.status, row.code, row.param)
    return None if came == wanted else f"{row.name}: {came} instead of {wanted}"


async def _sent(gateway: Running, data: bytes) -> Answered:
    """Writes as far as it is read, and reads one answer, after an interim one where the row asks for that."""
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            writer.write(data)
            answer = await answered(reader)
            return await answered(reader) if answer.status == 100 else answer
    finally:
        writer.transport.abort()
