"""The sign of typing."""

import asyncio
from typing import Final

import pytest

from serai.core.error import SendTemporary
from serai.testing.clock import virtual_time
from tests.platforms.feishu.rig import rig
from tests.platforms.feishu.stage import target
from tests.platforms.feishu.state import Said

GROUP: Final = target("oc_1", chat_type="group", reply_to=("om_0", "om_1"))


@virtual_time
async def test_the_sign_of_typing_is_put_on_the_message_that_is_answered_and_taken_off() -> None:
    async with rig() as feishu:
        feishu.peer.world.said["om_1"] = Said("oc_1")
        await feishu.platform.typing(GROUP, True)
        await feishu.platform.typing(GROUP, True)
        assert [message for message, _ in feishu.peer.world.reactions.values()] == ["om_1"]
        await feishu.platform.typing(GROUP, False)
        await feishu.platform.typing(GROUP, False)
        assert feishu.typings == [("oc_1", True), ("oc_1", False)]


@virtual_time
async def test_the_sign_of_typing_is_taken_off_also_by_who_was_stopped_while_it_was_put_on() -> None:
    async with rig() as feishu:
        feishu.peer.world.said["om_1"] = Said("oc_1")
        feishu.peer.slow["im/v1/messages/om_1/reactions"] = 3.0
        showing = asyncio.create_task(feishu.platform.typing(GROUP, True))
        await asyncio.sleep(1)
        showing.cancel()
        await feishu.platform.typing(GROUP, False)
        assert feishu.typings == [("oc_1", True), ("oc_1", False)]


@virtual_time
async def test_a_sign_of_typing_that_failed_can_be_shown_later() -> None:
    async with rig() as feishu:
        feishu.peer.world.said["om_1"] = Said("oc_1")
        feishu.peer.errors["POST im/v1/messages/om_1/reactions"] = [99991400]
        with pytest.raises(SendTemporary):
            await feishu.platform.typing(GROUP, True)
        await feishu.platform.typing(GROUP, False)
        await feishu.platform.typing(GROUP, True)
        assert feishu.typings == [("oc_1", True)]
