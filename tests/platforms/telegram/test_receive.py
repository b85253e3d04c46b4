"""Updates: confirmed once they are stored, in order for each chat, none delaying another chat's."""

import asyncio

import pytest

from serai.core.error import Busy, LoggedInElsewhere, Refused, StorageFailed
from serai.core.message import Inbound, Press, Revision
from serai.testing import virtual_time
from serai.testing.platform.stage import overheard
from tests.platforms.telegram.bot import Answer
from tests.platforms.telegram.rig import ACCOUNT, NAME, TOKEN
from tests.platforms.telegram.stage import running


@virtual_time
async def test_what_was_not_stored_is_offered_again_and_what_was_is_not_told_twice() -> None:
    async with running() as stage:
        stage.gateway.errors["1"] = [StorageFailed("the disk is full"), StorageFailed("the disk is full")]
        first = stage.says("one", chat="1")
        stage.says("two", chat="1")
        stage.says("other", chat="2")
        await asyncio.sleep(0.5)
        assert stage.gateway.texts == ["other"]
        assert first in stage.bot.pending
        await stage.confirmed()
        assert stage.gateway.texts == ["other", "one", "two"]


@virtual_time
async def test_a_busy_chat_is_asked_again_and_holds_up_no_other() -> None:
    async with running() as stage:
        stage.gateway.errors["1"] = [Busy("100 messages wait")] * 20
        stage.says("patience", chat="1")
        for number in range(10):
            stage.says(f"{number}", chat="2")
            await asyncio.sleep(1.2)
        assert stage.gateway.texts == [f"{number}" for number in range(10)]
        await stage.confirmed()
        assert stage.gateway.texts[-1] == "patience"


@virtual_time
async def test_a_poll_full_of_what_cannot_be_taken_lets_the_other_chats_go_on() -> None:
    async with running() as stage:
        stage.gateway.errors["1"] = [Busy("100 messages wait")] * 1000
        for number in range(100):
            stage.says(f"{number}", chat="1")
        stage.says("at last", chat="2")
        async with asyncio.timeout(30):
            while "at last" not in stage.gateway.texts:
                await asyncio.sleep(0.1)


@virtual_time
async def test_a_slow_chat_delays_no_other_and_keeps_its_order() -> None:
    async with running() as stage:
        stage.gateway.slow["1"] = 7.0
        stage.says("slow one", chat="1")
        stage.says("slow two", chat="1")
        stage.says("quick", chat="2")
        await asyncio.sleep(0.5)
        stage.says("quick, too", chat="2")
        await asyncio.sleep(2)
        assert stage.gateway.texts == ["quick", "quick, too"]
        await stage.confirmed()
        assert stage.gateway.texts[2:] == ["slow one", "slow two"]


@virtual_time
async def test_a_fault_of_the_gateway_stops_its_chat_and_no_other() -> None:
    async with running() as stage:
        stage.gateway.errors["1"] = [RuntimeError("a fault")]
        stage.says("one", chat="1")
        stage.says("two", chat="2")
        await stage.confirmed()
        assert sorted(stage.gateway.texts) == ["one", "two"]
        assert not stage.running.done()


@virtual_time
async def test_malformed_updates_are_logged_without_their_text_and_let_by() -> None:
    with overheard() as log:
        async with running() as stage:
            stage.bot.offer_malformed({"message": {"message_id": "private words"}})
            stage.bot.offer_malformed({"message": "private words"})
            stage.bot.offer_malformed({"unheard_of": {"text": "private words"}})
            stage.says("after all")
            await stage.confirmed()
            assert stage.gateway.texts == ["after all"]
    assert "an update was not understood" in log.getvalue()
    assert "private words" not in log.getvalue()


@virtual_time
async def test_texts_and_tokens_are_not_logged_by_the_library() -> None:
    with overheard() as log:
        async with running() as stage:
            stage.says("private words")
            await stage.confirmed()
            await stage.rig.platform.send(stage.delivery("private answer"))
            stage.bot.answers["getupdates"] = [Answer(200, raw=b"private garbage " + TOKEN.encode())]
            stage.says("more")
            await asyncio.wait({stage.running}, timeout=60)
            assert isinstance(stage.running.exception(), ConnectionError)
    assert not [word for word in ("private", TOKEN) if word in log.getvalue()]


