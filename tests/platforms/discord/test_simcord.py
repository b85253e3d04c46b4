"""The driver in somebody else's Discord: an in-memory one that checks permissions, limits and interactions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import simcord

from serai.core.delivery import Button, Delivery, Target
from serai.core.error import SendPermanent
from serai.core.ids import Account, AgentId, DeliveryId
from serai.platforms.discord.client import Client
from serai.platforms.discord.driver import Discord
from serai.testing.clock import VirtualClock
from serai.testing.platform.stage import Gateway
from tests.patience import PATIENCE_S

ACCOUNT = Account("discord", "sim")


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[tuple[Any, Discord, Gateway]]:
    """The driver behind the library's own machinery, as it is in a connection."""
    gateway = Gateway()
    async with aiohttp.ClientSession() as session:
        driver = Discord(ACCOUNT, "fake-token", session, VirtualClock(), folder)
        client = Client(message_content=True)
        async with simcord.run(client, settle_timeout=PATIENCE_S) as env, driver.serving(client, gateway):
            yield env, driver, gateway


def delivery(channel: Any, text: str, **more: Any) -> Delivery:
    target = Target("discord", str(channel.id), "sim", chat_type="group", **more)
    return Delivery(DeliveryId(f"d-{text}"), target, AgentId("main"), text, attempt=1)


async def heard(gateway: Gateway, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(gateway.heard) < count:
            await asyncio.sleep(0.01)


async def test_a_conversation_in_a_channel_and_a_thread(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (env, driver, gateway):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        said = await alice.send(channel, "hello")
        await heard(gateway, 1)
        source = gateway.heard[0].source
        assert (source.chat_id, source.user_id, source.message_id) == (str(channel.id), str(alice.id), str(said.id))
        assert (source.guild_id, source.chat_type, source.chat_name) == (str(guild.id), "group", "general")
        sent = await driver.send(delivery(channel, "hi @everyone", reply_to=(str(said.id),)))
        assert channel.last_message.content == "hi @everyone"
        assert not channel.last_message.mention_everyone
        assert channel.last_message.reference.message_id == said.id
        await driver.edit(replace(delivery(channel, "hi again"), remote_id=sent.remote_id))
        assert channel.last_message.content == "hi again"
        await driver.typing(delivery(channel, "").target, True)


async def test_a_channel_that_is_not_and_a_text_too_long_are_refused_for_good(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (env, driver, _):
        channel = env.create_guild().create_text_channel("general")
        with pytest.raises(SendPermanent, match="no such channel"):
            await driver.send(delivery(channel, "hello", thread_id="5"))
        with pytest.raises(SendPermanent, match="characters"):
            await driver.send(delivery(channel, "x" * 2001))


async def test_a_button_is_acknowledged_once_and_its_note_is_for_one(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (env, driver, gateway):
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        alice = guild.add_member(env.create_user("alice"))
        sent = await driver.send(replace(delivery(channel, "May I?"), buttons=(Button("Yes", "y:1"),)))
        result = await alice.click(channel.last_message, custom_id="y:1")
        press = gateway.presses[0]
        assert (press.value, press.source.user_id) == ("y:1", str(alice.id))
        assert press.source.message_id == sent.remote_id
        assert [(note.content, note.flags.ephemeral) for note in result.followups] == [("noted", True)]
