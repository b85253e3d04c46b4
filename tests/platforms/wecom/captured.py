"""Every kind of callback, in the shape of the vendor's own client's types."""

from collections.abc import Sequence

from serai.testing.platform.rig import Captured
from tests.platforms.wecom.peer import WecomPeer


def captured(peer: WecomPeer) -> Sequence[Captured]:
    """Each with a name."""
    picture = {"url": peer.url.replace("ws:", "http:") + "file/none", "aeskey": "ZmFrZQ"}
    base = peer.message("")
    base.pop("text")
    event = base | {"msgtype": "event"}

    def one(n: int, **parts: object) -> dict[str, object]:
        return base | {"msgid": f"captured-{n}"} | parts

    return [
        Captured("text", one(1, msgtype="text", text={"content": "hello"})),
        Captured("text in a group", peer.message("@Bot hello", chat="group-1", message="captured-2")),
        Captured("voice", one(3, msgtype="voice", voice={"content": "what was said"})),
        Captured("image", one(4, msgtype="image", image=picture)),
        Captured("file", one(5, msgtype="file", file=picture)),
        Captured("video", one(6, msgtype="video", video=picture)),
        Captured(
            "text and image",
            one(
                7,
                msgtype="mixed",
                mixed={
                    "msg_item": [
                        {"msgtype": "text", "text": {"content": "look"}},
                        {"msgtype": "image", "image": picture},
                    ]
                },
            ),
        ),
        Captured(
            "quote",
            one(8, msgtype="text", text={"content": "why?"}, quote={"msgtype": "text", "text": {"content": "so"}}),
        ),
        Captured("unknown kind", one(9, msgtype="location", location={"x": 1}), ignored=True),
        Captured("somebody opens the chat", event | {"event": {"eventtype": "enter_chat"}}, ignored=True),
        Captured("feedback", event | {"event": {"eventtype": "feedback_event"}}, ignored=True),
    ]
