"""Answers: where they stand, how they look, what is done about refusals."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from serai.core.delivery import Button, Enclosure
from serai.core.error import FetchFailed, SendPermanent, SendTemporary, SendUnknown
from serai.core.message import Attachment
from serai.testing import virtual_time
from tests.platforms.telegram.bot import Answer
from tests.platforms.telegram.rig import TOKEN
from tests.platforms.telegram.stage import Stage, running

GROUP = "-1002285219667"


@virtual_time
async def test_an_answer_stands_in_its_topic_and_names_the_message_in_groups_alone() -> None:
    async with running() as stage:
        send = stage.rig.platform.send
        await send(stage.delivery(chat=GROUP, thread_id="77", reply_to=("4", "5"), chat_type="group"))
        await send(stage.delivery(chat=GROUP, thread_id="1", chat_type="group"))
        await send(stage.delivery(chat="42", thread_id="12", reply_to=("5",)))
        await send(stage.delivery(chat=GROUP, reply_to=("$event:matrix",), chat_type="group"))
        assert [(p.thread, p.reply_to) for p in stage.bot.posted] == [(77, 5), (None, None), (12, None), (None, None)]
        reply = stage.bot.calls[-4].parameters["reply_parameters"]
        assert reply["allow_sending_without_reply"] is True


@virtual_time
async def test_markdown_is_shown_as_markup_and_no_link_is_fetched() -> None:
    async with running() as stage:
        await stage.rig.platform.send(stage.delivery("**hi** [there](https://example.org/?s=secret)"))
        call = stage.bot.calls[-1].parameters
        assert call["text"] == '<b>hi</b> <a href="https://example.org/?s=secret">there</a>'
        assert call["link_preview_options"] == {"is_disabled": True}
        assert stage.bot.posted[-1].text == "hi there"


@pytest.mark.parametrize("reason", ["can't parse entities: Unsupported start tag", "message text is empty"])
def test_refused_markup_is_sent_as_plain_text(reason: str) -> None:
    @virtual_time
    async def check() -> None:
        async with running() as stage:
            stage.bot.answers["sendmessage"] = [Answer(400, f"Bad Request: {reason}")]
            sent = await stage.rig.platform.send(stage.delivery("**hi**"))
            assert [posted.text for posted in stage.bot.posted] == ["**hi**"]
            stage.bot.answers["editmessagetext"] = [Answer(400, f"Bad Request: {reason}")]
            await stage.rig.platform.edit(replace(stage.delivery("**ho**"), remote_id=sent.remote_id))
            assert [posted.text for posted in stage.bot.posted] == ["**ho**"]

    check()


@virtual_time
async def test_a_group_that_became_a_supergroup_is_followed() -> None:
    async with running() as stage:
        stage.bot.moved["-55"] = int(GROUP)
        await stage.rig.platform.send(stage.delivery("one", chat="-55"))
        await stage.rig.platform.send(stage.delivery("two", chat="-55"))
        await stage.rig.platform.typing(stage.delivery(chat="-55").target, True)
        assert [(posted.chat, posted.text) for posted in stage.bot.posted] == [(GROUP, "one"), (GROUP, "two")]
        assert [call.parameters["chat_id"] for call in stage.bot.calls if call.method == "sendmessage"] == [
            "-55",
            GROUP,
            GROUP,
        ]


@virtual_time
async def test_typing_is_shown_in_the_topic_and_cannot_be_taken_back() -> None:
    async with running() as stage:
        for thread in (None, "1", "77"):
            await stage.rig.platform.typing(stage.delivery(chat=GROUP, thread_id=thread).target, True)
            await stage.rig.platform.typing(stage.delivery(chat=GROUP, thread_id=thread).target, False)
        assert stage.bot.typings == [(GROUP, None), (GROUP, 1), (GROUP, 77)]


@virtual_time
async def test_buttons_stand_two_in_a_row_and_an_edit_replaces_them() -> None:
    async with running() as stage:
        buttons = tuple(Button(label, f"v:{label}") for label in ("Once", "Session", "Always", "Deny"))
        sent = await stage.rig.platform.send(replace(stage.delivery("May I?"), buttons=buttons))
        keyboard = stage.bot.calls[-1].parameters["reply_markup"]["inline_keyboard"]
        assert [[key["text"] for key in row] for row in keyboard] == [["Once", "Session"], ["Always", "Deny"]]
        await stage.rig.platform.edit(replace(stage.delivery("Denied."), remote_id=sent.remote_id))
        assert (stage.bot.posted[-1].text, stage.bot.posted[-1].buttons) == ("Denied.", ())


@pytest.mark.parametrize("remote_id", [None, "$event", "99"])
def test_a_message_that_is_not_there_cannot_be_changed(remote_id: str | None) -> None:
    @virtual_time
    async def check() -> None:
        async with running() as stage:
            with pytest.raises(SendPermanent):
                await stage.rig.platform.edit(replace(stage.delivery(), remote_id=remote_id))

    check()


def enclosed(stage: Stage, path: Path, data: bytes, media_type: str, text: str = "see"):  # type: ignore[no-untyped-def]
    path.write_bytes(data)
    return replace(stage.delivery(text), enclosure=Enclosure(str(path), "it.bin", media_type))


@pytest.mark.parametrize(
    ("media_type", "data", "kind"),
    [
        ("application/pdf", b"%PDF", "document"),
        ("image/png", b"\x89PNG", "photo"),
        ("image/png", b"no photo: sides too long", "document"),
        ("image/svg+xml", b"<svg/>", "document"),
        ("image/jpeg", b"x" * 10_000_001, "document"),
    ],
)
def test_pictures_are_shown_and_all_else_is_a_file(tmp_path: Path, media_type: str, data: bytes, kind: str) -> None:
    @virtual_time
    async def check() -> None:
        async with running() as stage:
            await stage.rig.platform.send(enclosed(stage, tmp_path / "f", data, media_type, "**see**"))
            (posted,) = stage.bot.posted
            assert (posted.kind, posted.file, posted.file_name, posted.text) == (kind, data, "it.bin", "see")

    check()


@virtual_time
async def test_a_file_that_cannot_be_sent_is_refused() -> None:
    async with running() as stage:
        gone = replace(stage.delivery(), enclosure=Enclosure("/nowhere/a", "a.txt", "text/plain"))
        with pytest.raises(SendPermanent, match=r"a\.txt"):
            await stage.rig.platform.send(gone)
        with pytest.raises(SendPermanent, match=r"a\.txt"):
            await stage.rig.platform.send(replace(gone, text="x" * 1025))
        assert not stage.bot.posted


def test_a_text_that_is_too_long_for_a_caption_stands_above_the_file(tmp_path: Path) -> None:
    @virtual_time
    async def check() -> None:
        async with running() as stage:
            delivery = enclosed(stage, tmp_path / "f", b"%PDF", "application/pdf", "x" * 1025)
            sent = await stage.rig.platform.send(delivery)
            above, below = stage.bot.posted
            assert (above.text, above.file, below.text, below.file) == ("x" * 1025, None, "", b"%PDF")
            assert sent.remote_id == str(below.message)
            await stage.rig.platform.send(enclosed(stage, tmp_path / "f", b"%PDF", "application/pdf", "x" * 1024))
            assert stage.bot.posted[-1].text == "x" * 1024
            stage.bot.answers["senddocument"] = [Answer(429, "", {"retry_after": 3})]
            with pytest.raises(SendUnknown, match="the text was sent"):
                await stage.rig.platform.send(delivery)

    check()


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after"),
    [
        (Answer(429, "Too Many Requests", {"retry_after": 3}), SendTemporary, 3.0),
        (Answer(429, raw=b"<html>"), SendTemporary, None),
        (Answer(401, "Unauthorized"), SendTemporary, None),
        (Answer(500, "Internal Server Error"), SendTemporary, None),
        (Answer(403, raw=b"<html>a proxy</html>"), SendTemporary, None),
        (Answer(504, raw=b"<html>"), SendUnknown, None),
        (Answer(200, raw=b"<html>a captive portal</html>"), SendUnknown, None),
        (Answer(413, raw=b"<html>"), SendPermanent, None),
        (Answer(307, raw=b"", location=f"/bot{TOKEN}/getMe"), SendTemporary, None),
        (Answer(400, "Bad Request: chat not found"), SendPermanent, None),
        (Answer(403, "Forbidden: bot was kicked from the group chat"), SendPermanent, None),
    ],
    ids=lambda value: str(value) if isinstance(value, Answer) else "",
)
def test_refusals_are_told_by_their_kind(answer: Answer, kind: type[Exception], retry_after: float | None) -> None:
    @virtual_time
    async def check() -> None:
        async with running() as stage:
            stage.bot.answers["sendmessage"] = [answer]
            with pytest.raises(kind) as raised:
                await stage.rig.platform.send(stage.delivery())
            assert getattr(raised.value, "retry_after", None) == retry_after
            assert raised.value.__cause__ is None

    check()


@virtual_time
async def test_what_the_library_makes_of_a_fault_is_not_repeated() -> None:
    async with running() as stage:
        stage.bot.answers["sendmessage"] = [Answer(418, "private words")]
        with pytest.raises(SendUnknown) as raised:
            await stage.rig.platform.send(stage.delivery())
        assert "private" not in str(raised.value)
        await stage.rig.session.close()
        with pytest.raises(SendTemporary):
            await stage.rig.platform.send(stage.delivery())


@virtual_time
async def test_half_a_surrogate_pair_is_refused() -> None:
    async with running() as stage:
        with pytest.raises(SendPermanent, match="surrogate"):
            await stage.rig.platform.send(stage.delivery("a\ud83d"))


@virtual_time
async def test_files_that_cannot_be_had_are_explained() -> None:
    async with running() as stage:
        fetch = stage.rig.platform.fetch
        stage.bot.files["large"] = bytes(20_000_001)
        with pytest.raises(FetchFailed, match="20 MB"):
            await fetch(Attachment(ref="large"), 50_000_000)
        with pytest.raises(FetchFailed, match="Wrong file_id"):
            await fetch(Attachment(ref="gone"), 10)
        with pytest.raises(FetchFailed, match="did not come"):
            await fetch(Attachment(url="https://example.org/a"), 10)
        with pytest.raises(FetchFailed, match="at most 5"):
            await fetch(Attachment(ref="large", size=6), 5)
        asked = [call.method for call in stage.bot.calls].count("getfile")
        assert asked == 2


@virtual_time
async def test_a_file_is_not_read_beyond_the_limit_whatever_its_size_was_said_to_be() -> None:
    async with running() as stage:
        stage.bot.files["f"] = bytes(200_000)
        told = b'{"ok": true, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "a/f"}}'
        stage.bot.answers["getfile"] = [Answer(200, raw=told), Answer(200, raw=told.replace(b"a/f", b"a/gone"))]
        with pytest.raises(FetchFailed, match="at most 100000"):
            await stage.rig.platform.fetch(Attachment(ref="f"), 100_000)
        with pytest.raises(FetchFailed, match="404"):
            await stage.rig.platform.fetch(Attachment(ref="f"), 100_000)


@virtual_time
async def test_sending_goes_on_while_receiving_has_ended() -> None:
    async with running() as stage:
        stage.running.cancel()
        await asyncio.wait({stage.running})
        await stage.rig.platform.send(stage.delivery("late"))
        assert stage.bot.posted[-1].text == "late"
