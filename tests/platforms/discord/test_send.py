"""What the driver sends, and what comes of it where Discord does not want it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.delivery import Button, Enclosure
from serai.core.error import SendPermanent, SendTemporary, SendUnknown, StorageFailed
from serai.testing.clock import virtual_time
from serai.testing.platform.rig import Utterance
from serai.testing.platform.stage import Gateway, Stage
from tests.platforms.discord.peer import answered, limited
from tests.platforms.discord.rig import DiscordRig, rig
from tests.platforms.discord.test_connection import running


@asynccontextmanager
async def staged() -> AsyncIterator[tuple[DiscordRig, Stage]]:
    gateway = Gateway()
    async with rig() as one, running(one.platform, gateway):
        await one.logged_in()
        yield one, Stage(one, gateway)


@virtual_time
async def test_a_send_that_was_cut_off_is_repeated_without_a_second_message() -> None:
    async with staged() as (one, stage):
        delivery = stage.delivery("once")
        await one.fault("disconnect")
        with pytest.raises(SendUnknown):
            await one.platform.send(delivery)
        sent = await one.platform.send(replace(delivery, attempt=2))
        assert [(message["content"], message["id"]) for message in one.peer.sent] == [("once", sent.remote_id)]
        await one.platform.send(stage.delivery("once"))
        assert len(one.peer.sent) == 2, "another delivery of the same text is another message"


@virtual_time
async def test_nobody_is_pinged_and_a_group_sees_what_is_answered() -> None:
    async with staged() as (one, stage):
        await stage.say(Utterance("hello", message="7"))
        delivery = stage.delivery("@everyone <@42>", chat="1", reply_to=("3", "7"))
        await one.platform.send(delivery)
        await one.platform.send(
            replace(stage.delivery("x", chat="1"), target=replace(delivery.target, chat_type="group"))
        )
        bodies = [call.body or {} for call in one.peer.rest.log if call.method == "POST"]
        assert len(bodies) == 2
        assert all(body["allowed_mentions"]["parse"] == [] for body in bodies)
        direct, group = one.seen
        assert (direct.reply_to, group.reply_to) == ((), ("7",))


@virtual_time
async def test_an_answer_in_a_thread_goes_into_the_thread() -> None:
    async with staged() as (one, stage):
        guild = one.peer.world.guild("Guild")
        general = one.peer.world.channel(guild, "general")
        thread = one.peer.world.channel(guild, "thread", kind=11, parent=general.id)
        delivery = stage.delivery("here", chat=general.id)
        await one.platform.send(replace(delivery, target=replace(delivery.target, thread_id=thread.id)))
        assert (one.seen[0].chat, one.seen[0].thread) == (thread.id, thread.id)


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (403, 50007, SendPermanent, "direct messages"),
        (403, 50013, SendPermanent, "may not do that"),
        (404, 10003, SendPermanent, "no such channel"),
        (400, 50035, SendPermanent, "50035"),
        (401, 0, SendTemporary, "401"),
        (500, 0, SendTemporary, "500"),
        (503, 0, SendTemporary, "503"),
    ],
)
def test_an_answer_that_is_none_is_told_by_its_kind(
    status: int, code: int, kind: type[Exception], words: str
) -> None:
    @virtual_time
    async def send() -> None:
        async with staged() as (one, stage):
            one.peer.rest.meetings.append(answered(status, code))
            with pytest.raises(kind, match=words) as caught:
                await one.platform.send(stage.delivery())
            assert "fake error text" not in str(caught.value)

    send()


@virtual_time
async def test_a_limited_chat_waits_by_the_exact_time_and_delays_no_other() -> None:
    async with staged() as (one, stage):
        for glob in (False, True):
            one.peer.rest.meetings.append(limited(1.337, glob=glob))
            began = one.clock.now()
            with pytest.raises(SendTemporary) as caught:
                await one.platform.send(stage.delivery())
            assert caught.value.retry_after == 1.337
            await one.platform.send(stage.delivery("other", chat="7"))
            assert one.clock.now() - began < 1


@virtual_time
async def test_ids_and_files_that_cannot_be_are_refused_here(tmp_path: Path) -> None:
    async with staged() as (one, stage):
        for chat in ("general", "1e5", "١٢", "9" * 30):
            with pytest.raises(SendPermanent, match="no id of a channel"):
                await one.platform.send(stage.delivery(chat=chat))
        large = tmp_path / "large"
        with large.open("wb") as file:
            file.truncate(10 * 1024 * 1024 + 1)
        for path, words in ((large, "larger"), (tmp_path / "none", "cannot be read")):
            delivery = replace(stage.delivery(), enclosure=Enclosure(str(path), "file", "application/octet-stream"))
            with pytest.raises(SendPermanent, match=words):
                await one.platform.send(delivery)
        assert one.peer.sent == []


@virtual_time
async def test_a_press_is_acknowledged_at_once_and_its_note_shown_to_the_presser_alone() -> None:
    async with staged() as (one, stage):
        await one.platform.send(
            replace(stage.delivery("May I?"), buttons=(Button("Yes", "y:1"), Button("No", "n:1")))
        )
        assert await one.press("Yes")
        assert [note for _, note in one.peer.rest.notes] == ["noted"]
        stage.gateway.errors.append(StorageFailed("the disk is full"))
        assert await one.press("No")
        assert [note for _, note in one.peer.rest.notes] == ["noted", "the disk is full"]
        assert [press.value for press in stage.gateway.presses] == ["y:1"]


@virtual_time
async def test_a_table_and_a_picture_are_sent_as_discord_shows_them() -> None:
    async with staged() as (one, stage):
        await one.platform.send(stage.delivery("| a | b |\n|---|---|\n| 1 | 22 |\n![cat](https://c.example/cat.png)"))
        assert one.seen[0].text == "```\na  b\n-  --\n1  22\n```\n[cat](https://c.example/cat.png)"
