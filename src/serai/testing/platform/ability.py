"""What a driver must do that declares more than receiving and sending text; skipped where it does not declare it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from serai.core.delivery import Button, Delivery, Enclosure
from serai.core.error import FetchFailed, Refused, SendFailed, SendPermanent
from serai.core.message import Attachment
from serai.ports.platform import Fetching, Growing, Typing
from serai.testing.platform.rig import ButtonRig, FileRig, TypingRig, Utterance
from serai.testing.platform.stage import Stage, filled
from serai.testing.platform.staged import Staged, on_loop, played

_DATA: Final = bytes(range(256)) * 40
_NAME: Final = "plan.bin"
_TYPE: Final = "application/octet-stream"
_ALLOW: Final = Button("Allow", "a:" + "x" * 58)
_DENY: Final = Button("Deny", "d:~!@|/%3A'\"")


class PlatformAbilityContract(Staged):
    """Growing answers, typing, buttons, files."""

    @on_loop
    async def test_it_has_the_methods_of_what_it_declares(self) -> None:
        async with self.rig() as rig:
            platform, capabilities = rig.platform, rig.platform.capabilities
            assert capabilities.growth is None or isinstance(platform, Growing), "it has no edit"
            assert capabilities.typing_s is None or isinstance(platform, Typing), "it has no typing"
            assert not capabilities.fetches or isinstance(platform, Fetching), "it has no fetch"
            assert not capabilities.exclusive or capabilities.silence_s, "it has no connection to be exclusive"

    @on_loop
    async def test_an_answer_that_grows_is_one_message_with_the_final_text(self) -> None:
        async with self.stage() as stage:
            opened = await _opened(stage, "On")
            for text in ("Once upon", "Once upon a time"):
                await _edit(stage, replace(opened, text=text))
            await _edit(stage, replace(opened, text="The end.", state="sending"))
            assert [seen.text for seen in stage.rig.seen] == ["The end."]

    @on_loop
    async def test_a_grown_text_of_exactly_the_limit_arrives_whole(self) -> None:
        async with self.stage() as stage:
            text = filled(stage.rig.platform.capabilities)
            await _edit(stage, replace(await _opened(stage), text=text, state="sending"))
            assert [seen.text for seen in stage.rig.seen] == [text]

    @on_loop
    async def test_a_grown_text_over_the_limit_is_refused_and_never_cut(self) -> None:
        async with self.stage() as stage:
            opened = await _opened(stage, "short")
            text = filled(stage.rig.platform.capabilities) + "x"
            error = await _failure(stage, replace(opened, text=text))
            assert isinstance(error, SendPermanent), f"got {error!r}"
            assert [seen.text for seen in stage.rig.seen] == ["short"], "a part of it was sent"

    @on_loop
    async def test_an_edit_that_changes_nothing_is_no_error(self) -> None:
        async with self.stage() as stage:
            opened = await _opened(stage, "the same")
            await _edit(stage, opened)
            await _edit(stage, replace(opened, state="sending"))
            assert [seen.text for seen in stage.rig.seen] == ["the same"]

    @on_loop
    async def test_ids_of_grown_messages_are_left_as_they_are(self) -> None:
        async with self.stage() as stage:
            for name in stage.rig.ids:
                opened = await _opened(stage, chat=name)
                await _edit(stage, replace(opened, text=f"to {name}", state="sending"))
                seen = stage.rig.seen[-1]
                assert (seen.chat, seen.text) == (name, f"to {name}"), f"{name!r} became {seen.chat!r}"

    @on_loop
    async def test_typing_is_shown_in_its_chat(self) -> None:
        async with self.stage() as stage:
            declared = stage.rig.platform.capabilities.typing_s is not None
            rig = played(stage.rig, TypingRig, declared=declared, ability="typing")  # type: ignore[type-abstract]
            platform = stage.rig.platform
            assert isinstance(platform, Typing)
            for name in stage.rig.ids:
                target = stage.delivery(chat=name).target
                await platform.typing(target, True)
                assert rig.typings[-1:] == [(name, True)], f"{name!r}: shown {rig.typings}"
                await platform.typing(target, False)
                assert rig.typings[-1] in ((name, True), (name, False)), "it was taken back elsewhere"

    @on_loop
    async def test_a_pressed_button_tells_its_value_and_who_pressed_it(self) -> None:
        async with self.stage() as stage:
            rig, sent = _button_rig(stage), await _asked(stage)
            assert stage.rig.seen[-1].buttons == (_ALLOW.label, _DENY.label), f"shown {stage.rig.seen[-1].buttons}"
            for button, user in ((_DENY, "42"), (_ALLOW, "43")):
                assert await rig.press(button.label, user=user), "the press was not acknowledged"
                press = stage.gateway.presses[-1]
                assert press.value == button.value, f"{button.value!r} became {press.value!r}"
                assert (press.source.user_id, press.source.chat_id) == (user, sent.target.chat_id)
                assert press.source.message_id == sent.remote_id, "it does not name the message"
                assert press.source.connection == stage.rig.platform.account
            assert len({press.dedupe_key for press in stage.gateway.presses}) == 2, "two presses share a key"

    @on_loop
    async def test_a_refused_press_is_acknowledged(self) -> None:
        async with self.stage() as stage:
            rig = _button_rig(stage)
            await _asked(stage)
            stage.gateway.errors.append(Refused("not for you"))
            assert await rig.press(_DENY.label), "not acknowledged"
            assert await rig.press(_DENY.label), "stuck after a refusal"

    @on_loop
    async def test_an_edit_without_buttons_takes_them_away(self) -> None:
        async with self.stage() as stage:
            _button_rig(stage)
            sent = await _asked(stage)
            try:
                await _edit(stage, replace(sent, text="Denied.", buttons=()))
            except SendPermanent:
                return  # then the outcome is told in a message of its own
            assert (stage.rig.seen[-1].text, stage.rig.seen[-1].buttons) == ("Denied.", ())

    @on_loop
    async def test_a_file_that_came_with_a_message_is_fetched_whole(self) -> None:
        async with self.stage() as stage:
            attachment, platform = await _attached(stage)
            assert attachment.size in (None, len(_DATA)), f"its size is {attachment.size}"
            assert await platform.fetch(attachment, len(_DATA)) == _DATA, "other bytes came"

    @on_loop
    async def test_a_file_over_the_limit_is_refused(self) -> None:
        async with self.stage() as stage:
            attachment, platform = await _attached(stage)
            assert await _refusal(platform, replace(attachment, size=None)), "it does not say why"

    @on_loop
    async def test_a_file_is_sent_whole(self) -> None:
        async with self.stage() as stage:
            declared = stage.rig.platform.capabilities.enclosure_bytes is not None
            played(stage.rig, object, declared=declared, ability="sending of files")
            with _stored() as enclosure:
                for text in ("Here it is.", ""):
                    await stage.rig.platform.send(replace(stage.delivery(text), enclosure=enclosure))
            assert [seen.enclosure for seen in stage.rig.seen if seen.enclosure] == [_DATA, _DATA], "other bytes came"
            assert [seen.text for seen in stage.rig.seen if seen.text] == ["Here it is."]


@contextmanager
def _stored() -> Iterator[Enclosure]:
    """A file to be sent."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "stored")
        path.write_bytes(_DATA)
        yield Enclosure(str(path), _NAME, _TYPE)


