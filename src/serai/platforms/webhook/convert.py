"""Between the wire and the gateway's own words. Pure."""

from serai.core.delivery import Delivery
from serai.core.display import clean_name
from serai.core.ids import Account
from serai.core.message import Attachment, Inbound
from serai.core.source import Source
from serai.platforms.webhook.wire import Body, Callback


def inbound(account: Account, body: Body, webhook_id: str) -> Inbound:
    """A message as the gateway takes it. Empty optional ids are absent ones; other ids stay as they are."""
    source = Source(
        platform=account.platform,
        account=account.name,
        chat_id=body.chat_id,
        chat_type=body.chat_type,
        user_id=body.user_id or None,
        user_id_alt=body.user_id_alt or None,
        user_name=(clean_name(body.user_name) if body.user_name else "") or None,
        roles=tuple(role for role in body.roles if role),
        thread_id=body.thread_id or None,
        topic_id=body.topic_id or None,
        guild_id=body.guild_id or None,
        parent_chat_id=body.parent_chat_id or None,
        message_id=body.message_id or webhook_id,
    )
    files = tuple(Attachment(file.url, file.name, file.media_type, file.size) for file in body.attachments)
    return Inbound(source, body.text or "", dedupe_key(body, webhook_id), files, body.mentioned)


def dedupe_key(body: Body, webhook_id: str) -> str:
    """Chat and message id, the chat's length first so that no two pairs make one key; else the request's id."""
    if body.message_id:
        return f"message:{len(body.chat_id)}:{body.chat_id}:{body.message_id}"
    return f"request:{webhook_id}"


def callback(delivery: Delivery) -> Callback:
    """An answer as the receiver gets it."""
    target = delivery.target
    return Callback(
        delivery.id, target.chat_id, target.thread_id, target.reply_to, delivery.agent or None, delivery.text
    )
