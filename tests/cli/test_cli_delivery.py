"""`serai delivery list|retry`: what was or will be sent (SPEC 5.5, 12)."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from serai.core.delivery import NewDelivery, Target
from serai.core.ids import AgentId, DeliveryId
from serai.ports.store.dispatch import Settlement
from serai.stores.sqlite.store import open_store
from tests.cli.terminal import Terminal
from tests.cli.test_cli_cron_terminal import RED, drawn, lines

NOW = 1_790_000_000.0
GONE = "the callback was answered with 410, and with a long sentence that tells why"


async def _store(home: Path, deliveries: Sequence[NewDelivery]) -> None:
    """The last but one was given up, the others were sent."""
    store = open_store(home / "state.db")
    try:
        for n, one in enumerate(deliveries):
            await store.deliver([one], NOW + n)
            taken = (await store.next_delivery(one.target.connection, one.target.chat_id, NOW + n)).delivery
            assert taken is not None
            bad = n == len(deliveries) - 2
            await store.settle(taken, Settlement("dead", error=GONE) if bad else Settlement("sent"))
    finally:
        await store.close()


def delivery(n: int, chat: str, agent: str | None, platform: str = "webhook") -> NewDelivery:
    target = Target(platform, chat, "work", agent_id=AgentId(agent) if agent else None)
    return NewDelivery(DeliveryId(f"dlv_{n:024}"), target, "hello")


@pytest.fixture
def home(serai: Terminal) -> Terminal:
    """Four deliveries: of ops, main, ops (dead), and the gateway itself."""
    given = [
        delivery(1, "alerts", "ops"),
        delivery(2, "help", "main", "telegram"),
        delivery(3, "incidents", "ops"),
        delivery(4, "alerts", None),
    ]
    asyncio.run(_store(serai.home, given))
    return serai


def ids(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"dlv_(\d{24})", text)]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], [4, 3, 2, 1]),
        (["--agent", "ops"], [3, 1]),
        (["--agent", "nobody"], []),
        (["--platform", "Telegram"], [2]),
        (["--state", "dead"], [3]),
        (["--state", "sent", "--agent", "ops", "--platform", "webhook"], [1]),
        (["--before", f"dlv_{3:024}"], [2, 1]),
    ],
)
def test_a_list_holds_what_was_asked_for(words: list[str], wanted: list[int], home: Terminal) -> None:
    said = home("delivery", "list", *words)
    assert (said.code, ids(said.out)) == (0, wanted)
    assert [ids(one["id"])[0] for one in home("delivery", "list", "--json", *words).document["data"]] == wanted


def test_the_command_for_the_rest_of_a_list_asks_for_the_same(home: Terminal) -> None:
    said = home("delivery", "list", "--state", "sent", "--platform", "webhook", "--limit", "1")
    again = f"serai delivery list --state sent --platform webhook --limit 1 --before dlv_{4:024}"
    assert said.err == f"There are more: {again}\n"
    assert ids(home(*again.split()[1:]).out) == [1]


def test_a_list_that_goes_on_behind_nothing_is_an_error(home: Terminal) -> None:
    said = home("delivery", "list", "--before", "bogus")
    assert said.code == 1
    assert said.err == "Error: There is no delivery `bogus`; --before takes what an earlier list has told.\n"


def test_what_was_sent_is_not_sent_again(home: Terminal) -> None:
    said = home("delivery", "retry", f"dlv_{1:024}")
    assert said.code == 1
    assert said.err == "Error: Only deliveries that are `unknown` or `dead` are sent again; this one is `sent`.\n"
    assert home("delivery", "retry", f"dlv_{3:024}").code == 0
    assert "this one is `new`" in home("delivery", "retry", f"dlv_{3:024}").err


@pytest.mark.slow
async def test_a_narrow_terminal_gets_two_lines_for_each(home: Terminal) -> None:
    text = await drawn(home, 80, "delivery", "list")
    shown = lines(text)
    assert max(map(len, shown)) <= 80
    assert len(shown) == 9  # a long reason goes on in a third line
    assert re.fullmatch(rf"sent  +webhook@work:alerts  dlv_{4:024}", shown[0])
    assert re.fullmatch(r"\d+ d ago  +by the gateway", shown[1])
    assert re.fullmatch(rf"dead  +webhook@work:incidents  dlv_{3:024}", shown[2])
    assert re.fullmatch(r"\d+ d ago  +by ops · the callback was answered with 410, .*", shown[3])
    assert RED in text or ";31m" in text


@pytest.mark.slow
async def test_a_wide_terminal_gets_a_table(home: Terminal) -> None:
    heads, _, first, *_ = lines(await drawn(home, 180, "delivery", "list"))
    assert heads.split() == ["id", "state", "agent", "to", "tries", "created", "error"]
    assert first.split()[:4] == [f"dlv_{4:024}", "sent", "-", "webhook@work:alerts"]
