"""The fake peer is honest: what it tells fits Discord's own description, and what does not fit is noticed."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from serai.testing.clock import EPOCH, virtual_time
from tests.platforms.discord.captured import captured
from tests.platforms.discord.peer import DiscordPeer
from tests.platforms.discord.strict import faults
from tests.platforms.discord.world import World

MENTIONS = {"parse": [], "replied_user": False}


@virtual_time
async def test_its_messages_fit_the_description() -> None:
    async with DiscordPeer(lambda: EPOCH) as peer:
        bot = peer.bot(peer.token("Serai"))
        payloads = [one.payload for one in captured(peer, bot)]
        told = [document for event, document in payloads if event == "MESSAGE_CREATE"]  # type: ignore[misc]
        assert len(told) > 15
        assert [fault for message in told for fault in faults("message_response", _plain(message))] == []


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """Without what the generated models cannot read: polls and the parts of forwarded messages."""
    return {key: value for key, value in message.items() if key not in ("poll", "message_snapshots", "sticker_items")}


@virtual_time
async def test_its_people_channels_members_and_applications_fit_the_description() -> None:
    async with DiscordPeer(lambda: EPOCH) as peer:
        token = peer.token("Serai")
        bot, ada = peer.bot(token), peer.world.user("Ada")
        guild = peer.world.guild("Guild")
        peer.world.join(guild, ada)
        text = peer.world.channel(guild, "general")
        thread = peer.world.channel(guild, "thread", kind=11, parent=text.id)
        direct = peer.direct("Ada", token=token)
        found = [
            *faults("user_response", ada.document()),
            *faults("user_response", bot.document()),
            *faults("guild_channel_response", text.document()),
            *faults("thread_response", thread.document()),
            *faults("private_channel_response", direct.document()),
            *faults("guild_member_response", guild.member(ada)),
        ]
        assert found == []


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 5000, "allowed_mentions": MENTIONS},
        {"content": 5, "allowed_mentions": MENTIONS},
        {"content": "hi", "colour": "red", "allowed_mentions": MENTIONS},
        {"content": "hi"},
        {"content": "hi", "allowed_mentions": {"parse": ["everyone"]}},
        {"content": "hi", "allowed_mentions": MENTIONS, "components": [{"type": 1, "components": []}]},
        {"content": "hi", "allowed_mentions": MENTIONS, "components": [{"type": 2, "label": "x"}]},
    ],
    ids=["too long", "no text", "unknown key", "no mentions", "everyone", "empty row", "a button alone"],
)
def test_a_message_that_does_not_fit_is_a_fault(body: dict[str, Any]) -> None:
    virtual_time(_post)(body)


async def _post(body: dict[str, Any]) -> None:
    async with DiscordPeer(lambda: EPOCH) as peer, aiohttp.ClientSession() as session:
        token = peer.token("Serai")
        channel = peer.direct("Ada", token=token)
        url = f"{peer.base_url}/api/v10/channels/{channel.id}/messages"
        await session.post(url, json=body, headers={"Authorization": f"Bot {token}"})
        assert peer.violations
        peer.rest.violations.clear()


@virtual_time
async def test_an_unknown_call_and_a_wrong_token_are_refused() -> None:
    async with DiscordPeer(lambda: EPOCH) as peer, aiohttp.ClientSession() as session:
        async with session.get(f"{peer.base_url}/api/v10/users/@me", headers={"Authorization": "Bot x"}) as answer:
            assert answer.status == 401
        assert peer.violations == []
        async with session.get(f"{peer.base_url}/api/v10/users/@everybody") as answer:
            assert answer.status == 404
        assert peer.violations == ["unknown call GET /users/@everybody"]
        peer.rest.violations.clear()


@pytest.mark.parametrize(
    "frame", ['{"op": 2, "d": {"token": "x"}}', '{"op": 40, "d": null}', '{"op": 1, "d": "x"}', "{}", "hello"]
)
def test_a_frame_that_does_not_fit_is_a_fault(frame: str) -> None:
    virtual_time(_speak)(frame)


async def _speak(frame: str) -> None:
    async with DiscordPeer(lambda: EPOCH) as peer, aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{peer.gateway_url}/?v=10&encoding=json") as socket:
            await socket.receive_json()
            await socket.send_str(frame)
            await asyncio.sleep(0.2)
        assert peer.violations
        peer.gateway.violations.clear()


def test_leaving_the_peer_tells_what_was_wrong() -> None:
    with pytest.raises(AssertionError, match="nonsense"):
        virtual_time(_leave)()


async def _leave() -> None:
    async with DiscordPeer(lambda: EPOCH) as peer:
        peer.rest.violations.append("nonsense")


def test_ids_tell_the_time() -> None:
    made = (int(World(lambda: EPOCH).snowflake()) >> 22) / 1000 + 1_420_070_400
    assert datetime.fromtimestamp(made, UTC) == datetime.fromtimestamp(EPOCH, UTC)
