"""The homeserver in memory behaves as a real one does: one scenario, with plain nio and with the driver, before both.

What each side saw, without ids, must be the same.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nio import UploadResponse

from serai.core.delivery import Enclosure
from tests.platforms.matrix.homeserver import Complaint
from tests.platforms.matrix.peer import MatrixPeer
from tests.platforms.matrix.person import Person, person
from tests.platforms.matrix.stage import connected, delivery
from tests.platforms.matrix.synapse import Synapse, User

_DATA = b"a rose" * 1000


@pytest.mark.slow
async def test_the_same_is_seen_before_a_real_homeserver(synapse: Synapse, tmp_path: Path) -> None:
    async with MatrixPeer() as peer:
        in_memory = await _played(peer.url, lambda name: _user(peer, name), tmp_path / "memory")
    real = await _played(synapse.url, synapse.register, tmp_path / "real")
    assert in_memory == real


async def test_a_request_that_no_homeserver_knows_is_complained_about(tmp_path: Path) -> None:
    peer = MatrixPeer()
    async with peer, person(peer.url, _user(peer, "alice"), tmp_path) as alice:
        await alice.client.get_displayname()
        complaints, peer.complaints = peer.complaints, []
    assert "no such endpoint" in str(complaints[0])


async def test_a_message_of_the_wrong_shape_is_complained_about(tmp_path: Path) -> None:
    peer = MatrixPeer()
    async with peer, person(peer.url, _user(peer, "alice"), tmp_path) as alice:
        room = await alice.room()
        with pytest.raises(AssertionError, match="M_BAD_JSON"):
            await alice.sends(room, {"msgtype": "m.text"})
        complaints, peer.complaints = peer.complaints, []
    assert "msgtype and body" in str(complaints[0])


async def test_a_complaint_fails_the_test() -> None:
    peer = MatrixPeer()
    await peer.__aenter__()
    peer.complaints.append(Complaint("fake"))
    with pytest.raises(Complaint):
        await peer.__aexit__(None, None, None)


def _user(peer: MatrixPeer, name: str) -> User:
    login = peer.login(name)
    return User(login.user_id, login.token, login.device_id)


async def _played(url: str, register: Callable[[str], User], folder: Path) -> list[Any]:
    """The scenario; returns what the bot heard and what Alice read."""
    bot, user = register("bot"), register("alice")
    path = folder / "rose.png"
    async with person(url, user, folder / "alice") as alice:
        async with connected(url, bot, folder / "bot") as (driver, gateway):
            path.write_bytes(_DATA)
            for encrypted in (False, True):
                room = await alice.room(bot.user_id, encrypted=encrypted)
                await alice.sees(room, lambda event: event.get("state_key") == bot.user_id and _joined(event))
                root = await alice.says(room, f"hello {encrypted}")
                await gateway.hears(f"hello {encrypted}")
                sent = await driver.send(delivery(room, "On", key=f"d{encrypted}", state="open", thread=root))
                again = await driver.send(delivery(room, "On", key=f"d{encrypted}", state="open", thread=root))
                assert sent == again
                await driver.edit(delivery(room, "Once **more**", remote_id=sent.remote_id))
                await driver.send(delivery(room, "", enclosure=Enclosure(str(path), "rose.png", "image/png")))
                await driver.typing(delivery(room, "").target, True)
                await _file(alice, room, encrypted=encrypted)
                await gateway.hears("caption")
                attachment = gateway.heard.pop().attachments[0]
                assert await driver.fetch(attachment, len(_DATA)) == _DATA
                await alice.says(room, "* hi", **{"m.new_content": _text("hi"), "m.relates_to": _replaces(root)})
                await alice.client.room_redact(room, root)
                await alice.says(room, f"done {encrypted}")
                await gateway.hears(f"done {encrypted}")
                await alice.sees(room, lambda event: event.get("content", {}).get("filename") == "rose.png")
            seen = [(inbound.text, inbound.source.chat_type, inbound.source.user_name) for inbound in gateway.heard]
            revisions = [revision.text for revision in gateway.revisions]
        for number in range(130):
            await alice.says(room, f"missed {number}")
        async with connected(url, bot, folder / "bot") as (_, gateway):
            await gateway.hears("missed 129")
            missed = [inbound.text for inbound in gateway.heard]
        return [*[(text, kind, str(name).lower()) for text, kind, name in seen], revisions, missed, _read(alice, bot)]


async def _file(alice: Person, room: str, *, encrypted: bool) -> None:
    uploaded, keys = await alice.client.upload(lambda *_: _DATA, "image/png", encrypt=encrypted, filesize=len(_DATA))
    assert isinstance(uploaded, UploadResponse)
    where = {"file": {**keys, "url": uploaded.content_uri}} if keys else {"url": uploaded.content_uri}
    await alice.sends(room, {"msgtype": "m.image", "body": "caption", "filename": "rose.png", **where})


def _read(alice: Person, bot: User) -> list[Any]:
    """What Alice has read of the bot, less the ids."""
    events = [event for room in alice.events.values() for event in room if event["sender"] == bot.user_id]
    contents = [event["content"] for event in events if event["type"] == "m.room.message"]
    return [
        (
            content["msgtype"],
            content["body"],
            content.get("m.new_content", {}).get("formatted_body"),
            content.get("m.relates_to", {}).get("rel_type"),
            sorted(content),
        )
        for content in contents
    ]


def _joined(event: dict[str, Any]) -> bool:
    return bool(event.get("content", {}).get("membership") == "join")


def _text(body: str) -> dict[str, str]:
    return {"msgtype": "m.text", "body": body}


def _replaces(event_id: str) -> dict[str, str]:
    return {"rel_type": "m.replace", "event_id": event_id}
