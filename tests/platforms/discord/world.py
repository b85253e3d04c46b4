"""A Discord in memory: people, servers, channels and messages, as Discord's own documents describe them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

EPOCH_MS = 1_420_070_400_000
SPOKEN = 0
REPLY = 19


@dataclass
class User:
    id: str
    name: str
    bot: bool = False
    flags: int = 0

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "username": self.name.lower().replace(" ", "_"),
            "global_name": None if self.bot else self.name,
            "avatar": None,
            "discriminator": "0",
            "public_flags": 0,
            "flags": 0,
            **({"bot": True} if self.bot else {}),
        }


@dataclass
class Guild:
    id: str
    name: str
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    nicks: dict[str, str] = field(default_factory=dict)

    def member(self, user: User, *, whole: bool = True) -> dict[str, Any]:
        found = {
            "roles": list(self.members[user.id]),
            "nick": self.nicks.get(user.id),
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "flags": 0,
            "joined_at": "2024-01-01T00:00:00+00:00",
            "pending": False,
            "premium_since": None,
            "mute": False,
            "deaf": False,
        }
        return {**found, "user": user.document()} if whole else found


@dataclass
class Channel:
    """`type` is Discord's number: 0 text, 1 direct, 5 news, 11 thread, 15 forum."""

    id: str
    type: int
    guild: Guild | None = None
    name: str = ""
    parent: str | None = None
    people: list[User] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    closed: bool = False

    @property
    def last(self) -> str | None:
        return max(self.messages, key=int, default=None)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"id": self.id, "type": self.type, "last_message_id": self.last, "flags": 0}
        if self.guild is None:
            return {**found, "recipients": [user.document() for user in self.people if not user.bot]}
        found |= {"guild_id": self.guild.id, "name": self.name, "parent_id": self.parent}
        if self.type == 11:
            metadata = {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": "2024-01-01T00:00:00+00:00",
                "locked": False,
            }
            totals = {"message_count": 1, "member_count": 1, "total_message_sent": 1}
            return {**found, "owner_id": "1", "thread_metadata": metadata, **totals}
        return {**found, "position": 0, "permission_overwrites": [], "nsfw": False, "topic": None}


class World:
    """Everything that there is. `now` gives seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._count = count(1)
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, bytes] = {}
        self.cdn = ""

    def snowflake(self) -> str:
        return str((max(0, int(self._now() * 1000) - EPOCH_MS) << 22) + next(self._count))

    def user(self, name: str, *, user_id: str | None = None, bot: bool = False) -> User:
        found = self.users.get(user_id or "")
        if found is None:
            found = User(user_id or self.snowflake(), name, bot)
            self.users[found.id] = found
        return found

    def guild(self, name: str) -> Guild:
        guild = Guild(self.snowflake(), name)
        self.guilds[guild.id] = guild
        self._role(guild, guild.id, "@everyone")
        return guild

    def role(self, guild: Guild, name: str, *, bot: User | None = None) -> str:
        return self._role(guild, self.snowflake(), name, tags={"bot_id": bot.id} if bot else None)

    def _role(self, guild: Guild, role_id: str, name: str, tags: dict[str, Any] | None = None) -> str:
        shown = {"color": 0, "hoist": False, "icon": None, "unicode_emoji": None, "mentionable": True, "flags": 0}
        colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
        role = {"id": role_id, "name": name, "position": len(guild.roles), "permissions": "0", **shown}
        guild.roles[role_id] = {
            **role,
            "colors": colors,
            "managed": tags is not None,
            **({"tags": tags} if tags else {}),
        }
        return role_id

    def join(self, guild: Guild, user: User, *roles: str, nick: str | None = None) -> None:
        guild.members[user.id] = list(roles)
        if nick:
            guild.nicks[user.id] = nick

    def channel(self, guild: Guild, name: str, *, kind: int = 0, parent: str | None = None) -> Channel:
        found = Channel(self.snowflake(), kind, guild, name, parent)
        self.channels[found.id] = found
        return found

    def direct(self, channel_id: str, *people: User) -> Channel:
        found = self.channels.get(channel_id)
        if found is None:
            found = self.channels[channel_id] = Channel(channel_id, 1, people=list(people))
        for user in people:
            if user not in found.people:
                found.people.append(user)
        return found

    def message(
        self,
        channel: Channel,
        author: User,
        text: str,
        *,
        message_id: str | None = None,
        kind: int = SPOKEN,
        reply_to: str | None = None,
        mentions: tuple[User, ...] = (),
        mention_roles: tuple[str, ...] = (),
        attachments: tuple[dict[str, Any], ...] = (),
        webhook: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        """A message as REST gives it; it stands in its channel from now on."""
        answered = channel.messages.get(reply_to or "")
        found: dict[str, Any] = {
            "id": message_id or self.snowflake(),
            "type": REPLY if reply_to else kind,
            "channel_id": channel.id,
            "author": author.document(),
            "content": text,
            "timestamp": datetime.fromtimestamp(self._now(), UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [user.document() for user in mentions],
            "mention_roles": list(mention_roles),
            "attachments": list(attachments),
            "embeds": [],
            "components": [],
            "flags": 0,
            "pinned": False,
            **more,
        }
        if reply_to:
            found["message_reference"] = {"type": 0, "channel_id": channel.id, "message_id": reply_to}
            found["referenced_message"] = answered and {
                k: v for k, v in answered.items() if k != "referenced_message"
            }
        if webhook:
            found["webhook_id"] = author.id
        channel.messages[found["id"]] = found
        return found

    def event(self, channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
        """A message as the gateway tells it."""
        if channel.guild is None:
            return message
        found = {**message, "guild_id": channel.guild.id}
        author = self.users.get(message["author"]["id"])
        if author and author.id in channel.guild.members and "webhook_id" not in message:
            found["member"] = channel.guild.member(author, whole=False)
        return found

    def attachment(self, name: str, media_type: str, data: bytes, **more: Any) -> dict[str, Any]:
        """A file at its signed address."""
        file_id = self.snowflake()
        self.files[file_id] = data
        url = f"{self.cdn}/attachments/{file_id}/{name}?ex=1&is=1&hm=fake-signature"
        found = {"id": file_id, "filename": name, "size": len(data), "url": url, "proxy_url": url}
        return {**found, "content_type": media_type, **more}

    def guild_event(self, guild: Guild, bot: User) -> dict[str, Any]:
        """A server as GUILD_CREATE tells it."""
        own = [channel for channel in self.channels.values() if channel.guild is guild]
        base = {"id": guild.id, "name": guild.name, "owner_id": "1", "unavailable": False, "large": False}
        levels = dict.fromkeys(
            (
                "verification_level",
                "default_message_notifications",
                "explicit_content_filter",
                "mfa_level",
                "nsfw_level",
            ),
            0,
        )
        lists = {"emojis": [], "stickers": [], "features": [], "voice_states": [], "presences": []}
        more = {"stage_instances": [], "guild_scheduled_events": [], "premium_tier": 0, "preferred_locale": "en-US"}
        return {
            **base,
            **levels,
            **lists,
            **more,
            "member_count": len(guild.members),
            "roles": list(guild.roles.values()),
            "members": [guild.member(bot)],
            "channels": [channel.document() for channel in own if channel.type != 11],
            "threads": [channel.document() for channel in own if channel.type == 11 and not channel.closed],
        }
