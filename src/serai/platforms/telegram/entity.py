"""Marked parts of a text: what they cover, and the text without them. Pure. Telegram counts UTF-16 code units."""

from collections.abc import Sequence
from dataclasses import dataclass

from serai.platforms.telegram.wire import Entity


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself."""

    id: int
    username: str


def covered(text: str, entity: Entity) -> str:
    """The part of the text that an entity marks; "" where it lies outside."""
    units = text.encode("utf-16-le", "surrogatepass")
    part = units[max(0, entity.offset) * 2 : max(0, entity.offset + entity.length) * 2]
    return part.decode("utf-16-le", "replace")


def mentions(text: str, entities: Sequence[Entity], me: Me) -> bool:
    """Whether the text names the bot: `@name`, its name as a link to it, or a command with `@name` behind."""
    return any(
        _is_mention(text, entity, me) or _command_for(text, entity) == me.username.lower() for entity in entities
    )


def is_for_another(text: str, entities: Sequence[Entity], me: Me) -> bool:
    """Whether the text begins with a command that names another bot."""
    named = [_command_for(text, entity) for entity in entities if entity.offset == 0]
    return any(name and name != me.username.lower() for name in named)


def cleaned(text: str, entities: Sequence[Entity], me: Me) -> str:
    """The text without the bot's own mention and with the addresses of links, as Markdown. A text that is nothing but
    the mention stays as it is."""
    units = text.encode("utf-16-le", "surrogatepass")
    for entity in sorted(entities, key=lambda entity: entity.offset, reverse=True):
        start, end = max(0, entity.offset) * 2, max(0, entity.offset + entity.length) * 2
        new = _instead(text, entity, me)
        if new is None:
            continue
        if not new:  # one of the spaces around a mention goes with it
            if units[end : end + 2] == b" \0":
                end += 2
            elif units[max(0, start - 2) : start] == b" \0":
                start -= 2
        units = units[:start] + new.encode("utf-16-le", "surrogatepass") + units[end:]
    return units.decode("utf-16-le", "replace").strip() or text


def _instead(text: str, entity: Entity, me: Me) -> str | None:
    """What stands for an entity's part of the text; None where it stays."""
    if _is_mention(text, entity, me):
        return ""
    part = covered(text, entity)
    if _command_for(text, entity) == me.username.lower():
        return part.partition("@")[0]
    if entity.type == "text_link" and entity.url and part.strip():
        return f"[{part}]({entity.url})"
    return None


def _is_mention(text: str, entity: Entity, me: Me) -> bool:
    if entity.type == "text_mention":
        return entity.user is not None and entity.user.id == me.id
    return entity.type == "mention" and covered(text, entity).lower() == f"@{me.username.lower()}"


def _command_for(text: str, entity: Entity) -> str:
    """The bot that a command names, in lower case; "" for other parts and for commands that name none."""
    return covered(text, entity).partition("@")[2].lower() if entity.type == "bot_command" else ""
