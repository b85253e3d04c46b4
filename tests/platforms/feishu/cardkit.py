"""Card entities of the fake platform (CardKit API v1)."""

from typing import Any, Final

from tests.platforms.feishu import shape
from tests.platforms.feishu.call import ApiError, Call
from tests.platforms.feishu.state import AppState, CardEntity, World

_ANSWER: Final = "answer"


class CardKit:
    """The calls that make and change cards."""

    def __init__(self, world: World) -> None:
        self._world = world
        card = "cardkit/v1/cards"
        self.routes = {
            ("POST", card): self.new_card,
            ("PUT", f"{card}/*"): self.full_card,
            ("POST", f"{card}/id_convert"): self.convert,
            ("PUT", f"{card}/*/elements/*/content"): self.content,
            ("PATCH", f"{card}/*/settings"): self.settings,
        }

    def new_card(self, call: Call) -> Any:
        if "cardkit:card:write" not in call.app.scopes:
            raise ApiError(99991672)
        card = shape.read_card(shape.read(call.body, shape.NewCard).data)
        card_id = f"73{next(self._world.numbers):016d}"
        self._world.cards[card_id] = CardEntity(call.app.app_id, card.text, card.config.streaming_mode)
        return {"code": 0, "msg": "success", "data": {"card_id": card_id}}

    def card(self, app: AppState, card_id: str) -> CardEntity:
        entity = self._world.cards.get(card_id)
        if entity is None:
            raise ApiError(200740)
        if entity.app_id != app.app_id:
            raise ApiError(300311)
        return entity

    def _change(self, call: Call, sequence: int) -> CardEntity:
        entity = self.card(call.app, call.parts[0])
        if sequence <= entity.sequence:
            raise ApiError(300317)
        entity.sequence = sequence
        return entity

    def content(self, call: Call) -> Any:
        body = shape.read(call.body, shape.Content)
        if call.parts[1] != _ANSWER:
            raise ApiError(300313)
        if not self.card(call.app, call.parts[0]).streaming:
            raise ApiError(300309)
        return self._show(self._change(call, body.sequence), body.content)

    def full_card(self, call: Call) -> Any:
        body = shape.read(call.body, shape.FullCard)
        card = shape.read_card(body.card.data)
        entity = self._change(call, body.sequence)
        entity.streaming = card.config.streaming_mode
        return self._show(entity, card.text)

    def _show(self, entity: CardEntity, text: str) -> Any:
        entity.text = text
        entity.writes.append(text)
        posted = self._world.message(entity.message_id or "")
        if posted is not None:
            posted.text = text
            posted.edits += 1
        return {"code": 0, "msg": "success", "data": {}}

    def settings(self, call: Call) -> Any:
        body = shape.read(call.body, shape.Settings)
        config = shape.read(body.settings, dict[str, shape.Config])["config"] if body.settings else None
        entity = self._change(call, body.sequence)
        if config is not None:
            entity.streaming = config.streaming_mode
            entity.summaries += [config.summary.content] if config.summary else []
        return {"code": 0, "msg": "success", "data": {}}

    def convert(self, call: Call) -> Any:
        body = shape.read(call.body, shape.Convert)
        posted = self._world.message(body.message_id)
        if posted is None or not posted.card_id:
            raise ApiError(200740)
        return {"code": 0, "msg": "success", "data": {"card_id": posted.card_id}}
