"""Messages of a chat: sent, answered, changed, found, marked (IM API v1)."""

from typing import Any, Final

import msgspec

from serai.core.delivery import Target
from serai.core.error import SendPermanent
from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.fault import TARGET_GONE, Rejected

_TYPING: Final = "Typing"
_MESSAGES: Final = ("im", "v1", "messages")


class MessageId(msgspec.Struct, frozen=True):
    message_id: str


class MessageReply(msgspec.Struct, frozen=True):
    data: MessageId


class Author(msgspec.Struct, frozen=True):
    id: str = ""
    sender_type: str = ""


class Item(msgspec.Struct, frozen=True):
    message_id: str
    sender: Author = Author()


class Items(msgspec.Struct, frozen=True):
    items: tuple[Item, ...] = ()


class ItemsReply(msgspec.Struct, frozen=True):
    data: Items = Items()


class ReactionId(msgspec.Struct, frozen=True):
    reaction_id: str


class ReactionReply(msgspec.Struct, frozen=True):
    data: ReactionId


class Messages:
    """One app's messages."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def send(self, target: Target, kind: str, content: str, key: str) -> str:
        """Sends `content` (JSON, by the `kind` of message) to where the target says; the message's id.

        In a group it answers the message that is replied to, in a thread it must. A `key` makes a repeated send the
        same for an hour.
        """
        thread = target.thread_id is not None
        anchor = target.reply_to[-1] if target.reply_to and (thread or target.chat_type != "dm") else None
        if anchor is not None:
            try:
                return await self._answer(anchor, kind, content, key, thread)
            except Rejected as error:
                if error.code not in TARGET_GONE:
                    raise
        if target.thread_id is not None:
            root = await self._root(target.thread_id)
            return await self._answer(root, kind, content, key, thread)
        return await self._create(target.chat_id, kind, content, key)

    async def _create(self, chat: str, kind: str, content: str, key: str) -> str:
        body = {"receive_id": chat, "msg_type": kind, "content": content, "uuid": key}
        query = {"receive_id_type": _id_type(chat)}
        return (await self._api.post(path(*_MESSAGES), body, MessageReply, query)).data.message_id

    async def _answer(self, message: str, kind: str, content: str, key: str, thread: bool) -> str:
        body = {"msg_type": kind, "content": content, "reply_in_thread": thread, "uuid": key}
        return (await self._api.post(path(*_MESSAGES, message, "reply"), body, MessageReply)).data.message_id

    async def _root(self, thread: str) -> str:
        """The first message of a thread: nothing can be sent to the thread itself."""
        found = await self._list("thread", thread, "ByCreateTimeAsc")
        if found is None:
            raise SendPermanent("that thread has no message that could be answered")
        return found

    async def newest(self, chat: str) -> str | None:
        """The last message of a chat."""
        return await self._list("chat", chat, "ByCreateTimeDesc")

    async def _list(self, kind: str, place: str, order: str) -> str | None:
        query = {"container_id_type": kind, "container_id": place, "sort_type": order, "page_size": "1"}
        items = (await self._api.get(path(*_MESSAGES), ItemsReply, query)).data.items
        return items[0].message_id if items else None

    async def author(self, message: str) -> str | None:
        """Who sent a message: an open_id, or the app_id of a bot."""
        items = (await self._api.get(path(*_MESSAGES, message), ItemsReply)).data.items
        return items[0].sender.id if items else None

    async def rewrite(self, message: str, kind: str, content: str) -> None:
        """Changes a text or post; possible 20 times."""
        await self._api.change("PUT", path(*_MESSAGES, message), {"msg_type": kind, "content": content})

    async def redraw(self, message: str, card: str) -> None:
        """Changes a card that was sent with its content."""
        await self._api.change("PATCH", path(*_MESSAGES, message), {"content": card})

    async def mark(self, message: str) -> str:
        """Adds the sign of typing to a message; the reaction's id."""
        body: dict[str, Any] = {"reaction_type": {"emoji_type": _TYPING}}
        return (await self._api.post(path(*_MESSAGES, message, "reactions"), body, ReactionReply)).data.reaction_id

    async def unmark(self, message: str, reaction: str) -> None:
        """Takes it back."""
        await self._api.change("DELETE", path(*_MESSAGES, message, "reactions", reaction))


def _id_type(chat: str) -> str:
    """What a receiver's id is: chats begin with oc_; people may be named as targets, too."""
    return {"ou_": "open_id", "on_": "union_id"}.get(chat[:3], "chat_id")
