"""Agents never mix: twenty of them in one real gateway, under interleaved load (SPEC 1, 3.1, DESIGN 6)."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Figure
from tests.isolation.cast import HOOK_SECRET, TEAM_KEY, Cast, make_cast, make_home, words
from tests.isolation.play import Play, Recorder
from tests.process.caller import Caller, client_session
from tests.process.gateway import gateways
from tests.process.model import Asked, stub_model
from tests.process.receiver import Received, Receiver

pytestmark = pytest.mark.slow

_AGENTS = 20
_TURNS_EACH = 20
_KEEPING_EACH = 6


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway with its whole cast, and everybody whom it talks to."""

    cast: Cast
    home: Path
    recorder: Recorder
    receiver: Receiver
    caller: Caller
    play: Play


@asynccontextmanager
async def stage(folder: Path, seed: int) -> AsyncIterator[Stage]:
    cast, chance = make_cast(folder, _AGENTS), Random(seed)
    recorder, receiver = Recorder(cast), Receiver(HOOK_SECRET)
    async with (
        stub_model(recorder, lambda: chance.uniform(0.005, 0.06)) as model,
        receiver.serve() as callback,
        gateways(folder) as nursery,
        client_session() as session,
    ):
        home = make_home(cast, folder, model, callback)
        gateway = await nursery.start(["-m", "serai", "--home", str(home), "up", "--port", "0"])
        caller = Caller(session, gateway.url, HOOK_SECRET, TEAM_KEY)
        yield Stage(cast, home, recorder, receiver, caller, Play(cast, caller, chance))
        assert await gateway.stop() == 0, gateway.errors()
        assert gateway.errors() == ""


async def test_twenty_agents_under_load_never_mix(tmp_path: Path, figure: Figure) -> None:
    began = time.monotonic()
    async with stage(tmp_path, seed=20) as on:
        await on.play.act(_TURNS_EACH)
        await on.play.act(_KEEPING_EACH, "keep")
        await on.receiver.count(len(on.play.posted))
        remembered = len(on.recorder.asked)
        await on.play.act(3, "recall")
        await on.receiver.count(len(on.play.posted))
    turns = len(on.play.heard) + len(on.play.posted)
    assert turns == _AGENTS * (_TURNS_EACH + _KEEPING_EACH + 3)
    checked = requests_are_their_agents_own(on.cast, on.recorder)
    assert tools_were_used(on.cast, on.recorder.asked[remembered:]) > 0
    answers_reach_their_askers(on)
    files = homes_hold_their_own(on.cast)
    nothing_secret_is_logged(on.cast, on.home)
    figure(
        f"{_AGENTS} agents, {turns} turns ({len(on.play.posted)} by chats), {len(on.recorder.asked)} model "
        f"requests, {checked} marked words in them, {files} in files, none astray; "
        f"{time.monotonic() - began:.1f} s"
    )


def requests_are_their_agents_own(cast: Cast, recorder: Recorder) -> int:
    """Model, key, persona and every other word of a request belong to one agent, and to one conversation.

    Returns how many marked words were looked at.
    """
    seen = 0
    for asked in recorder.asked:
        player, ask = recorder.player_of(asked), recorder.ask_of(asked)
        assert ask.player is player, f"{ask} was asked of {player.id}"
        assert asked.headers["authorization"] == f"Bearer {player.key}"
        assert asked.body["model"] == player.model
        assert asked.messages[0]["role"] == "system"
        assert player.soul in asked.messages[0]["content"]
        everything = " ".join([asked.path, *asked.headers, *asked.headers.values(), asked.raw])
        assert cast.strangers(everything, player) == []
        assert player.key not in asked.raw
        assert not any(word.startswith("caller-") for word in words(everything))
        for word in words(str(asked.messages[1:])):
            question = cast.asks.get(word)
            assert question is None or question.conversation == ask.conversation, (question, ask)
        seen += sum(1 for _ in words(everything))
    return seen


def tools_were_used(cast: Cast, later: Sequence[Asked]) -> int:
    """What an agent kept stands in the prompts of its later conversations. Returns how many entries were seen."""
    seen = {word for asked in later for word in words(asked.messages[0]["content"]) if word.startswith("mem-")}
    assert {cast.owners[word].id for word in seen} == {player.id for player in cast.players}
    return len(seen)


def answers_reach_their_askers(on: Stage) -> None:
    """Each caller and each chat gets the answers to its own questions, from its own agent, once, in order."""
    for one in on.play.heard:
        assert one.answer.text == one.ask.answer
        assert one.answer.document["model"] == one.ask.player.id
        assert on.cast.strangers(str(one.answer), one.ask.player) == []
    alone = [
        one.answer.headers["X-Hermes-Session-Id"] for one in on.play.heard if one.ask.conversation == one.ask.word
    ]
    assert len(set(alone)) == len(alone)
    assert on.receiver.faults == []
    for player in on.cast.players:
        for room in player.rooms:
            got = [one for one in on.receiver.taken if one.chat_id == room]
            assert [one.text for one in got] == [ask.answer for ask in on.play.posted if ask.conversation == room]
            assert all(_is_from(one, player.id) for one in got)
    assert len(on.receiver.received) == len(on.play.posted)


def _is_from(one: Received, agent: str) -> bool:
    return one.agent == agent and one.reply_to[0].startswith(one.chat_id)


def homes_hold_their_own(cast: Cast) -> int:
    """Returns how many marked words the files of all homes hold."""
    seen = 0
    for player in cast.players:
        files = [path for path in player.home.rglob("*") if path.is_file()]
        texts = {path: path.read_text() for path in files}
        for path, text in texts.items():
            assert cast.strangers(f"{path} {text}", player) == [], path
            seen += sum(1 for _ in words(text))
        kept = [ask for ask in cast.asks.values() if ask.player is player and ask.memory in str(texts.values())]
        assert len(kept) == _KEEPING_EACH
        assert all((player.home / "workspace" / "signs" / f"{ask.word}.txt").read_text() == ask.file for ask in kept)
    return seen


def nothing_secret_is_logged(cast: Cast, home: Path) -> None:
    log = (home / "logs" / "serai.log").read_text()
    secret = [one for player in cast.players for one in (player.key, player.caller)]
    assert not any(word in log for word in [*secret, TEAM_KEY, HOOK_SECRET])


async def test_a_key_for_one_agent_opens_no_other(tmp_path: Path) -> None:
    async with stage(tmp_path, seed=21) as on:
        first, other = on.cast.players[:2]
        answers = await asyncio.gather(
            on.caller.ask("tell", model=other.id, key=first.caller),
            on.caller.ask("tell", key=first.caller, X_Hermes_Chat_Id=other.desk),
        )
    assert [answer.status for answer in answers] == [403, 403]
    assert on.recorder.asked == []
