"""What is sent: where to, as what, once, and what its failing means."""

import asyncio
from dataclasses import replace

import pytest

from serai.core.delivery import Button
from serai.core.error import CredentialsRefused, SendPermanent, SendTemporary, SendUnknown
from serai.core.ids import DeliveryId
from serai.platforms.feishu.fault import Rejected
from serai.testing.clock import virtual_time
from tests.platforms.feishu.rig import rig
from tests.platforms.feishu.stage import delivery, target
from tests.platforms.feishu.state import Said

GROUP = target("oc_1", chat_type="group", reply_to=("om_0", "om_1"))
THREAD = target("oc_1", chat_type="group", thread_id="omt_1", reply_to=("om_1",))
CREATE = "POST im/v1/messages"


@virtual_time
async def test_a_direct_answer_is_a_message_and_a_groups_answers_the_last_one() -> None:
    async with rig() as feishu:
        feishu.peer.world.said["om_1"] = Said("oc_1")
        await feishu.platform.send(delivery("direct", target("oc_7", reply_to=("om_9",))))
        await feishu.platform.send(delivery("in the group", GROUP))
        assert [(seen.chat, seen.text, seen.reply_to) for seen in feishu.seen] == [
            ("oc_7", "direct", ()),
            ("oc_1", "in the group", ("om_1",)),
        ]


@pytest.mark.parametrize(("chat", "kind"), [("oc_1", "chat_id"), ("ou_1", "open_id"), ("on_1", "union_id")])
@virtual_time
async def test_people_may_be_named_as_targets(chat: str, kind: str) -> None:
    async with rig() as feishu:
        await feishu.platform.send(delivery("hello", target(chat)))
        assert feishu.peer.queries[-1] == {"receive_id_type": kind}


@virtual_time
async def test_a_thread_is_answered_in_the_thread_also_unprompted() -> None:
    async with rig() as feishu:
        feishu.peer.world.said |= {"om_0": Said("oc_1", "omt_1"), "om_1": Said("oc_1", "omt_1")}
        await feishu.platform.send(delivery("an answer", THREAD))
        await feishu.platform.send(delivery("a job's", target("oc_1", chat_type="group", thread_id="omt_1")))
        assert [(seen.thread, seen.reply_to) for seen in feishu.seen] == [("omt_1", ("om_1",)), ("omt_1", ("om_0",))]
        with pytest.raises(SendPermanent, match="thread"):
            await feishu.platform.send(delivery("x", target("oc_1", chat_type="group", thread_id="omt_none")))


@virtual_time
async def test_an_answer_to_a_message_that_was_taken_back_is_said_in_its_place() -> None:
    async with rig() as feishu:
        feishu.peer.world.said["om_0"] = Said("oc_1", "omt_1")
        await feishu.platform.send(delivery("group", GROUP))
        await feishu.platform.send(delivery("thread", THREAD))
        assert [(seen.text, seen.reply_to, seen.thread) for seen in feishu.seen] == [
            ("group", (), None),
            ("thread", ("om_0",), "omt_1"),
        ]


@virtual_time
async def test_a_repeated_send_is_one_message_for_an_hour() -> None:
    async with rig() as feishu:
        once = delivery("once")
        first, second = await feishu.platform.send(once), await feishu.platform.send(once)
        assert first == second
        await feishu.platform.send(delivery("another"))
        assert [seen.text for seen in feishu.seen] == ["once", "another"]


@virtual_time
async def test_a_repeated_send_after_an_unknown_one_is_no_second_message() -> None:
    async with rig() as feishu:
        once = delivery("once")
        feishu.peer.cut_after.append("im/v1/messages")
        with pytest.raises(SendUnknown):
            await feishu.platform.send(once)
        assert [seen.text for seen in feishu.seen] == ["once"]
        await feishu.platform.send(once)
        assert [seen.text for seen in feishu.seen] == ["once"]


@pytest.mark.parametrize("code", [230001, 230099, 230025])
@virtual_time
async def test_a_text_whose_markup_is_refused_is_sent_as_it_is_written(code: int) -> None:
    async with rig() as feishu:
        feishu.peer.errors[CREATE] = [code]
        await feishu.platform.send(delivery("# Title"))
        assert [(posted.kind, posted.text) for posted in feishu.peer.world.posted] == [("text", "# Title")]


