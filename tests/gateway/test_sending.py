"""Texts that nobody has asked for, each sent under its own identity (SPEC 10)."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.delivery import Delivery, DeliveryState, NewDelivery, Target
from serai.core.error import SendPermanent, SendTemporary
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, AgentId, DeliveryId
from serai.core.snapshot import AccountSettings, Snapshot
from serai.gateway.supervisor import sweep
from serai.ports.platform import Capabilities, Sent
from serai.ports.scope import Unbound, current_profile
from serai.stores.sqlite.store import SqliteStore
from serai.testing.clock import virtual_time
from serai.testing.model import ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.gateway.stage import OPEN, Stage, routes, snapshot

OPS = AgentId("ops")
WORK = Account("fake", "work")
OTHER = Account("other")


def configured(*refused: Account, homes: dict[Account, HomeChat] | None = None) -> Snapshot:
    """Agents main and ops; accounts `fake`, `fake@work` and `other`."""
    accounts = {
        one: AccountSettings(
            one, OPEN, refusal="its token is blank" if one in refused else None, home_chat=(homes or {}).get(one)
        )
        for one in (Account("fake"), WORK, OTHER)
    }
    return snapshot("ops", accounts=accounts)


class Three:
    """Three connections on one stage."""

    def __init__(self, config: Snapshot | None = None, store: SqliteStore | None = None) -> None:
        limits = Capabilities(text_limit=20)
        self.fake, self.work = FakePlatform(capabilities=limits), FakePlatform(account="work", capabilities=limits)
        self.other = FakePlatform("other", capabilities=limits)
        platforms = (self.fake, self.work, self.other)
        self.stage = Stage(ScriptedModel([]), config or configured(), platforms=platforms, store=store)

    def arrived(self) -> list[tuple[str, str, str]]:
        """Everything that people see: connection, chat, text."""
        return [
            (str(one.account), d.target.chat_id, d.text)
            for one in (self.fake, self.work, self.other)
            for d in one.sent
        ]

    def state_of(self, name: DeliveryId) -> tuple[DeliveryState, str | None]:
        row: tuple[DeliveryState, str | None] = self.stage.store._query(
            lambda db: db.execute("SELECT state, error FROM delivery WHERE id = ?", (name,)).fetchone()
        )
        return row


@virtual_time
async def test_a_text_goes_to_each_place_through_its_own_account_and_the_results_name_them() -> None:
    three = Three()
    async with three.stage.running():
        results = await three.stage.sending.send(["fake:1", "FAKE@work:-2:5", "other:a%3Ab"], "hello", OPS)
        await asyncio.sleep(1)
    assert [(one.target, one.agent, len(one.deliveries), one.error) for one in results] == [
        ("fake:1", OPS, 1, None),
        ("fake@work:-2:5", OPS, 1, None),
        ("other:a%3Ab", OPS, 1, None),
    ]
    assert three.arrived() == [("fake", "1", "hello"), ("fake@work", "-2", "hello"), ("other", "a:b", "hello")]
    assert {d.agent for one in (three.fake, three.work, three.other) for d in one.sent} == {OPS}
    assert {d.target.agent_id for d in three.work.sent} == {OPS}


@virtual_time
async def test_it_is_sent_under_its_agents_profile_and_without_one_under_none() -> None:
    seen: list[str | None] = []

    class Looking(FakePlatform):
        """Notes under whose profile it sends."""

        async def send(self, delivery: Delivery) -> Sent:
            try:
                seen.append(current_profile().id)
            except Unbound:
                seen.append(None)
            return await super().send(delivery)

    stage = Stage(ScriptedModel([]), snapshot("ops"), platforms=[Looking()])
    async with stage.running():
        await stage.sending.send(["fake:1"], "hello", OPS)
        await stage.sending.send(["fake:2"], "hello")
        await asyncio.sleep(1)
    assert seen == [OPS, None]


@virtual_time
async def test_one_failing_target_of_five_does_not_stop_four() -> None:
    three = Three()
    three.work.fails(SendPermanent("the bot was thrown out"))
    async with three.stage.running():
        values = ["fake:1", "fake:2", "fake@work:3", "other:4", "other:5"]
        results = await three.stage.sending.send(values, "hello", OPS)
        await asyncio.sleep(1)
    assert [chat for _, chat, _ in three.arrived()] == ["1", "2", "4", "5"]
    states = {one.target: three.state_of(one.deliveries[0]) for one in results}
    assert states["fake@work:3"] == ("dead", "the bot was thrown out")
    assert {state for state, _ in states.values()} == {"dead", "sent"}
    assert list(states) == values


@virtual_time
async def test_one_value_that_means_no_place_does_not_stop_the_others() -> None:
    three = Three(configured(OTHER))
    async with three.stage.running():
        results = await three.stage.sending.send(["xyz:1", "other:1", "fake", "fake:1"], "hello", OPS)
        await asyncio.sleep(1)
    assert [(one.target, one.error) for one in results] == [
        ("fake:1", None),
        ("xyz:1", "no platform `xyz` is configured"),
        ("other:1", "the account `other` is disabled: its token is blank"),
        ("fake", "`fake` has no home chat; `/sethome` in one of its chats makes it that"),
    ]
    assert [one.agent for one in results] == [OPS] * 4
    assert three.arrived() == [("fake", "1", "hello")]


@virtual_time
async def test_a_connection_that_is_down_waits_and_nothing_goes_through_another() -> None:
    three = Three()
    three.work.fails(*[SendTemporary("the connection is down")] * 5)
    async with three.stage.running():
        (result,) = await three.stage.sending.send(["fake@work:1"], "hello", OPS)
        await asyncio.sleep(1)
        assert three.arrived() == []
        assert three.state_of(result.deliveries[0]) == ("new", "the connection is down")
        await asyncio.sleep(60)
    assert three.arrived() == [("fake@work", "1", "hello")]
    assert {attempt.agent for attempt in three.work.attempts} == {OPS}
    assert three.fake.attempts == three.other.attempts == []


@virtual_time
async def test_an_account_without_a_connection_waits_until_it_has_one_again() -> None:
    three = Three()
    alone = Stage(ScriptedModel([]), configured(), platforms=[three.fake, three.other], store=three.stage.store)
    async with alone.running():
        (result,) = await alone.sending.send(["fake@work:1"], "hello", OPS)
        await asyncio.sleep(30)
    assert three.state_of(result.deliveries[0]) == ("new", "fake@work is not connected")
    assert three.arrived() == []
    again = Three(store=three.stage.store)
    async with again.stage.running(recover=True):
        sweeping = asyncio.create_task(sweep(again.stage.store, again.stage.engine, again.stage.clock))
        await asyncio.sleep(400)
        sweeping.cancel()
    assert again.arrived() == [("fake@work", "1", "hello")]


@pytest.mark.parametrize(
    ("agent", "reason"), [("nobody", "no agent named `nobody` is configured"), ("ops", "it is stopped")]
)
@virtual_time
async def test_an_agent_that_may_not_speak_sends_nothing(agent: str, reason: str) -> None:
    config = configured()
    config = replace(config, agents={**config.agents, OPS: replace(config.agents[OPS], refusal="it is stopped")})
    three = Three(config)
    async with three.stage.running():
        results = await three.stage.sending.send(["fake:1", "other"], "hello", AgentId(agent))
        await asyncio.sleep(60)
    assert [(one.target, one.agent, one.deliveries, one.error) for one in results] == [
        ("fake:1", agent, (), reason),
        ("other", agent, (), reason),
    ]
    assert three.arrived() == []
    assert three.stage.store._query(lambda db: db.execute("SELECT count(*) FROM delivery").fetchone()) == (0,)


@virtual_time
async def test_a_delivery_for_an_agent_that_nobody_knows_is_dead_and_the_chats_next_one_is_sent() -> None:
    three = Three()
    unknown = NewDelivery(DeliveryId("lost"), Target("fake", "1", agent_id=AgentId("nobody")), "hello")
    async with three.stage.running():
        await three.stage.store.deliver([unknown], three.stage.clock.now())
        await three.stage.sending.send(["fake:1"], "and me", OPS)
        await asyncio.sleep(1)
    assert three.state_of(unknown.id) == ("dead", "no agent named `nobody` is configured")
    assert three.arrived() == [("fake", "1", "and me")]


@virtual_time
async def test_a_long_text_is_cut_as_its_platform_wants_it() -> None:
    three = Three()
    async with three.stage.running():
        (result,) = await three.stage.sending.send(["fake:1"], "one two three four five six")
        await asyncio.sleep(1)
    assert [text for _, _, text in three.arrived()] == ["one two three four", "five six"]
    assert len(result.deliveries) == 2
    assert result.agent is None


@virtual_time
async def test_where_answers_name_their_agent_a_sent_text_does_too() -> None:
    config = configured()
    three = Three(replace(config, live=replace(config.live, agent_prefix=True)))
    async with three.stage.running():
        await three.stage.sending.send(["fake:1"], "hello", OPS)
        await three.stage.sending.send(["fake:1"], "hello")
        await asyncio.sleep(1)
    assert [text for _, _, text in three.arrived()] == ["[ops] hello", "hello"]


@pytest.mark.parametrize("text", ["[SILENT]", " no_reply\n", "…"])
@virtual_time
async def test_a_text_that_is_only_silence_is_not_sent(text: str) -> None:
    three = Three()
    async with three.stage.running():
        (result,) = await three.stage.sending.send(["fake:1"], text, OPS)
        await asyncio.sleep(1)
    assert (result.deliveries, result.error) == ((), "the text is only silence, which is not sent")
    assert three.arrived() == []


@virtual_time
async def test_a_text_cannot_be_sent_to_local() -> None:
    three = Three()
    async with three.stage.running():
        (result,) = await three.stage.sending.send(["local"], "hello")
    assert (result.target, result.error) == ("local", "`local` is no chat, so nothing is sent")


@virtual_time
async def test_all_is_every_home_chat_and_one_chosen_in_a_chat_wins_over_the_files() -> None:
    config = configured(OTHER, homes={Account("fake"): HomeChat("1"), WORK: HomeChat("2"), OTHER: HomeChat("3")})
    config = replace(config, live=replace(config.live, admins=frozenset({"fake:root"})))
    three = Three(config)
    async with three.stage.running():
        await three.work.says("/sethome", chat="room", user="root", chat_type="group", thread="7")
        await asyncio.sleep(1)
        results = await three.stage.sending.send(["all"], "hello")
        await asyncio.sleep(1)
    assert [one.target for one in results] == ["fake:1", "fake@work:room:7"]
    home = three.work.sent[-1].target
    assert (home.chat_type, home.user_id, home.thread_id) == ("group", "root", "7")


@virtual_time
async def test_a_home_chat_that_the_files_name_too_stays_it() -> None:
    config = configured(homes={Account("fake"): HomeChat("1")})
    three = Three(replace(config, live=replace(config.live, admins=frozenset({"fake:root"}))))
    async with three.stage.running():
        for text in ("/sethome", "/sethome off"):
            await three.fake.says(text, chat="1", user="root")
            await asyncio.sleep(1)
    said = " ".join(one.text for one in three.fake.sent)
    assert said.endswith("The home chat of fake is fake:1 as before: config.yaml names the same chat.")


@virtual_time
async def test_a_chat_that_is_known_by_its_messages_has_their_type() -> None:
    three = Three(replace(configured(), routes=routes()))
    three.stage.state.swap(replace(three.stage.state.configured, max_turns=0), three.stage.state.secrets)
    async with three.stage.running():
        await three.fake.says("hello", chat="-5", chat_type="group", mentioned=True)
        await three.stage.sending.send(["fake:-5", "fake:6"], "hi")
        await asyncio.sleep(1)
    assert {d.target.chat_id: d.target.chat_type for d in three.fake.sent} == {"-5": "group", "6": "dm"}
