"""The API of the fake platform: each call is checked against its documentation, then done."""

import asyncio
import json
from typing import Any, Final

from tests.platforms.feishu import shape
from tests.platforms.feishu.call import ApiError, Blob, Call
from tests.platforms.feishu.cardkit import CardKit
from tests.platforms.feishu.state import AppState, Posted, World

_HOUR: Final = 3600.0
_EDITS: Final = 20


class Rest:
    """The calls, by method and path; `*` stands for an id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kit = CardKit(world)
        im = "im/v1/messages"
        self.routes = {
            ("GET", "bot/v3/info"): self.bot,
            ("POST", im): self.create,
            ("GET", im): self.list,
            ("POST", f"{im}/*/reply"): self.reply,
            ("GET", f"{im}/*"): self.get,
            ("PUT", f"{im}/*"): self.update,
            ("PATCH", f"{im}/*"): self.patch,
            ("POST", f"{im}/*/reactions"): self.react,
            ("DELETE", f"{im}/*/reactions/*"): self.unreact,
            ("GET", f"{im}/*/resources/*"): self.resource,
            ("POST", "im/v1/images"): self.image,
            ("POST", "im/v1/files"): self.file,
            ("GET", "im/v1/chats/*"): self.chat,
            ("GET", "contact/v3/users/*"): self.user,
            ("GET", "application/v6/scopes"): self.scopes,
            **self._kit.routes,
        }

    def bot(self, call: Call) -> Any:
        app = call.app
        bot = {
            "activate_status": 2 if app.in_use else 0,
            "app_name": app.name,
            "avatar_url": "",
            "ip_white_list": [],
            "open_id": app.bot_open_id,
        }
        return {"code": 0, "msg": "ok", "bot": bot}

    def create(self, call: Call) -> Any:
        body = shape.read(call.body, shape.Create)
        id_type = call.query.get("receive_id_type")
        if id_type not in ("chat_id", "open_id", "union_id"):
            raise shape.Violation(f"receive_id_type {id_type}")
        shape.check_size(body.msg_type, call.body)
        return self._post(call.app, body, Posted("", call.app.app_id, body.receive_id, body.msg_type))

    def reply(self, call: Call) -> Any:
        body = shape.read(call.body, shape.Reply)
        shape.check_size(body.msg_type, call.body)
        (anchor,) = call.parts
        place = self._world.place(anchor)
        if place is None:
            raise ApiError(230011)
        thread = place.thread or (f"omt_{anchor}" if body.reply_in_thread else None)
        return self._post(
            call.app, body, Posted("", call.app.app_id, place.chat, body.msg_type, reply_to=(anchor,), thread=thread)
        )

    def _post(self, app: AppState, body: Any, posted: Posted) -> Any:
        """Sends a message once; under a key that was used within an hour, the first one is answered."""
        now = asyncio.get_running_loop().time()
        if body.uuid is not None:
            used = self._world.keys.get((app.app_id, body.uuid))
            if used is not None and now - used[0] < _HOUR:
                return self._sent(used[1])
        self._fill(app, posted, body.msg_type, body.content)
        posted.message_id = f"om_{next(self._world.numbers):032x}"
        if posted.card_id:
            self._world.cards[posted.card_id].message_id = posted.message_id
        self._world.posted.append(posted)
        if body.uuid is not None:
            self._world.keys[app.app_id, body.uuid] = (now, posted.message_id)
        return self._sent(posted.message_id)

    def _sent(self, message_id: str) -> Any:
        posted = self._world.message(message_id)
        assert posted is not None
        data = {"message_id": message_id, "chat_id": posted.chat, "msg_type": posted.kind, "deleted": False}
        return {"code": 0, "msg": "success", "data": data | ({"thread_id": posted.thread} if posted.thread else {})}

    def _fill(self, app: AppState, posted: Posted, kind: str, content: str) -> None:
        """What people see of a content."""
        if kind == "text":
            posted.text = json.loads(content)["text"]
        elif kind == "post":
            posted.text = shape.post_text(content)
            for line in json.loads(content)["zh_cn"]["content"]:
                for node in line:
                    posted.enclosure = self._file(node["image_key"]) if node["tag"] == "img" else posted.enclosure
        elif kind == "interactive":
            self._fill_card(app, posted, content)
        else:
            posted.enclosure = self._file(json.loads(content)["image_key" if kind == "image" else "file_key"])

    def _fill_card(self, app: AppState, posted: Posted, content: str) -> None:
        document = json.loads(content)
        if document.get("type") == "card":
            entity = self._kit.card(app, document["data"]["card_id"])
            if entity.message_id is not None:
                raise ApiError(230099)
            posted.card_id, posted.text = document["data"]["card_id"], entity.text
            return
        card = shape.read_card(content)
        posted.text = card.text
        posted.buttons = [(button.text.content, button.behaviors[0].value) for button in card.buttons]

    def _file(self, key: str) -> bytes:
        if key not in self._world.files:
            raise shape.Violation(f"no file {key}")
        return self._world.files[key]

    def _own(self, call: Call) -> Posted:
        posted = self._world.message(call.parts[0])
        if posted is None:
            raise ApiError(230011)
        if posted.app_id != call.app.app_id:
            raise ApiError(230017)
        return posted

    def update(self, call: Call) -> Any:
        body, posted = shape.read(call.body, shape.Update), self._own(call)
        shape.check_size(body.msg_type, call.body)
        if posted.kind not in ("text", "post"):
            raise ApiError(230054)
        if posted.edits >= _EDITS:
            raise ApiError(230072)
        self._fill(call.app, posted, body.msg_type, body.content)
        posted.edits += 1
        return self._sent(posted.message_id)

    def patch(self, call: Call) -> Any:
        body, posted = shape.read(call.body, shape.Patch), self._own(call)
        if posted.kind != "interactive" or posted.card_id:
            raise ApiError(230054)
        self._fill(call.app, posted, "interactive", body.content)
        posted.edits += 1
        return {"code": 0, "msg": "success", "data": {}}

    def list(self, call: Call) -> Any:
        kind, place = call.query.get("container_id_type"), call.query.get("container_id")
        order = call.query.get("sort_type")
        if kind not in ("chat", "thread") or order not in ("ByCreateTimeAsc", "ByCreateTimeDesc"):
            raise shape.Violation(f"list of {dict(call.query)}")
        here = [
            id_ for id_, said in self._world.said.items() if (said.chat if kind == "chat" else said.thread) == place
        ]
        here = here if order == "ByCreateTimeAsc" else here[::-1]
        items = [self._item(message) for message in here[: int(call.query.get("page_size", "20"))]]
        return {"code": 0, "msg": "success", "data": {"has_more": len(here) > len(items), "items": items}}

    def get(self, call: Call) -> Any:
        if self._world.place(call.parts[0]) is None:
            raise ApiError(230011)
        return {"code": 0, "msg": "success", "data": {"items": [self._item(call.parts[0])]}}

    def _item(self, message: str) -> Any:
        place = self._world.place(message)
        assert place is not None
        bot = place.author.startswith("cli_")
        sender = {
            "id": place.author,
            "id_type": "app_id" if bot else "open_id",
            "sender_type": "app" if bot else "user",
        }
        return {"message_id": message, "chat_id": place.chat, "sender": sender, "msg_type": "text"}

    def react(self, call: Call) -> Any:
        shape.read(call.body, shape.Reaction)
        place = self._world.place(call.parts[0])
        if place is None:
            raise ApiError(231003)
        reaction = f"r{next(self._world.numbers)}"
        self._world.reactions[reaction] = (call.parts[0], place.chat)
        self._world.typings.append((place.chat, True))
        return {
            "code": 0,
            "msg": "success",
            "data": {"reaction_id": reaction, "reaction_type": {"emoji_type": "Typing"}},
        }

    def unreact(self, call: Call) -> Any:
        message, chat = self._world.reactions.pop(call.parts[1], ("", ""))
        if message != call.parts[0]:
            raise ApiError(231007)
        self._world.typings.append((chat, False))
        return {"code": 0, "msg": "success", "data": {}}

    def resource(self, call: Call) -> Any:
        message, key = call.parts
        if call.query.get("type") not in ("image", "file"):
            raise shape.Violation(f"resource of {dict(call.query)}")
        if self._world.place(message) is None or key not in self._world.files:
            raise ApiError(234003)
        return Blob(self._world.files[key])

    def image(self, call: Call) -> Any:
        if set(call.form) != {"image_type", "image"} or call.form["image_type"] != "message":
            raise shape.Violation(f"an image of {sorted(call.form)}")
        return self._stored("image_key", "img", call.form["image"], 10 * 1024 * 1024)

    def file(self, call: Call) -> Any:
        kinds = ("opus", "mp4", "pdf", "doc", "xls", "ppt", "stream")
        if set(call.form) != {"file_type", "file_name", "file"} or call.form["file_type"] not in kinds:
            raise shape.Violation(f"a file of {sorted(call.form)}")
        return self._stored("file_key", "file", call.form["file"], 30 * 1024 * 1024)

    def _stored(self, name: str, prefix: str, data: bytes, limit: int) -> Any:
        if not 0 < len(data) <= limit:
            raise ApiError(234006)
        key = f"{prefix}_v3_{next(self._world.numbers):08x}"
        self._world.files[key] = data
        return {"code": 0, "msg": "success", "data": {name: key}}

    def chat(self, call: Call) -> Any:
        if call.parts[0] not in self._world.chats:
            raise ApiError(232006)
        return {"code": 0, "msg": "success", "data": {"name": self._world.chats[call.parts[0]]}}

    def user(self, call: Call) -> Any:
        if call.query.get("user_id_type") != "open_id":
            raise shape.Violation(f"user by {dict(call.query)}")
        if call.parts[0] not in self._world.users:
            raise ApiError(41050)
        return {"code": 0, "msg": "success", "data": {"user": {"name": self._world.users[call.parts[0]]}}}

    def scopes(self, call: Call) -> Any:
        scopes = [{"scope_name": name, "grant_status": 1, "scope_type": "tenant"} for name in sorted(call.app.scopes)]
        return {"code": 0, "msg": "success", "data": {"scopes": scopes}}
