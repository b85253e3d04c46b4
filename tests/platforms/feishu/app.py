"""One app at the fake platform: what its people do, and what becomes of it."""

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any, Final

from serai.testing.platform.rig import Sever
from tests.platforms.feishu.pbbp2 import google_frame
from tests.platforms.feishu.state import AppState

if TYPE_CHECKING:
    from tests.platforms.feishu.peer import FeishuPeer

_ACK_SECONDS: Final = 3.0


class App:
    """One app at the platform, and its people's side."""

    def __init__(self, peer: "FeishuPeer", state: AppState) -> None:
        self._peer = peer
        self.state = state
        self.app_id = state.app_id

    async def says(self, text: str, chat: str = "oc_1", user: str = "ou_42", **more: Any) -> bool:
        """A person writes; whether the client told that it took it within 3 s."""
        return await self.push(self.message(text, chat=chat, user=user, **more))

    def message(self, text: str, **more: Any) -> dict[str, Any]:
        """The event of a text."""
        return self.event("text", {"text": text}, **more)

    def event(
        self,
        kind: str,
        content: dict[str, Any],
        *,
        chat: str = "oc_1",
        user: str = "ou_42",
        message: str | None = None,
        chat_type: str = "p2p",
        sender_type: str = "user",
        union: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """The event of a message; `fields` are more of the message's own."""
        number = next(self._peer.world.numbers)
        ids = {"open_id": user} | ({"union_id": union} if union else {})
        said = {
            "message_id": message if message is not None else f"om_said{number}",
            "create_time": "1609073151345",
            "chat_id": chat,
            "chat_type": chat_type,
            "message_type": kind,
            "content": json.dumps(content),
        }
        sender = {"sender_id": ids, "sender_type": sender_type, "tenant_key": "736588c9260f175d"}
        return self.envelope("im.message.receive_v1", {"sender": sender, "message": said | fields})

    def envelope(self, event_type: str, event: dict[str, Any]) -> dict[str, Any]:
        """An event of schema 2.0."""
        header = {
            "event_id": f"ev{next(self._peer.world.numbers)}",
            "event_type": event_type,
            "create_time": "1608725989000",
            "token": "fake-verification-token",
            "app_id": self.app_id,
            "tenant_key": "736588c9260f175d",
        }
        return {"schema": "2.0", "header": header, "event": event}

    async def push(self, event: dict[str, Any], *, kind: str = "event", pieces: int = 1) -> bool:
        """Sends an event to the client; whether it answered with code 200 within 3 s."""
        answer = await self.answer(event, kind=kind, pieces=pieces)
        return answer is not None and answer["code"] == 200

    async def insist(self, event: dict[str, Any], every_s: float = 15.0) -> None:
        """Sends an event again and again until the client takes it, as the platform does for hours."""
        while not await self.push(event):
            await asyncio.sleep(every_s)

    async def answer(self, event: Any, *, kind: str = "event", pieces: int = 1) -> dict[str, Any] | None:
        """The client's answer to an event: code, and data where a callback is answered; None where there is none."""
        self._peer.learn(event)
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        line = next((line for line in reversed(self.state.lines) if line.is_open), None)
        if line is None:
            return None
        frame_id = f"frame{next(self._peer.world.numbers)}"
        acked = self.state.acks[frame_id] = asyncio.get_running_loop().create_future()
        for place, piece in enumerate(_cut(payload, pieces)):
            headers = {"type": kind, "message_id": frame_id, "sum": str(pieces), "seq": str(place), "trace_id": "t1"}
            await line.socket.send_bytes(google_frame(1, headers, piece, service=33).SerializeToString())
        try:
            async with asyncio.timeout(_ACK_SECONDS):
                answer = await acked
        except TimeoutError:
            return None
        finally:
            del self.state.acks[frame_id]
        if "data" in answer:
            answer["data"] = json.loads(base64.b64decode(answer["data"]))
        return answer

    def frame(self, payload: bytes) -> bytes:
        """The frame of an event of any content."""
        name = f"frame{next(self._peer.world.numbers)}"
        headers = {"type": "event", "message_id": name, "sum": "1", "seq": "0", "trace_id": "t1"}
        return bytes(google_frame(1, headers, payload, service=33).SerializeToString())

    async def garble(self, data: bytes) -> None:
        """A frame of any bytes."""
        line = next(line for line in reversed(self.state.lines) if line.is_open)
        await line.socket.send_bytes(data)

    async def press(self, label: str, user: str = "42") -> dict[str, Any] | None:
        """Somebody presses a button of the last message that has one of that label; the client's answer."""
        found = [
            (posted, value)
            for posted in self._peer.world.posted
            for name, value in posted.buttons
            if name == label and posted.app_id == self.app_id
        ]
        posted, value = found[-1]
        event = {
            "operator": {"open_id": user, "tenant_key": "736588c9260f175d"},
            "token": "c-fake",
            "action": {"tag": "button", "value": value, "timezone": "Asia/Shanghai"},
            "host": "im_message",
            "context": {"open_message_id": posted.message_id, "open_chat_id": posted.chat},
        }
        return await self.answer(self.envelope("card.action.trigger", event))

    async def sever(self, how: Sever) -> None:
        """Ends the client's connections."""
        self.state.ready.clear()
        for line in self.state.lines:
            if how == "silent":
                line.deaf = True
            elif how == "cut":
                line.transport.abort()
            else:
                await line.socket.close(code=1000 if how == "closed_1000" else 1001)

    async def revoke(self) -> None:
        """The secret and the tokens are no longer good, and the connection ends."""
        self.state.secret = "fake-other-secret"
        self.state.tokens.clear()
        await self.sever("closed_1000")


def _cut(payload: bytes, pieces: int) -> list[bytes]:
    size = -(-len(payload) // pieces)
    return [payload[place * size : (place + 1) * size] for place in range(pieces)]
