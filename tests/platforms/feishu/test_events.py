"""What is done about events: names, refusals, kinds that cannot be read, presses, messages taken back."""

import asyncio
from typing import Any

import pytest

from serai.core.delivery import Button
from serai.core.error import Refused, StorageFailed
from serai.core.ids import Account
from serai.core.message import Revision
from serai.testing.clock import virtual_time
from tests.platforms.feishu.peer import FeishuPeer
from tests.platforms.feishu.rig import ACCOUNT
from tests.platforms.feishu.stage import Ear, connected, delivery, target

GROUP: dict[str, Any] = {"chat": "oc_1", "chat_type": "group"}


def asked(peer: FeishuPeer, part: str) -> int:
    return sum(part in path for _, path in peer.requests)


@virtual_time
async def test_names_of_people_and_groups_are_asked_for_once() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        feishu.peer.world.users["ou_42"], feishu.peer.world.chats["oc_1"] = "Ada", "ops"
        for _ in range(3):
            await feishu.app.says("hello", **GROUP)
        assert {(i.source.user_name, i.source.chat_name) for i in ear.heard} == {("Ada", "ops")}
        assert (asked(feishu.peer, "/users/"), asked(feishu.peer, "/chats/")) == (1, 1)


@virtual_time
async def test_without_the_permission_a_name_is_missing_and_asked_for_again_later() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        await feishu.app.says("hello")
        await feishu.app.says("hello")
        assert (ear.heard[0].source.user_name, asked(feishu.peer, "/users/")) == (None, 1)
        feishu.peer.world.users["ou_42"] = "Ada"
        await asyncio.sleep(601)
        await feishu.app.says("hello")
        assert ear.heard[-1].source.user_name == "Ada"


@virtual_time
async def test_a_slow_answer_about_a_name_delays_no_acknowledgement() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        feishu.peer.slow["contact/v3/users/ou_42"] = 20.0
        feishu.peer.world.users["ou_42"] = "Ada"
        assert await feishu.app.says("one")
        assert await feishu.app.says("two")
        await asyncio.sleep(30)
        assert await feishu.app.says("three")
        assert [inbound.source.user_name for inbound in ear.heard] == [None, None, "Ada"]


@virtual_time
async def test_a_burst_of_strangers_is_acknowledged_in_time_though_names_are_slow() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        for number in range(8):
            feishu.peer.slow[f"contact/v3/users/ou_{number}"] = 20.0
        said = (feishu.app.says("hello", user=f"ou_{number}") for number in range(8))
        assert await asyncio.gather(*said) == [True] * 8
        assert len(ear.heard) == 8


@virtual_time
async def test_a_name_that_came_with_a_mention_is_not_asked_for() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        mention = {"key": "@_user_1", "id": {"open_id": "ou_tom"}, "name": "Tom"}
        await feishu.app.says("ask @_user_1", mentions=[mention])
        await feishu.app.says("here I am", user="ou_tom")
        assert ear.heard[-1].source.user_name == "Tom"


@virtual_time
async def test_an_answer_to_the_bot_is_said_to_it_also_after_a_restart() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        message = (await feishu.platform.send(delivery("hi", target("oc_1", chat_type="group")))).remote_id
        old = (await feishu.driver().send(delivery("old", target("oc_1", chat_type="group")))).remote_id
        before = asked(feishu.peer, "/im/v1/messages/om_")
        await feishu.app.says("yes", **GROUP, parent_id=message, root_id=message)
        assert asked(feishu.peer, "/im/v1/messages/om_") == before, "it knows what it said"
        await feishu.app.says("yes", **GROUP, parent_id=old, root_id=old)
        await feishu.app.says("no", **GROUP, parent_id="om_unknown")
        assert [inbound.mentioned for inbound in ear.heard] == [True, True, False]


@virtual_time
async def test_the_event_of_a_refused_sender_is_taken() -> None:
    ear = Ear(errors=[Refused("you are not on the list")])
    async with connected(ear) as feishu:
        assert await feishu.app.push(feishu.app.message("hello", message="om_1"))


@pytest.mark.parametrize(("fields", "told"), [({}, 1), (GROUP, 0), ({"sender_type": "app"}, 0)])
@virtual_time
async def test_who_sends_what_cannot_be_read_is_told_where_it_was_said_to_the_bot(
    fields: dict[str, Any], told: int
) -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        assert await feishu.app.push(feishu.app.event("sticker", {"file_key": "f"}, **fields))
        await asyncio.sleep(1)
        assert len(feishu.seen) == told
        assert all("sticker" in seen.text for seen in feishu.seen)
        assert not ear.heard


@virtual_time
async def test_the_bots_own_words_are_not_handed_on_and_other_bots_are_marked() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        assert await feishu.app.says("mine", user=feishu.app.state.bot_open_id, sender_type="app")
        assert await feishu.app.says("another bot's", user="ou_bot_other", sender_type="app")
        assert [(inbound.text, inbound.source.is_bot) for inbound in ear.heard] == [("another bot's", True)]


@virtual_time
async def test_a_mention_and_nothing_else_is_no_message() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        mention = {"key": "@_user_1", "id": {"open_id": feishu.app.state.bot_open_id}, "name": "Serai"}
        assert await feishu.app.says("@_user_1 ", **GROUP, mentions=[mention])
        assert not ear.heard


@virtual_time
async def test_a_message_that_was_taken_back_is_told() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        event = {
            "message_id": "om_1",
            "chat_id": "oc_1",
            "recall_time": "1615380573411",
            "recall_type": "message_owner",
        }
        assert await feishu.app.push(feishu.app.envelope("im.message.recalled_v1", event))
        assert ear.revisions == [Revision(Account("feishu", "work"), "oc_1", "om_1", None)]
        ear.errors.append(StorageFailed("the disk is full"))
        assert not await feishu.app.push(feishu.app.envelope("im.message.recalled_v1", event))


@virtual_time
async def test_who_presses_a_button_is_shown_the_note() -> None:
    ear = Ear(note="Allowed once.")
    async with connected(ear) as feishu:
        where = target("oc_1", chat_type="group", thread_id="omt_1", reply_to=("a",))
        await feishu.platform.send(delivery("May I?", where, buttons=(Button("Allow", "a:1"),)))
        answer = await feishu.app.press("Allow", "ou_42")
        assert answer == {"code": 200, "data": {"toast": {"type": "info", "content": "Allowed once."}}}
        source = ear.presses[0].source
        assert (source.chat_type, source.thread_id, source.user_id) == ("group", "omt_1", "ou_42")
        ear.note = None
        assert await feishu.app.press("Allow") == {"code": 200}
        ear.errors.append(Refused("not for you"))
        answer = await feishu.app.press("Allow")
        assert answer == {"code": 200, "data": {"toast": {"type": "error", "content": "not for you"}}}
        ear.errors.append(StorageFailed("the disk is full"))
        assert await feishu.app.press("Allow") == {"code": 500}


@virtual_time
async def test_callbacks_may_come_as_frames_of_type_card() -> None:
    ear = Ear()
    async with connected(ear) as feishu:
        event = {
            "operator": {"open_id": "ou_42"},
            "action": {"value": {"value": "a:1"}},
            "context": {"open_message_id": "om_1", "open_chat_id": "oc_1"},
        }
        assert await feishu.app.push(feishu.app.envelope("card.action.trigger", event), kind="card")
        assert [press.value for press in ear.presses] == ["a:1"]
        assert ear.presses[0].source.connection == ACCOUNT