@virtual_time
async def test_a_text_that_is_too_large_as_a_post_is_sent_as_it_is_written() -> None:
    async with rig() as feishu:
        text = '"' * 14_000
        await feishu.platform.send(delivery(text))
        assert [(posted.kind, posted.text) for posted in feishu.peer.world.posted] == [("text", text)]


@virtual_time
async def test_nobody_is_mentioned_by_a_text() -> None:
    async with rig() as feishu:
        await feishu.platform.send(delivery('<at user_id="all"></at> hello'))
        assert "<at" not in feishu.seen[0].text


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (230002, SendPermanent),
        (230013, SendPermanent),
        (230022, SendPermanent),
        (232009, SendPermanent),
        (99991672, SendPermanent),
        (99991400, SendTemporary),
        (230020, SendTemporary),
        (230049, SendTemporary),
        (1, SendTemporary),
    ],
)
@virtual_time
async def test_codes_are_told_by_their_kind(code: int, error: type[Exception]) -> None:
    async with rig() as feishu:
        feishu.peer.errors[CREATE] = [code]
        with pytest.raises(error) as caught:
            await feishu.platform.send(delivery())
        assert str(code) in str(caught.value)
        assert not feishu.seen


@pytest.mark.parametrize("code", range(99991663, 99991669))
@virtual_time
async def test_a_token_that_is_not_taken_is_renewed_once(code: int) -> None:
    async with rig() as feishu:
        await feishu.platform.send(delivery("one"))
        feishu.peer.errors[CREATE] = [code]
        await feishu.platform.send(delivery("two"))
        assert len(feishu.app.state.tokens) == 2
        feishu.peer.errors[CREATE] = [code, code]
        with pytest.raises(SendTemporary):
            await feishu.platform.send(delivery("three"))
        assert len(feishu.app.state.tokens) == 3
        assert [seen.text for seen in feishu.seen] == ["one", "two"]


@virtual_time
async def test_a_token_is_renewed_ten_minutes_before_it_ends_and_by_one_request() -> None:
    async with rig() as feishu:
        await asyncio.gather(*(feishu.platform.send(delivery(f"{number}")) for number in range(5)))
        assert len(feishu.app.state.tokens) == 1
        await asyncio.sleep(6500)
        await feishu.platform.send(delivery())
        assert len(feishu.app.state.tokens) == 1
        await asyncio.sleep(200)
        await feishu.platform.send(delivery())
        assert len(feishu.app.state.tokens) == 2


@virtual_time
async def test_a_send_with_refused_credentials_is_tried_again_later() -> None:
    async with rig() as feishu:
        with pytest.raises(SendTemporary, match="10014"):
            await feishu.driver("fake-wrong-secret").send(delivery())
        with pytest.raises(CredentialsRefused):
            await feishu.driver("fake-wrong-secret").bot()


@virtual_time
async def test_an_answer_that_is_none_is_unknown() -> None:
    async with rig() as feishu:
        feishu.peer.rest.routes["POST", "im/v1/messages"] = lambda _: {"code": 0, "data": {"message": 7}}
        with pytest.raises(SendUnknown):
            await feishu.platform.send(delivery())


@pytest.mark.parametrize("text", ["", " \n"])
@virtual_time
async def test_a_blank_text_is_refused(text: str) -> None:
    async with rig() as feishu:
        with pytest.raises(SendPermanent, match="blank"):
            await feishu.platform.send(delivery(text))


@virtual_time
async def test_an_id_that_is_no_short_word_makes_a_key_all_the_same() -> None:
    async with rig() as feishu:
        await feishu.platform.send(replace(delivery(), id=DeliveryId("ü" * 300)))
        ((_, key),) = feishu.peer.world.keys
        assert len(key) <= 50
        assert key.isascii()


@virtual_time
async def test_a_button_card_that_was_pressed_is_redrawn_without_buttons_after_a_restart() -> None:
    async with rig() as feishu:
        asked = delivery("May I?", buttons=(Button("Allow", "a:1"),))
        sent = await feishu.platform.send(asked)
        done = replace(asked, text="Allowed.", buttons=(), remote_id=sent.remote_id, state="sending")
        await feishu.driver().edit(done)
        assert [(seen.text, seen.buttons, seen.edits) for seen in feishu.seen] == [("Allowed.", (), 1)]


def test_a_refusal_says_what_it_means() -> None:
    assert "not in that chat" in str(Rejected(230002))
    assert str(Rejected(7)).endswith("code 7")
