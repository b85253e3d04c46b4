"""`serai pair`: admitting strangers (SPEC 6.7)."""

import asyncio
import time
from dataclasses import replace

import pytest

from serai.stores.sqlite.store import open_store
from serai.testing.store.live import stranger
from tests.cli.terminal import Terminal


@pytest.fixture
def asked(serai: Terminal) -> Terminal:
    """Eve has asked, and got the code EVEC0DE2."""
    ask_to_be_admitted(serai)
    return serai


def ask_to_be_admitted(serai: Terminal) -> None:
    asyncio.run(_ask(serai))


async def _ask(serai: Terminal) -> None:
    store = open_store(serai.home / "state.db")
    now = time.time()
    eve = replace(stranger("EVEC0DE2"), name="Eve\x1b[31m", now=now, expires_at=now + 600)
    assert await store.knock(eve)
    await store.close()


def test_who_asks_is_listed_with_the_code(asked: Terminal) -> None:
    said = asked("pair", "list")
    assert "asks with code EVEC0DE2, valid for 10 min" in said.out
    assert "\x1b" not in said.out
    listed = asked("pair", "list", "--json").document["data"]
    assert [(one["object"], one["user"], one["code"]) for one in listed] == [("person", "eve", "EVEC0DE2")]


def test_a_code_admits_in_either_case_and_once(asked: Terminal) -> None:
    assert asked("pair", "approve", "evec0de2").out.startswith("Admitted Eve [31m (eve) to webhook@work.")
    assert asked("pair", "approve", "EVEC0DE2").code == 1
    assert "admitted" in asked("pair", "list").out


def test_an_admission_can_be_taken_back(asked: Terminal) -> None:
    asked("pair", "approve", "EVEC0DE2")
    assert asked("pair", "revoke", "webhook@work", "eve").code == 0
    assert asked("pair", "revoke", "webhook@work", "eve").code == 1
    assert asked("pair", "list").out.startswith("Nobody was admitted")
