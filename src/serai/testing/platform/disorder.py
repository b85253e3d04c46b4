"""What every driver must do with what comes in disorder: malformed payloads, and messages out of order."""

import asyncio
from typing import Final

from serai.core.message import Inbound
from serai.testing.platform.malformed import Malformed
from serai.testing.platform.rig import Utterance
from serai.testing.platform.stage import Stage
from serai.testing.platform.staged import Staged, on_loop

_AGAIN_SECONDS: Final = 60.0
"""Within which a connection is there again that was given up over something malformed."""

_FIRST: Final = 10_000_001
"""The id of the first good message; some platforms have only numbers, and some only long names."""

_LATE_SECONDS: Final = 5.0


class PlatformDisorderContract(Staged):
    """Disorder."""

    @on_loop
    async def test_what_is_malformed_is_passed_over(self) -> None:
        async with self.kept() as stage:
            samples = stage.rig.malformed()
            assert samples, "a rig needs malformed payloads"
            for number, sample in enumerate(samples, _FIRST):
                ends = len(stage.gateway.ends)
                await stage.rig.garble(sample.payload)
                await _goes_on(stage, sample, number)
                assert sample.ends or len(stage.gateway.ends) == ends, f"{sample.name}: {stage.gateway.ends[-1]!r}"
            strange = [inbound for inbound in stage.gateway.heard if not _is_sound(inbound)]
            assert not strange, f"handed over {strange[0]}"

    @on_loop
    async def test_messages_that_come_out_of_order_are_each_heard_once(self) -> None:
        async with self.stage() as stage:
            order = (3, 1, 2)
            acks = await stage.say(*(Utterance(f"text {n}", message=f"{_FIRST + n}") for n in order))
            await asyncio.sleep(_LATE_SECONDS)
            heard = [inbound.text for inbound in stage.gateway.heard]
            keys = {inbound.dedupe_key for inbound in stage.gateway.heard}
        assert heard == [f"text {n}" for n in order], f"heard {heard}"
        assert len(keys) == len(order), "two messages share a key"
        assert all(acks), "a stored message was not acknowledged"


async def _goes_on(stage: Stage, sample: Malformed, number: int) -> None:
    """The next good message comes through."""
    try:
        async with asyncio.timeout(_AGAIN_SECONDS):
            await stage.rig.logged_in()
            acknowledged = await stage.say(Utterance(f"good {number}", message=f"{number}"))
    except TimeoutError:
        raise AssertionError(f"{sample.name}: it hears nothing more ({stage.gateway.ends!r})") from None
    heard = [inbound.text for inbound in stage.gateway.heard].count(f"good {number}")
    assert heard == 1, f"{sample.name}: the next message was heard {heard} times"
    assert acknowledged == [True], f"{sample.name}: the next message was not acknowledged"


def _is_sound(inbound: Inbound) -> bool:
    """Whether a message is of the types that it says."""
    source = inbound.source
    needed = (inbound.text, inbound.dedupe_key, source.chat_id)
    other = (source.user_id, source.user_name, source.message_id, source.thread_id, source.chat_name)
    return all(isinstance(one, str) for one in needed) and all(one is None or isinstance(one, str) for one in other)
