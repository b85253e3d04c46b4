"""What people write, and how the gateway gets it: by way of the socket, the library and the driver."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from serai.core.error import FetchFailed
from serai.core.message import Attachment, Inbound, Revision
from serai.platforms.discord.convert import spoken
from serai.testing.clock import virtual_time
from serai.testing.platform.stage import Gateway
from tests.platforms.discord.rig import ACCOUNT, DiscordRig, rig
from tests.platforms.discord.test_connection import running
from tests.platforms.discord.world import Channel, Guild, User


@dataclass
class Scene:
    """A server with a channel, news, a thread, and somebody who has two roles there."""

    rig: DiscordRig
    gateway: Gateway
    guild: Guild
    ada: User
    roles: tuple[str, str]
    managed: str
    general: Channel

    async def hear(self, text: str, channel: Channel | None = None, **more: object) -> Inbound:
        await self.rig.peer.says(text, channel=channel or self.general, **{"user": self.ada, **more})  # type: ignore[arg-type]
        await self.settle()
        return self.gateway.heard[-1]

    async def settle(self) -> None:
        await self.rig.inject([])


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    gateway = Gateway()
    async with rig() as one:
        world = one.peer.world
        guild = world.guild("The Guild")
        ada = world.user("Ada", user_id="555000000000000001")
        roles = (world.role(guild, "Staff"), world.role(guild, "Night shift"))
        managed = world.role(guild, "Serai Bot", bot=one.bot)
        world.join(guild, one.bot, managed)
        world.join(guild, ada, *roles, nick="Ada \u202eL.")
        general = world.channel(guild, "general")
        async with running(one.platform, gateway):
            await one.logged_in()
            yield Scene(one, gateway, guild, ada, roles, managed, general)


@virtual_time
async def test_a_message_of_a_channel_has_all_that_routes_look_at() -> None:
    async with scene() as s:
        source = (await s.hear("hello")).source
        assert (source.platform, source.account) == ACCOUNT
        assert (source.chat_id, source.chat_type, source.chat_name) == (s.general.id, "group", "general")
        assert (source.user_id, source.user_name, source.user_id_alt) == (s.ada.id, "Ada L.", None)
        assert (source.guild_id, source.roles) == (s.guild.id, s.roles)
        assert (source.thread_id, source.topic_id, source.parent_chat_id) == (None, None, None)
        assert not source.is_bot


@virtual_time
async def test_a_thread_and_a_posts_of_a_forum_are_chats_with_a_parent() -> None:
    async with scene() as s:
        world = s.rig.peer.world
        forum = world.channel(s.guild, "questions", kind=15)
        for parent in (s.general, forum):
            thread = world.channel(s.guild, "why?", kind=11, parent=parent.id)
            source = (await s.hear("because", thread)).source
            assert (source.chat_type, source.chat_id, source.thread_id) == ("thread", thread.id, thread.id)
            assert (source.parent_chat_id, source.guild_id, source.roles) == (parent.id, s.guild.id, s.roles)
            assert source.chat_name == "why?"


@virtual_time
async def test_news_are_a_channel_and_a_direct_chat_is_direct() -> None:
    async with scene() as s:
        news = s.rig.peer.world.channel(s.guild, "news", kind=5)
        direct = s.rig.peer.world.direct("99", s.ada, s.rig.bot)
        await s.rig.peer.gateway.tell(s.rig.bot, "CHANNEL_CREATE", news.document())
        assert (await s.hear("fresh", news)).source.chat_type == "channel"
        source = (await s.hear("psst", direct)).source
        assert (source.chat_type, source.chat_id, source.guild_id, source.roles) == ("dm", "99", None, ())


@virtual_time
async def test_a_mention_by_name_role_or_reply_is_said_to_the_bot_and_leaves_the_text() -> None:
    async with scene() as s:
        bot = s.rig.bot
        for text, more in (
            (f"<@{bot.id}> hello", {"mentions": (bot,)}),
            (f"hello <@!{bot.id}>", {"mentions": (bot,)}),
            (f"<@&{s.managed}> hello", {"mention_roles": (s.managed,)}),
        ):
            heard = await s.hear(text, **more)
            assert (heard.text, heard.mentioned) == ("hello", True), text
        heard = await s.hear(f"<@&{s.roles[0]}> hello", mention_roles=(s.roles[0],))
        assert (heard.text, heard.mentioned) == (f"<@&{s.roles[0]}> hello", False)
        mine = s.rig.peer.world.message(s.general, bot, "yes?")
        theirs = s.rig.peer.world.message(s.general, s.ada, "no")
        assert (await s.hear("well", reply_to=mine["id"])).mentioned
        assert not (await s.hear("well", reply_to=theirs["id"])).mentioned


def test_the_rest_of_a_text_stays_as_it_is() -> None:
    marks = ("<@1>", "<@!1>")
    assert spoken("say <@1> this", marks) == "say this"
    assert spoken("  indented\n```\n  code\n```", marks) == "  indented\n```\n  code\n```"
    assert spoken("<@1>\nline", marks) == "line"
    assert spoken("<@12> hi", marks) == "<@12> hi"


@virtual_time
async def test_bots_and_webhooks_are_told_apart() -> None:
    async with scene() as s:
        other = s.rig.peer.world.user("Other Bot", bot=True)
        assert (await s.hear("beep", user=other)).source.is_bot
        assert (await s.hear("deployed", user=other, webhook=True)).source.is_bot


@virtual_time
async def test_a_text_near_the_limit_may_be_one_of_several() -> None:
    async with scene() as s:
        assert not (await s.hear("x" * 1899)).near_limit
        assert (await s.hear("x" * 1900)).near_limit


@virtual_time
async def test_a_pasted_text_is_text_and_a_file_is_a_file() -> None:
    async with scene() as s:
        world = s.rig.peer.world
        pasted = world.attachment("message.txt", "text/plain; charset=utf-8", "a long täxt".encode())
        heard = await s.hear("look:", attachments=(pasted,))
        assert (heard.text, heard.attachments) == ("look:\na long täxt", ())
        binary = world.attachment("message.txt", "text/plain", b"\xff\xfe\xff")
        heard = await s.hear("", attachments=(binary,))
        assert [file.name for file in heard.attachments] == ["message.txt"]
        notes = world.attachment("notes.txt", "text/plain", b"notes")
        heard = await s.hear("", attachments=(notes,))
        (file,) = heard.attachments
        assert (file.name, file.media_type, file.size, file.url) == ("notes.txt", "text/plain", 5, "")
        assert await s.rig.platform.fetch(file, 5) == b"notes"


@virtual_time
async def test_a_file_that_is_gone_or_foreign_is_told() -> None:
    async with scene() as s:
        notes = s.rig.peer.world.attachment("notes.txt", "text/plain", b"notes")
        (file,) = (await s.hear("", attachments=(notes,))).attachments
        message = s.gateway.heard[-1].source.message_id or ""
        for broken in (Attachment(ref="nonsense"), Attachment(ref=None), Attachment(ref="[1]")):
            with pytest.raises(FetchFailed, match="not Discord's"):
                await s.rig.platform.fetch(broken, 5)
        await s.rig.peer.deletes(s.general, message)
        with pytest.raises(FetchFailed, match="no such message"):
            await s.rig.platform.fetch(file, 5)


@virtual_time
async def test_edits_and_deletions_are_told_and_a_preview_is_no_edit() -> None:
    async with scene() as s:
        bot = s.rig.bot
        heard = await s.hear(f"<@{bot.id}> helo", mentions=(bot,))
        message = heard.source.message_id or ""
        await s.rig.peer.tell(s.general, "MESSAGE_UPDATE", s.general.messages[message])  # its preview was added
        await s.settle()
        assert s.gateway.revisions == []
        await s.rig.peer.edits(s.general, message, f"<@{bot.id}> hello")
        await s.rig.peer.deletes(s.general, message)
        await s.settle()
        told = [Revision(ACCOUNT, s.general.id, message, text) for text in ("hello", None)]
        assert s.gateway.revisions == told
