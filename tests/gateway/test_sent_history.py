"""What is sent as an agent's joins the histories of the chats that hear it (SPEC 3.6, 9.4)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.delivery import Target
from serai.core.ids import MAIN, AgentId, JobId
from serai.core.job import Job
from serai.core.lane import LanePolicy
from serai.core.message import Inbound
from serai.core.source import Source
from serai.testing.clock import virtual_time
from serai.testing.jobs import MemoryJobs
from serai.testing.model import ScriptedModel
from tests.gateway.stage import Stage, snapshot

OPS = AgentId("ops")
CRON = Path("/nonexistent/main/cron")
REPORT = Job(JobId("0123456789ab"), "61m", "report")
TEXT = "The build is green."
PERSON = LanePolicy(dm_scope="person")


class Told(Stage):
    """A gateway whose agents are asked what they know."""

    def __init__(self, lanes: LanePolicy | None = None, job: Job | None = None, **config: object) -> None:
        files = MemoryJobs()
        files.put(CRON, *([job] if job else []))
        self.model = ScriptedModel(lambda _: "answer")
        super().__init__(self.model, snapshot("ops", lanes=lanes or LanePolicy(), **config), files=files)

    async def says(self, text: str, chat: str, user: str = "42", alt: str | None = None) -> None:
        source = Source("fake", chat_id=chat, user_id=user, user_id_alt=alt)
        await self.fake.delivers(Inbound(source, text, f"{chat} {text}"))
        await asyncio.sleep(5)

    async def known(self, chat: str, user: str = "42", alt: str | None = None) -> list[str]:
        """What the model is given before the question of somebody who asks there."""
        await self.says("what?", chat, user, alt)
        *before, _ = [one.text for one in self.model.requests[-1].messages if one.role != "system"]
        return before


@virtual_time
async def test_an_agent_knows_what_it_said_in_a_chat_when_somebody_answers() -> None:
    one = Told()
    async with one.running():
        await one.sending.send(["fake:1", "fake:2:5"], TEXT, MAIN)
        assert await one.known("1") == [TEXT]
        assert await one.known("2") == []


@virtual_time
async def test_what_the_gateway_or_another_agent_says_is_not_in_an_agents_history() -> None:
    one = Told()
    async with one.running():
        await one.sending.send(["fake:1"], TEXT)
        await one.sending.send(["fake:1"], "The build is red.", OPS)
        await asyncio.sleep(1)
        assert [sent.text for sent in one.fake.sent] == [TEXT, "The build is red."]
        assert await one.known("1") == []


@virtual_time
async def test_what_was_sent_nowhere_is_in_no_history() -> None:
    one = Told()
    async with one.running():
        await one.sending.send(["fake", "nowhere:1"], TEXT, MAIN)
        await one.sending.send(["fake:1"], "[SILENT]", MAIN)
        assert await one.known("1") == []


@virtual_time
async def test_the_name_of_the_agent_before_a_text_is_not_in_its_history() -> None:
    told = Told()
    live = replace(told.state.configured.live, agent_prefix=True)
    told.state.swap(replace(told.state.configured, live=live), told.state.secrets)
    async with told.running():
        await told.sending.send(["fake:1"], TEXT, MAIN)
        assert await told.known("1") == [TEXT]
        assert told.fake.sent[0].text == f"[main] {TEXT}"


@virtual_time
async def test_chats_with_one_history_together_hear_a_text_once() -> None:
    told = Told(LanePolicy(dm_scope="agent"))
    async with told.running():
        await told.sending.send(["fake:1", "fake:2"], TEXT, MAIN)
        assert await told.known("3") == [TEXT]


@pytest.mark.parametrize("alt", [None, "union"])
@virtual_time
async def test_a_text_for_a_chat_joins_what_its_person_says_next_in_whichever_chat(alt: str | None) -> None:
    told = Told(PERSON)
    async with told.running():
        await told.says("hello", "1", alt=alt)
        await told.sending.send(["fake:1"], TEXT, MAIN)
        assert await told.known("2", alt=alt) == ["hello", "answer", TEXT]


@virtual_time
async def test_the_configuration_says_who_is_one_person_also_where_a_text_is_sent() -> None:
    told = Told(replace(PERSON, identities={"fake:42": "ada", "fake:43": "ada"}))
    async with told.running():
        await told.says("hello", "1", user="42")
        await told.sending.send(["fake:1"], TEXT, MAIN)
        assert await told.known("2", user="43") == ["hello", "answer", TEXT]


@virtual_time
async def test_another_agent_knows_the_person_of_a_chat_too() -> None:
    told = Told(PERSON)
    async with told.running():
        await told.says("hello", "1")
        await told.sending.send(["fake:1"], TEXT, OPS)
        told.state.swap(replace(told.state.configured, default_agent=OPS), told.state.secrets)
        assert await told.known("1") == [TEXT]


@pytest.mark.parametrize(
    "job", [replace(REPORT, deliver=("fake:1",)), replace(REPORT, origin=Target("fake", "1", user_id="42"))]
)
@virtual_time
async def test_what_a_job_says_in_a_chat_joins_what_its_person_says_next(job: Job) -> None:
    told = Told(PERSON, job)
    async with told.running(schedules=True):
        await told.says("hello", "1", alt="union")
        await asyncio.sleep(3700)
        assert await told.known("1", alt="union") == ["hello", "answer", "answer"]


@virtual_time
async def test_what_a_job_says_to_its_people_joins_their_history_whoever_wrote_there_since() -> None:
    told = Told(PERSON, replace(REPORT, origin=Target("fake", "1", user_id="42")))
    async with told.running(schedules=True):
        await told.says("hello", "1", user="42")
        await told.says("me too", "1", user="43")
        await asyncio.sleep(3700)
        assert await told.known("1", user="42") == ["hello", "answer", "answer"]


@virtual_time
async def test_where_nobody_has_written_a_text_stays_in_the_chats_own_history() -> None:
    told = Told(PERSON)
    async with told.running():
        await told.sending.send(["fake:1"], TEXT, MAIN)
        assert await told.known("1") == []