@virtual_time
async def test_an_album_is_one_message_though_a_poll_ends_within_it() -> None:
    async with running() as stage:

        def piece(number: int, **more: str) -> None:
            photo = [{"file_id": f"p{number}", "file_unique_id": f"u{number}", "width": 1, "height": 1}]
            told = stage.peer.message(message=number, photo=photo, media_group_id="9", **more)
            stage.bot.offer({"message": told})

        piece(1, caption="compare them")
        piece(2)
        await asyncio.sleep(0.5)
        piece(3)
        await stage.confirmed()
        (album,) = stage.gateway.heard
        assert isinstance(album, Inbound)
        assert ([a.ref for a in album.attachments], album.text) == (["p1", "p2", "p3"], "compare them")


@virtual_time
async def test_an_album_followed_by_words_is_complete() -> None:
    async with running() as stage:
        photo = [{"file_id": "p", "file_unique_id": "u", "width": 1, "height": 1}]
        stage.bot.offer({"message": stage.peer.message(photo=photo, media_group_id="9")})
        stage.says("that was it")
        await asyncio.sleep(0.1)
        assert stage.gateway.texts == ["", "that was it"]


@virtual_time
async def test_edits_come_in_order_behind_their_messages() -> None:
    async with running() as stage:
        stage.says("teh", message=5)
        stage.bot.offer({"edited_message": stage.peer.message(message=5, text="the", edit_date=2)})
        await stage.confirmed()
        assert stage.gateway.heard[1] == Revision(ACCOUNT, "42", "5", "the")


@virtual_time
async def test_a_press_is_answered_with_the_note_and_a_refused_one_with_the_reason() -> None:
    async with running() as stage:
        press = {"from": {"id": 42, "is_bot": False, "first_name": "A"}, "chat_instance": "1", "data": "yes"}
        message = stage.peer.message(message=5, text="May I?")
        stage.gateway.note = "n" * 300
        stage.bot.offer({"callback_query": {"id": "p1", "message": message, **press}})
        await stage.confirmed()
        stage.gateway.errors["42"] = [Refused("not for you")]
        stage.bot.offer({"callback_query": {"id": "p2", "message": message, **press}})
        stage.bot.offer({"callback_query": {"id": "p3", "inline_message_id": "i", **press}})
        await stage.confirmed()
        assert stage.bot.answered == {"p1": "n" * 200, "p2": "not for you", "p3": None}
        assert [event.value for event in stage.gateway.heard if isinstance(event, Press)] == ["yes"]


@virtual_time
async def test_a_webhook_that_is_set_is_explained() -> None:
    async with running() as stage:
        stage.bot.webhook = "https://elsewhere.example/hook"
        await asyncio.wait({stage.running}, timeout=60)
        with pytest.raises(LoggedInElsewhere, match="webhook"):
            stage.running.result()


@virtual_time
async def test_one_conflict_alone_is_no_second_login() -> None:
    async with running() as stage:
        stage.bot.end_poll(Answer(409, "Conflict: terminated by other getUpdates request"))
        await asyncio.sleep(90)
        stage.bot.end_poll(Answer(409, "Conflict: terminated by other getUpdates request"))
        await asyncio.sleep(90)
        stage.says("still here")
        await stage.confirmed()
        assert stage.gateway.texts == ["still here"]


@virtual_time
async def test_after_a_restart_what_was_stored_and_not_confirmed_has_the_same_key() -> None:
    async with running() as stage:
        stage.says("hello", message=5)
        await stage.confirmed()
        stage.says("hello", message=5)
        await stage.confirmed()
        keys = {event.dedupe_key for event in stage.gateway.heard if isinstance(event, Inbound)}
        assert keys == {"message:42:5"}


@virtual_time
async def test_numbers_of_updates_may_begin_anew() -> None:
    async with running() as stage:
        stage.says("before")
        await stage.confirmed()
        stage.bot.offer(stage.peer.says("a quiet week later"), 17)
        await asyncio.sleep(60)
        assert stage.gateway.texts == ["before", "a quiet week later"]


@virtual_time
async def test_two_bots_in_one_process_hear_their_own() -> None:
    async with running() as one, running() as other:
        one.says("to one")
        other.says("to the other")
        await one.confirmed()
        await other.confirmed()
        assert (one.gateway.texts, other.gateway.texts) == (["to one"], ["to the other"])
        assert one.gateway.logins == [f"@{NAME}"]
