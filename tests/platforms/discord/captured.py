"""What Discord tells a bot, of every kind, and which of it is a message for it."""

from collections.abc import Sequence
from typing import Any

from serai.testing.platform.rig import Captured
from tests.platforms.discord.peer import DiscordPeer
from tests.platforms.discord.world import User


def captured(peer: DiscordPeer, bot: User) -> Sequence[Captured]:
    """In a server with a channel, a thread and a forum's post, and in a direct chat."""
    world = peer.world
    guild = world.guild("Guild")
    ada = world.user("Ada")
    other = world.user("Other Bot", bot=True)
    staff = world.role(guild, "Staff")
    managed = world.role(guild, "Serai Bot", bot=bot)
    for user, roles in ((bot, [managed]), (ada, [staff]), (other, [])):
        world.join(guild, user, *roles)
    general = world.channel(guild, "general")
    thread = world.channel(guild, "a thread", kind=11, parent=general.id)
    direct = world.direct(world.snowflake(), ada, bot)
    poll = {
        "question": {"text": "Tea?"},
        "answers": [{"answer_id": 1, "poll_media": {"text": "Yes"}}],
        "expiry": "2030-01-01T00:00:00+00:00",
        "allow_multiselect": False,
        "layout_type": 1,
        "results": {"answer_counts": [], "is_finalized": False},
    }
    snapshot = {
        "message": {
            "type": 0,
            "content": "forwarded words",
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "timestamp": "2024-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "flags": 0,
            "components": [],
        }
    }
    forward = {"type": 1, "channel_id": general.id, "message_id": "5", "guild_id": guild.id}
    sticker = {"id": "5", "name": "wave", "format_type": 1}
    voice = world.attachment("voice-message.ogg", "audio/ogg", b"OggS", duration_secs=1.5, waveform="AA==")
    photo = world.attachment("cat.png", "image/png", b"\x89PNG", width=1, height=1)

    def said(text: str, where: Any = general, who: User = ada, **more: Any) -> tuple[str, dict[str, Any]]:
        return ("MESSAGE_CREATE", world.message(where, who, text, **more))

    spoken = {
        "a message of a channel": said("hello"),
        "a mention": said(f"<@{bot.id}> hello", mentions=(bot,)),
        "a mention and nothing else": said(f"<@{bot.id}>", mentions=(bot,)),
        "a mention of the bot's role": said(f"<@&{managed}> hello", mention_roles=(managed,)),
        "a message of a thread": said("hello", thread),
        "a direct message": said("hello", direct),
        "a photo without text": said("", attachments=(photo,)),
        "a voice note": said("", attachments=(voice,), flags=1 << 13),
        "a sticker": said("", sticker_items=[sticker]),
        "a poll": said("", poll=poll),
        "a forwarded message": said("", message_reference=forward, message_snapshots=[snapshot]),
        "a reply to a message that is gone": said("hello", reply_to="5"),
        "another bot's message": said("beep", who=other),
        "a message of a webhook": said("deployed", who=world.user("Deployments", bot=True), webhook=True),
    }
    notices = {
        "somebody has joined": said("", kind=7),
        "a pinned message": said("", kind=6, message_reference={"channel_id": general.id, "message_id": "5"}),
        "a thread was made": said("a thread", kind=18),
        "the beginning of a thread": said("", thread, kind=21),
        "a boost": said("", kind=8),
        "a command's answer": said("done", kind=20, who=other),
        "no text, for want of the intent": said(""),
        "the bot's own message": said("my words", who=bot),
    }
    events = {
        "somebody types": (
            "TYPING_START",
            {"channel_id": direct.id, "user_id": ada.id, "timestamp": 1_700_000_000},
        ),
        "an event that is new": ("SOMETHING_NEW", {"id": "5"}),
    }
    for channel in (general, thread, direct):
        channel.messages.clear()  # they are said only when they are told
    ordinary = [Captured(name, payload) for name, payload in spoken.items()]
    return [
        Captured("a server", ("GUILD_CREATE", world.guild_event(guild, bot)), ignored=True),
        *ordinary,
        *(Captured(name, payload, ignored=True) for name, payload in {**notices, **events}.items()),
    ]