async def _refusal(platform: Fetching, attachment: Attachment) -> str:
    """Why a file is refused that is a byte too large."""
    try:
        data = await platform.fetch(attachment, len(_DATA) - 1)
    except FetchFailed as error:
        return str(error)
    raise AssertionError(f"{len(data)} bytes came")


async def _opened(stage: Stage, text: str = "…", chat: str | None = None) -> Delivery:
    """A delivery that was opened and is going to grow."""
    played(stage.rig, object, declared=stage.rig.platform.capabilities.growth is not None, ability="growth")
    asked = chat or stage.rig.ids[0]  # on some platforms, only what answers a message can grow
    await stage.say(Utterance("Tell me a story.", chat=asked, user=asked, message=f"story-{asked}"))
    opened = replace(stage.delivery(text, chat=chat, reply_to=(f"story-{asked}",)), state="open", attempt=0)
    sent = await stage.rig.platform.send(opened)
    assert sent.remote_id, "an opened message has no id, so that it cannot be changed"
    return replace(opened, remote_id=sent.remote_id)


async def _edit(stage: Stage, delivery: Delivery) -> None:
    platform = stage.rig.platform
    assert isinstance(platform, Growing), "it has no edit"
    await platform.edit(delivery)


async def _failure(stage: Stage, delivery: Delivery) -> SendFailed:
    """How the edit fails."""
    try:
        await _edit(stage, delivery)
    except SendFailed as error:
        return error
    raise AssertionError("edit reported a success")


def _button_rig(stage: Stage) -> ButtonRig:
    capabilities = stage.rig.platform.capabilities
    declared = capabilities.buttons and capabilities.presses
    return played(stage.rig, ButtonRig, declared=declared, ability="buttons that are pressed")  # type: ignore[type-abstract]


async def _asked(stage: Stage) -> Delivery:
    """A message with two buttons, as it was sent."""
    asked = replace(stage.delivery("May I?"), buttons=(_ALLOW, _DENY))
    sent = await stage.rig.platform.send(asked)
    assert sent.remote_id, "a message with buttons has no id"
    return replace(asked, remote_id=sent.remote_id, state="sending")


async def _attached(stage: Stage) -> tuple[Attachment, Fetching]:
    """A file that came, and the platform that has its bytes."""
    declared = stage.rig.platform.capabilities.fetches
    rig = played(stage.rig, FileRig, declared=declared, ability="fetching of files")  # type: ignore[type-abstract]
    platform = stage.rig.platform
    assert isinstance(platform, Fetching), "it has no fetch"
    assert list(await stage.rig.inject([rig.file(_NAME, _TYPE, _DATA)])) == [True], "not acknowledged"
    (attachment,) = stage.gateway.heard[-1].attachments
    assert attachment.name in (None, _NAME), f"its name is {attachment.name!r}"
    return attachment, platform
