"""What a message holds: its files, and words for what is no text. Pure."""

from typing import Final

from serai.core.message import Attachment
from serai.platforms.telegram.wire import File, Message

_UNREADABLE: Final = ("game", "story", "invoice", "checklist", "giveaway", "paid_media")
"""Kinds that people send and that cannot be read here. What is not among the fields of `Message` is a service
message: somebody joined, a title changed, a message was pinned."""


def attachments(message: Message) -> tuple[Attachment, ...]:
    """The file of a message, by its handle. A picture comes in several sizes, of which the largest is taken."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.file_size or 0)
        return (_attachment(largest, "photo.jpg", "image/jpeg"),)
    named: tuple[tuple[File | None, str | None, str | None], ...] = (
        (message.animation, "animation.mp4", "video/mp4"),
        (message.voice, "voice.ogg", "audio/ogg"),
        (message.audio, "audio.mp3", "audio/mpeg"),
        (message.video, "video.mp4", "video/mp4"),
        (message.video_note, "video.mp4", "video/mp4"),
        (message.document, None, None),
    )
    found = ((file, name, kind) for file, name, kind in named if file is not None)
    return tuple(_attachment(*one) for one in found)[:1]  # an animation comes as a document, too


def _attachment(file: File, name: str | None, media_type: str | None) -> Attachment:
    return Attachment(
        name=file.file_name or name, media_type=file.mime_type or media_type, size=file.file_size, ref=file.file_id
    )


def words(message: Message) -> str:
    """Words for what is neither text nor file; "" for a message of the service, which nobody said."""
    if message.sticker is not None:
        return message.sticker.emoji or "[a sticker]"
    if message.venue is not None:
        place, venue = message.venue.location, message.venue
        return f"[a place: {venue.title}, {venue.address} ({place.latitude}, {place.longitude})]"
    if message.location is not None:
        return f"[a location: {message.location.latitude}, {message.location.longitude}]"
    if message.contact is not None:
        name = f"{message.contact.first_name} {message.contact.last_name or ''}".strip()
        return f"[a contact: {name}, {message.contact.phone_number}]"
    if message.poll is not None:
        options = "; ".join(option.text for option in message.poll.options)
        return f"[a poll: {message.poll.question} ({options})]"
    if message.dice is not None:
        return f"[{message.dice.emoji} shows {message.dice.value}]"
    kind = next((kind for kind in _UNREADABLE if getattr(message, kind) is not None), None)
    return f"[something that cannot be read here: {kind.replace('_', ' ')}]" if kind else ""
