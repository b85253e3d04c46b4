"""The peer is honest: its contract is aiogram's, aiogram's own bot can work with it, and it refuses the rest."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platforms.telegram.bot import Posted
from tests.platforms.telegram.contract import FILE, Breach, checked, checked_update
from tests.platforms.telegram.peer import TelegramPeer, person, place

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_the_contract_is_what_aiogram_says() -> None:
    command = [sys.executable, "-m", "tests.platforms.telegram.contract"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(FILE.read_text())


CLIENT = """
import asyncio, sys
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

async def main(url, token):
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    me = await bot.get_me()
    told = []
    while len(told) < 4:
        told += await bot.get_updates(offset=told[-1].update_id + 1 if told else None, timeout=5)
    await bot.get_updates(offset=told[-1].update_id + 1, timeout=0)
    words = [update.message.text or update.message.document.file_name for update in told[:2]]
    words += [told[2].edited_message.text, told[3].callback_query.data]
    await bot.answer_callback_query(told[3].callback_query.id, text="noted")
    file = await bot.get_file(told[1].message.document.file_id)
    content = (await bot.download_file(file.file_path)).read().decode()
    key = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]])
    await bot.send_chat_action(42, "typing")
    sent = await bot.send_message(
        42, "<b>hi</b>", parse_mode="HTML", reply_markup=key, reply_parameters=ReplyParameters(message_id=7)
    )
    await bot.edit_message_text("<i>ho</i>", chat_id=42, message_id=sent.message_id, parse_mode="HTML")
    await bot.send_document(42, BufferedInputFile(b"data", "a.txt"), caption="see")
    await bot.send_photo(42, BufferedInputFile(b"data", "a.png"))
    assert not (await bot.get_webhook_info()).url
    await bot.session.close()
    print(me.username, *words, content)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
async def test_another_client_library_can_work_with_the_peer() -> None:
    async with TelegramPeer() as peer:
        bot = peer.bot("7:fake-token", "serai_bot")
        bot.files["F1"] = b"content"
        document = {"file_id": "F1", "file_unique_id": "U1", "file_name": "plan.txt", "mime_type": "text/plain"}
        bot.offer(peer.says("hello"))
        bot.offer({"message": peer.message(document=document)})
        bot.offer({"edited_message": peer.message(text="hello!", edit_date=5)})
        held = peer.message(text="May I?")
        query = {"id": "q", "from": person("42"), "chat_instance": "1", "message": held, "data": "yes"}
        bot.offer({"callback_query": query})
        command = [sys.executable, "-c", CLIENT, peer.url, bot.token]
        client = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        out, _ = await client.communicate()
        assert out.decode().split() == ["serai_bot", "hello", "plan.txt", "hello!", "yes", "content"]
        assert not bot.pending
        assert bot.answered == {"q": "noted"}
        assert bot.posted[0] == Posted("42", 5001, "ho", 7, edits=1)
        assert [(posted.kind, posted.file) for posted in bot.posted[1:]] == [
            ("document", b"data"),
            ("photo", b"data"),
        ]


@pytest.mark.parametrize(
    ("method", "form"),
    [
        ("sendMessage", {"chat_id": "1"}),
        ("sendMessage", {"chat_id": "1", "text": "x", "unheard_of": "1"}),
        ("sendMessage", {"chat_id": "1", "text": "x", "message_thread_id": "one"}),
        ("sendMessage", {"chat_id": "1", "text": "x", "reply_markup": '{"inline_keyboard": [[{"txt": "a"}]]}'}),
        ("getUpdates", {"offset": "soon"}),
        ("deleteWebhook", {}),
        ("noMethod", {}),
    ],
)
def test_a_request_that_the_bot_api_does_not_know_is_a_breach(method: str, form: dict[str, str]) -> None:
    with pytest.raises(Breach):
        checked(method, form)


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"update_id": "1"},
        {"update_id": 1, "unheard_of": {}},
        {"update_id": 1, "message": {"message_id": 1, "date": 1}},
        {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": place("1"), "txt": "x"}},
    ],
)
def test_an_update_that_telegram_would_not_send_is_a_breach(update: dict[str, object]) -> None:
    with pytest.raises(Breach):
        checked_update(update)


def test_nested_parameters_are_decoded_and_names_come_in_any_case() -> None:
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    form = {"chat_id": "1", "text": "5", "reply_markup": json.dumps(keyboard), "message_thread_id": "7"}
    assert checked("SENDmessage", form) == {
        "chat_id": "1",
        "text": "5",
        "reply_markup": keyboard,
        "message_thread_id": 7,
    }
