"""Files that came with messages."""

from typing import Final

import msgspec

from serai.core.error import FetchFailed, SendFailed
from serai.core.message import Attachment
from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.content import Ref
from serai.platforms.feishu.http import Reply

_OK: Final = 200


async def fetch(api: Api, attachment: Attachment, limit: int) -> bytes:
    """The bytes of a file, at most `limit`. Raises FetchFailed."""
    try:
        ref = msgspec.json.decode(attachment.ref or "", type=Ref)
    except msgspec.DecodeError:
        raise FetchFailed("this file did not come from Feishu") from None
    if attachment.size is not None and attachment.size > limit:
        raise FetchFailed(f"the file has {attachment.size} bytes; {limit} are allowed")
    where = path("im", "v1", "messages", ref.message_id, "resources", ref.key)
    try:
        reply = await api.download(where, limit, {"type": ref.kind})
    except SendFailed as error:
        raise FetchFailed(f"the file could not be had: {error}") from None
    return _whole(reply, limit)


def _whole(reply: Reply, limit: int) -> bytes:
    if reply.status != _OK:
        raise FetchFailed(f"the file could not be had (status {reply.status})")
    if len(reply.body) > limit:
        raise FetchFailed(f"the file has more than the {limit} bytes that are allowed")
    return reply.body
