"""Requests nobody thought of, made of the served document, with the keys of two agents (SPEC 11.7)."""

import asyncio
import secrets
import time
from pathlib import Path

import pytest

from tests.abuse.fuzz import Attack
from tests.abuse.stage import running
from tests.api.stage import ADMIN_KEY

SHORT, LONG = 2_000, 100_000


@pytest.mark.slow
async def test_requests_of_all_kinds_find_no_gap(tmp_path: Path) -> None:
    await attacked(tmp_path, SHORT, 1)


@pytest.mark.prove
async def test_very_many_requests_find_no_gap(tmp_path: Path) -> None:
    await attacked(tmp_path, LONG, secrets.randbits(32))


async def attacked(folder: Path, count: int, seed: int) -> None:
    async with running(folder) as gateway:
        attack = Attack(gateway.url)
        began = time.monotonic()
        await asyncio.to_thread(attack.prepare)
        await asyncio.to_thread(attack.run, count, seed)
        await asyncio.to_thread(attack.intact, ADMIN_KEY)
        answers = ", ".join(f"{name} {number}" for name, number in sorted(attack.count.items()))
        print(f"{sum(attack.count.values())} requests (seed {seed}) in {time.monotonic() - began:.0f} s: {answers}")
        assert sum(attack.count.values()) >= count
        assert gateway.process.is_alive
        assert "Traceback" not in gateway.process.errors()
