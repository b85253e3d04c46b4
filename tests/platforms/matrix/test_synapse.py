"""The driver before a real homeserver (Synapse): what people at plain clients see."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from nio import MemoryDownloadResponse, RoomGetEventResponse, UploadResponse
from nio.crypto import decrypt_attachment
from structlog.testing import capture_logs

from serai.core.delivery import Enclosure
from serai.core.error import CredentialsRefused, FetchFailed, SendPermanent, SendTemporary
from serai.core.message import Revision
from serai.core.snapshot import Access
from serai.platforms.matrix.check import check
from serai.platforms.matrix.driver import Matrix
from tests.patience import PATIENCE_S
from tests.platforms.matrix.person import Person, person
from tests.platforms.matrix.stage import ACCOUNT, Hearing, connected, delivery, session, surroundings, until
from tests.platforms.matrix.synapse import Synapse, User

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Scene:
    """A homeserver with a bot, whose driver runs, and Alice."""

    synapse: Synapse
    bot: User
    driver: Matrix
    gateway: Hearing
    alice: Person


@asynccontextmanager
async def scene(synapse: Synapse, folder: Path) -> AsyncIterator[Scene]:
    bot, user = synapse.register("bot"), synapse.register("alice")
    async with (
        connected(synapse.url, bot, folder / "bot") as (driver, gateway),
        person(synapse.url, user, folder / "alice") as alice,
    ):
        yield Scene(synapse, bot, driver, gateway, alice)


async def test_a_direct_chat_goes_both_ways(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id, direct=True)
        said = await on.alice.says(room, "hello")
        source = (await on.gateway.hears("hello")).source
        assert (source.chat_id, source.user_id, source.message_id) == (room, on.alice.user_id, said)
        assert (source.chat_type, source.user_name) == ("dm", "Alice")
        sent = await on.driver.send(delivery(room, "hello **yourself**"))
        heard = await on.alice.hears(room, "hello **yourself**")
        assert heard["event_id"] == sent.remote_id
        assert heard["content"]["formatted_body"] == "<p>hello <strong>yourself</strong></p>"


async def test_in_a_group_people_see_whom_the_answer_is_for(synapse: Synapse, tmp_path: Path) -> None:
    bob = synapse.register("bob")
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id, bob.user_id, name="Garden")
        pill = f'<a href="https://matrix.to/#/{on.bot.user_id}">Bot</a>: when do roses bloom?'
        said = await on.alice.says(
            room,
            "Bot: when do roses bloom?",
            format="org.matrix.custom.html",
            formatted_body=pill,
            **{"m.mentions": {"user_ids": [on.bot.user_id]}},
        )
        await on.alice.says(room, "nobody in particular", **{"m.mentions": {}})
        heard = await on.gateway.hears("when do roses bloom?")
        assert heard.mentioned
        assert (heard.source.chat_type, heard.source.chat_name) == ("group", "Garden")
        assert not (await on.gateway.hears("nobody in particular")).mentioned
        answer = delivery(room, "In June.", reply_to=(said,), chat_type="group", user=on.alice.user_id)
        sent = await on.driver.send(answer)
        content = (await on.alice.hears(room, "In June."))["content"]
        assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": said}}
        assert content["m.mentions"] == {"user_ids": [on.alice.user_id]}
        reply = {"m.in_reply_to": {"event_id": sent.remote_id}}
        await on.alice.says(room, "and tulips?", **{"m.relates_to": reply})
        assert (await on.gateway.hears("and tulips?")).mentioned, "a reply to the bot is said to it"


async def test_a_thread_stays_a_thread(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id)
        root = await on.alice.says(room, "a question")
        thread = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True}
        said = await on.alice.says(
            room, "in a thread", **{"m.relates_to": {**thread, "m.in_reply_to": {"event_id": root}}}
        )
        assert (await on.gateway.hears("in a thread")).source.thread_id == root
        await on.driver.send(delivery(room, "in it, too", thread=root, reply_to=(said,)))
        relation = (await on.alice.hears(room, "in it, too"))["content"]["m.relates_to"]
        assert relation == {**thread, "m.in_reply_to": {"event_id": said}}


async def test_an_answer_grows_by_edits(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id)
        await on.alice.says(room, "hello")
        await on.gateway.hears("hello")
        opened = delivery(room, "Once", state="open")
        sent = await on.driver.send(opened)
        for text in ("Once upon a time", "Once upon a time, *the end*"):
            await on.driver.edit(replace(opened, text=text, remote_id=sent.remote_id))
        last = replace(opened, text="Once upon a time, *the end*", remote_id=sent.remote_id, state="new")
        assert await on.driver.edit(last) == sent, "the same text again is no error"
        edits = await on.alice.sees(room, lambda event: _new_body(event) == last.text)
        assert edits["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": sent.remote_id}
        whole = await on.alice.client.room_get_event(room, sent.remote_id or "")
        assert isinstance(whole, RoomGetEventResponse)


async def test_edits_and_deletions_of_people_are_revisions(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id)
        said = await on.alice.says(room, "helo")
        await on.gateway.hears("helo")
        new = {"msgtype": "m.text", "body": "hello"}
        relation = {"rel_type": "m.replace", "event_id": said}
        await on.alice.says(room, "* hello", **{"m.new_content": new, "m.relates_to": relation})
        await on.gateway.when(lambda: Revision(ACCOUNT, room, said, "hello") in on.gateway.revisions)
        await on.alice.client.room_redact(room, said)
        await on.gateway.when(lambda: Revision(ACCOUNT, room, said, None) in on.gateway.revisions)
        assert len(on.gateway.heard) == 1


async def test_nobody_edits_what_another_has_said(synapse: Synapse, tmp_path: Path) -> None:
    eve_user = synapse.register("eve")
    async with scene(synapse, tmp_path) as on, person(synapse.url, eve_user, tmp_path / "eve") as eve:
        room = await on.alice.room(on.bot.user_id, eve.user_id)
        await eve.client.join(room)
        await eve.sync()
        said = await on.alice.says(room, "pay Bob")
        await on.gateway.hears("pay Bob")
        relation = {"rel_type": "m.replace", "event_id": said}
        new = {"msgtype": "m.text", "body": "pay Eve"}
        await eve.says(room, "* pay Eve", **{"m.new_content": new, "m.relates_to": relation})
        await eve.says(room, "after it")
        await on.gateway.hears("after it")
        assert on.gateway.revisions == []


async def test_an_encrypted_chat_goes_both_ways_and_over_a_restart(synapse: Synapse, tmp_path: Path) -> None:
    bot, user = synapse.register("bot"), synapse.register("alice")
    async with person(synapse.url, user, tmp_path / "alice") as alice:
        async with connected(synapse.url, bot, tmp_path / "bot") as (driver, gateway):
            room = await alice.room(bot.user_id, direct=True, encrypted=True)
            await alice.sees(room, lambda event: _joined(event, bot))
            await alice.says(room, "a secret")
            await gateway.hears("a secret")
            await driver.send(delivery(room, "another"))
            assert (await alice.hears(room, "another"))["type"] == "m.room.message"
            kinds = [event["type"] for event in _stored(synapse, room, user) if event["sender"] != "x"]
            assert kinds.count("m.room.encrypted") == 2, "a text lies open on the homeserver"
            assert "m.room.message" not in kinds
        await alice.says(room, "while you were away")
        async with connected(synapse.url, bot, tmp_path / "bot") as (driver, gateway):
            await gateway.hears("while you were away")
            assert [inbound.text for inbound in gateway.heard] == ["while you were away"]
            await driver.send(delivery(room, "I am back"))
            await alice.hears(room, "I am back")
        assert (tmp_path / "bot").stat().st_mode & 0o777 == 0o700


async def test_a_message_without_its_key_is_told_once(
    synapse: Synapse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serai.platforms.matrix.sync._KEY_PATIENCE_S", 0.0)
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id, direct=True, encrypted=True)
        await on.alice.sees(room, lambda event: _joined(event, on.bot))
        await on.alice.says(room, "first")
        await on.gateway.hears("first")
        with capture_logs() as log:
            for _ in range(2):
                on.alice.client.invalidate_outbound_session(room)
                assert on.alice.client.olm
                on.alice.client.olm.create_outbound_group_session(room)
                on.alice.client.olm.outbound_group_sessions[room].shared = True  # without giving the key to anybody
                await on.alice.says(room, "unreadable")
            on.alice.client.olm.outbound_group_sessions.pop(room)
            await on.alice.says(room, "second")
            await on.gateway.hears("second")
            await on.alice.sees(room, lambda event: "cannot decrypt" in event.get("content", {}).get("body", ""))
            await until(lambda: [entry["event"] for entry in log].count("a message could not be decrypted") == 2)
        await on.alice.sync()
        notices = [e for e in on.alice.events[room] if e.get("content", {}).get("msgtype") == "m.notice"]
        assert len(notices) == 1


async def test_a_restart_replays_nothing_and_misses_nothing(synapse: Synapse, tmp_path: Path) -> None:
    bot, user = synapse.register("bot"), synapse.register("alice")
    async with person(synapse.url, user, tmp_path / "alice") as alice:
        async with connected(synapse.url, bot, tmp_path / "bot") as (driver, gateway):
            room = await alice.room(bot.user_id)
            await alice.says(room, "before")
            await gateway.hears("before")
            await driver.send(delivery(room, "an answer"))
            await alice.hears(room, "an answer")
        missed = [f"missed {number}" for number in range(1, 181)]
        for text in missed:  # more than one sync answer holds, and more than one page
            await alice.says(room, text)
        async with connected(synapse.url, bot, tmp_path / "bot") as (_, gateway):
            await gateway.hears(missed[-1])
            assert [inbound.text for inbound in gateway.heard] == missed


async def test_a_first_start_does_not_answer_what_was_said_before_it(synapse: Synapse, tmp_path: Path) -> None:
    bot, user = synapse.register("bot"), synapse.register("alice")
    async with person(synapse.url, user, tmp_path / "alice") as alice:
        room = await alice.room(bot.user_id)
        synapse.call("POST", f"/_matrix/client/v3/join/{room}", {}, bot.token)
        await alice.says(room, "long ago")
        async with connected(synapse.url, bot, tmp_path / "bot") as (_, gateway):
            await alice.says(room, "now")
            await gateway.hears("now")
            assert [inbound.text for inbound in gateway.heard] == ["now"]


async def test_the_longest_text_fits_even_encrypted_and_marked_up(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        limit = on.driver.capabilities.text_limit
        texts = ["🙂" * (limit // 4), ("**&** " * limit)[:limit].strip(), '"' * limit]
        for encrypted in (False, True):
            room = await on.alice.room(on.bot.user_id, encrypted=encrypted)
            await on.alice.sees(room, lambda event: _joined(event, on.bot))
            await on.gateway.when(lambda room=room: room in on.driver.rooms)
            for text in texts:
                sent = await on.driver.send(delivery(room, text))
                await on.alice.hears(room, text)
                await on.driver.edit(delivery(room, text[::-1], remote_id=sent.remote_id))
                await on.alice.sees(room, lambda event, text=text: _new_body(event) == text[::-1])
            with pytest.raises(SendPermanent):
                await on.driver.send(delivery(room, "x" * (limit + 1)))


async def test_the_homeservers_rate_limit_is_told_with_its_wait(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id)
        await on.gateway.when(lambda: room in on.driver.rooms)
        synapse.limit(on.bot)
        with pytest.raises(SendTemporary) as limited:
            await asyncio.gather(*(on.driver.send(delivery(room, f"{number}")) for number in range(20)))
        assert limited.value.retry_after
        assert 0 < limited.value.retry_after <= 30


async def test_files_go_both_ways(synapse: Synapse, tmp_path: Path) -> None:
    data = secrets.token_bytes(200_000)
    path = tmp_path / "rose.png"
    path.write_bytes(data)
    async with scene(synapse, tmp_path) as on:
        for encrypted in (False, True):
            room = await on.alice.room(on.bot.user_id, encrypted=encrypted)
            await on.alice.sees(room, lambda event: _joined(event, on.bot))
            await on.gateway.when(lambda room=room: room in on.driver.rooms)
            uploaded, keys = await on.alice.client.upload(
                lambda *_: data, "image/png", "rose.png", encrypt=encrypted, filesize=len(data)
            )
            assert isinstance(uploaded, UploadResponse)
            where = {"file": {**keys, "url": uploaded.content_uri}} if keys else {"url": uploaded.content_uri}
            info = {"mimetype": "image/png", "size": len(data)}
            await on.alice.sends(
                room,
                {"msgtype": "m.image", "body": f"a rose {encrypted}", "filename": "rose.png", "info": info, **where},
            )
            heard = await on.gateway.hears(f"a rose {encrypted}")
            (attachment,) = heard.attachments
            assert (attachment.name, attachment.media_type, attachment.size) == ("rose.png", "image/png", len(data))
            assert await on.driver.fetch(attachment, len(data)) == data
            with pytest.raises(FetchFailed, match="larger"):
                await on.driver.fetch(attachment, len(data) - 1)
            enclosure = Enclosure(str(path), "rose.png", "image/png")
            await on.driver.send(delivery(room, f"yours {encrypted}", enclosure=enclosure))
            content = (await on.alice.hears(room, f"yours {encrypted}"))["content"]
            assert (content["msgtype"], content["filename"]) == ("m.image", "rose.png")
            assert await _downloaded(on.alice, content) == data


async def test_typing_is_seen(synapse: Synapse, tmp_path: Path) -> None:
    async with scene(synapse, tmp_path) as on:
        room = await on.alice.room(on.bot.user_id)
        await on.gateway.when(lambda: room in on.driver.rooms)
        target = delivery(room, "").target
        for on_off in (True, False):
            await on.driver.typing(target, on_off)
            for _ in range(20):
                await on.alice.sync(500)
                if (on.bot.user_id in on.alice.typing.get(room, [])) == on_off:
                    break
            assert (on.bot.user_id in on.alice.typing.get(room, [])) == on_off


async def test_only_those_who_may_are_followed_into_a_room(synapse: Synapse, tmp_path: Path) -> None:
    bot, user, eve_user = synapse.register("bot"), synapse.register("alice"), synapse.register("eve")
    access = Access(allow_users=frozenset({user.user_id}))
    async with (
        connected(synapse.url, bot, tmp_path / "bot", access) as (driver, gateway),
        person(synapse.url, eve_user, tmp_path / "eve") as eve,
        person(synapse.url, user, tmp_path / "alice") as alice,
    ):
        trap = await eve.room(bot.user_id)
        room = await alice.room(bot.user_id)
        await alice.says(room, "hello")
        await gateway.hears("hello")
        assert trap not in driver.rooms


async def test_a_revoked_token_ends_the_connection_with_a_sentence(synapse: Synapse, tmp_path: Path) -> None:
    bot = synapse.register("bot")
    async with connected(synapse.url, bot, tmp_path / "bot") as (_, gateway):
        synapse.revoke(bot)
        assert gateway.runs
        with pytest.raises(CredentialsRefused, match="access_token_env"):
            await asyncio.wait_for(asyncio.shield(gateway.runs), PATIENCE_S)


async def test_a_session_whose_keys_were_lost_is_shut_with_a_sentence(synapse: Synapse, tmp_path: Path) -> None:
    bot = synapse.register("bot")
    async with connected(synapse.url, bot, tmp_path / "one"):
        pass
    with pytest.raises(CredentialsRefused, match="log in as the bot again"):
        async with connected(synapse.url, bot, tmp_path / "two"):
            pass


async def test_check_tells_whose_token_it_is(synapse: Synapse, tmp_path: Path) -> None:
    bot = synapse.register("bot")
    async with session() as made:
        (fine,) = await check(surroundings(made, synapse.url, bot.token, tmp_path))
        assert fine.ok
        assert bot.user_id in fine.text
        (wrong,) = await check(surroundings(made, synapse.url, "syt_fake_token", tmp_path))
        assert not wrong.ok
        assert "access_token_env" in wrong.mend
        (other,) = await check(surroundings(made, synapse.url, bot.token, tmp_path, device_id="OTHER"))
        assert not other.ok
        assert bot.device_id in other.text
        (gone,) = await check(surroundings(made, "http://127.0.0.1:9", bot.token, tmp_path))
        assert not gone.ok
    assert not list(tmp_path.iterdir()), "a look leaves nothing behind"


def _new_body(event: dict[str, Any]) -> str | None:
    body = event.get("content", {}).get("m.new_content", {}).get("body")
    return None if body is None else str(body)


def _joined(event: dict[str, Any], bot: User) -> bool:
    return event.get("state_key") == bot.user_id and event["content"].get("membership") == "join"


def _stored(synapse: Synapse, room: str, user: User) -> list[dict[str, Any]]:
    """The room as the homeserver has it, newest first."""
    found = synapse.call("GET", f"/_matrix/client/v3/rooms/{room}/messages?dir=b&limit=50", token=user.token)
    return list(found["chunk"])


async def _downloaded(someone: Person, content: dict[str, Any]) -> bytes:
    file = content.get("file")
    answer = await someone.client.download(mxc=file["url"] if file else content["url"])
    assert isinstance(answer, MemoryDownloadResponse)
    body = bytes(answer.body)
    return decrypt_attachment(body, file["key"]["k"], file["hashes"]["sha256"], file["iv"]) if file else body
