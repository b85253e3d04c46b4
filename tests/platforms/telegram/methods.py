"""What the peer does for each method of the Bot API, with the bounds that the models do not know."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from tests.platforms.telegram.bot import Answer, FakeBot, Posted
from tests.platforms.telegram.visible import Unparsable, read

Uploads = dict[str, tuple[str | None, bytes]]
"""File name and content, by the parameter."""


class Refuse(Exception):
    """The call is refused with `answer`."""

    def __init__(self, description: str, status: int = 400, **parameters: Any) -> None:
        super().__init__(description)
        self.answer = Answer(status, description, parameters)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _visible(text: str, mode: str | None, limit: int, what: str) -> str:
    """What people read of a text. It is measured without its markup."""
    if mode not in (None, "HTML"):
        raise Refuse(f"Bad Request: the driver is supposed to send HTML, not {mode}")
    try:
        visible = read(text) if mode else text
    except Unparsable as error:
        raise Refuse(f"Bad Request: can't parse entities: {error}") from None
    if _units(visible) > limit:
        raise Refuse(f"Bad Request: {what} is too long")
    return visible


def _buttons(markup: Any) -> tuple[tuple[str, str], ...]:
    keys = [key for row in (markup or {}).get("inline_keyboard", ()) for key in row]
    if any(not 1 <= len(key["callback_data"].encode()) <= 64 for key in keys):
        raise Refuse("Bad Request: BUTTON_DATA_INVALID")
    return tuple((key["text"], key["callback_data"]) for key in keys)


def _chat(bot: FakeBot, parameters: dict[str, Any]) -> str:
    chat = str(parameters["chat_id"])
    if chat in bot.moved:
        raise Refuse("Bad Request: group chat was upgraded", migrate_to_chat_id=bot.moved[chat])
    return chat


def _posted(bot: FakeBot, parameters: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    if parameters.get("message_thread_id") == 1:
        raise Refuse("Bad Request: message thread not found")
    posted = bot.post(
        Posted(
            _chat(bot, parameters),
            0,
            text,
            (parameters.get("reply_parameters") or {}).get("message_id"),
            parameters.get("message_thread_id"),
            _buttons(parameters.get("reply_markup")),
            **more,
        )
    )
    return _message(bot, posted)


def _message(bot: FakeBot, posted: Posted) -> dict[str, Any]:
    chat = {"id": int(posted.chat), "type": "private" if int(posted.chat) > 0 else "supergroup"}
    return {"message_id": posted.message, "date": 1_700_000_000, "chat": chat, "from": bot.user, "text": posted.text}


def _send_message(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
    text = _visible(parameters["text"], parameters.get("parse_mode"), 4096, "message")
    if not text.strip():
        raise Refuse("Bad Request: message text is empty")
    return _posted(bot, parameters, text)


def _edit(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
    chat = _chat(bot, parameters)
    text = _visible(parameters["text"], parameters.get("parse_mode"), 4096, "message")
    for index, posted in enumerate(bot.posted):
        if (posted.chat, posted.message) == (chat, parameters["message_id"]):
            buttons = _buttons(parameters.get("reply_markup"))
            if (posted.text, posted.buttons) == (text, buttons):
                raise Refuse("Bad Request: message is not modified: specified new message content is the same")
            bot.posted[index] = replace(posted, text=text, buttons=buttons, edits=posted.edits + 1)
            return _message(bot, bot.posted[index])
    raise Refuse("Bad Request: message to edit not found")


def _send_file(kind: str) -> Callable[[FakeBot, dict[str, Any], Uploads], Any]:
    def send(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
        name, data = uploads[kind]
        text = _visible(parameters.get("caption", ""), parameters.get("parse_mode"), 1024, "caption")
        if kind == "photo" and data.startswith(b"no photo"):
            raise Refuse("Bad Request: PHOTO_INVALID_DIMENSIONS")
        return _posted(bot, parameters, text, file=data, file_name=name, kind=kind)

    return send


def _typing(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
    bot.typings.append((_chat(bot, parameters), parameters.get("message_thread_id")))
    return True


def _answer(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
    text = parameters.get("text")
    if text is not None and len(text) > 200:
        raise Refuse("Bad Request: MESSAGE_TOO_LONG")
    bot.answered[parameters["callback_query_id"]] = text
    return True


def _get_file(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
    name = parameters["file_id"]
    if name not in bot.files:
        raise Refuse("Bad Request: wrong file_id or the file is temporarily unavailable")
    size = len(bot.files[name])
    if size > 20_000_000:
        raise Refuse("Bad Request: file is too big")
    return {"file_id": name, "file_unique_id": f"u{name}", "file_size": size, "file_path": f"documents/{name}"}


def _get_webhook_info(bot: FakeBot, parameters: dict[str, Any], uploads: Uploads) -> Any:
    return {"url": bot.webhook, "has_custom_certificate": False, "pending_update_count": 0}


METHODS: Final[Mapping[str, Callable[[FakeBot, dict[str, Any], Uploads], Any]]] = {
    "answercallbackquery": _answer,
    "editmessagetext": _edit,
    "getfile": _get_file,
    "getme": lambda bot, parameters, uploads: bot.user,
    "getwebhookinfo": _get_webhook_info,
    "sendchataction": _typing,
    "senddocument": _send_file("document"),
    "sendmessage": _send_message,
    "sendphoto": _send_file("photo"),
}
