"""What nobody but a hostile client sends: it is passed over, and the account goes on."""

from pathlib import Path
from typing import Any

import pytest
from nio import Api

from tests.platforms.matrix.homeserver import Login
from tests.platforms.matrix.peer import MatrixPeer
from tests.platforms.matrix.person import Person, person
from tests.platforms.matrix.stage import connected
from tests.platforms.matrix.synapse import User


def _user(login: Login) -> User:
    return User(login.user_id, login.token, login.device_id)


@pytest.mark.parametrize(
    "plaintext", ["5", "null", "[]", "{}", '{"type": 5, "content": {}}', '{"type": "m.room.message", "content": []}']
)
async def test_odd_plaintext_of_an_encrypted_event_is_passed_over(tmp_path: Path, plaintext: str) -> None:
    async with MatrixPeer() as peer:
        bot, user = _user(peer.login("bot")), _user(peer.login("alice"))
        async with (
            connected(peer.url, bot, tmp_path / "bot") as (_, gateway),
            person(peer.url, user, tmp_path / "alice") as alice,
        ):
            room = await alice.room(bot.user_id, encrypted=True)
            await alice.sees(room, lambda event: event.get("state_key") == bot.user_id and _joined(event))
            await alice.says(room, "before")
            await gateway.hears("before")
            await _send_raw(alice, room, plaintext)
            await alice.says(room, "after")
            await gateway.hears("after")
            assert [inbound.text for inbound in gateway.heard] == ["before", "after"]


@pytest.mark.parametrize(
    "letter",
    [
        {},
        {"algorithm": 5},
        {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "x", "ciphertext": {}},
        {
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": "x",
            "ciphertext": {"y": {"type": 0, "body": "!"}},
        },
    ],
)
async def test_an_odd_letter_to_the_session_is_passed_over(tmp_path: Path, letter: dict[str, Any]) -> None:
    async with MatrixPeer() as peer:
        bot = peer.login("bot")
        async with connected(peer.url, _user(bot), tmp_path) as (_, gateway):
            own = next(iter(key for name, key in bot.keys["keys"].items() if name.startswith("curve25519")))
            content = {**letter, "ciphertext": {own: letter["ciphertext"]}} if letter.get("ciphertext") else letter
            peer.server.position += 1
            event = {"type": "m.room.encrypted", "sender": "@eve:x", "content": content}
            bot.letters.append((peer.server.position, event))
            await peer.says("hello", chat="!r:x", to=bot)
            await gateway.hears("hello")


@pytest.mark.parametrize(
    "content",
    [
        {"msgtype": "m.text", "body": "x", "m.relates_to": 5},
        {"msgtype": "m.text", "body": "x", "m.relates_to": {"rel_type": "m.replace", "event_id": 5}},
        {"msgtype": "m.image", "body": "x", "url": 5},
        {"msgtype": "m.image", "body": "x", "file": {"url": "mxc://x/y"}},
        {"msgtype": 5, "body": "x"},
        {"body": None},
    ],
)
async def test_a_message_of_an_odd_shape_is_passed_over(tmp_path: Path, content: dict[str, Any]) -> None:
    async with MatrixPeer() as peer:
        bot = peer.login("bot")
        async with connected(peer.url, _user(bot), tmp_path) as (_, gateway):
            peer.open("!r:x", "@eve:x", bot.user_id)
            peer.post("!r:x", "@eve:x", content)
            await peer.says("hello", chat="!r:x", to=bot)
            assert [inbound.text for inbound in gateway.heard] == ["hello"]


async def _send_raw(someone: Person, room: str, plaintext: str) -> None:
    """Encrypts what no client would."""
    client = someone.client
    assert client.olm
    session = client.olm.outbound_group_sessions[room]
    content = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "sender_key": client.olm.account.identity_keys["curve25519"],
        "ciphertext": session.encrypt(plaintext),
        "session_id": session.id,
        "device_id": client.device_id,
    }
    method, path, data = Api.room_send(client.access_token, room, "m.room.encrypted", content, "raw")
    response = await client.send(
        method, path.partition("?")[0], data, {"Authorization": f"Bearer {client.access_token}"}
    )
    assert response.status == 200
    response.release()


def _joined(event: dict[str, Any]) -> bool:
    return bool(event.get("content", {}).get("membership") == "join")
