"""What every platform driver must do (DESIGN 5).

    class TestWebhook(PlatformContract):
        def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
            return webhook_rig()

The tests are plain methods, so that any test runner can call them. Each runs on an event loop of its own, in virtual
time unless `loop_factory` says otherwise (a rig whose peer is a real server outside of the loop must).
"""

import asyncio
from itertools import product
from typing import Final

from serai.core.error import (
    Busy,
    Refused,
    SendFailed,
    SendPermanent,
    SendTemporary,
    SendUnknown,
    Startup,
    StorageFailed,
)
from serai.testing.platform.ability import PlatformAbilityContract
from serai.testing.platform.disorder import PlatformDisorderContract
from serai.testing.platform.live import PlatformLiveContract
from serai.testing.platform.rig import RETRY_AFTER, Fault, Utterance
from serai.testing.platform.stage import Gateway, filled, overheard, told
from serai.testing.platform.staged import on_loop, played

_FAULTS: Final[dict[Fault, type[SendFailed]]] = {
    "rate_limited": SendTemporary,
    "server_error": SendTemporary,
    "refused": SendTemporary,
    "rejected": SendPermanent,
    "timeout": SendUnknown,
    "disconnect": SendUnknown,
}

_AGAIN_SECONDS: Final = 5.0
"""After which a connection that a fault has ended is there again."""


class PlatformContract(PlatformLiveContract, PlatformAbilityContract, PlatformDisorderContract):
    """The tests. A subclass supplies `rig`; those of what a driver does not declare are skipped."""

    @on_loop
    async def test_messages_are_received_in_the_order_in_which_they_were_sent(self) -> None:
        async with self.stage() as stage:
            acks = await stage.say(*(Utterance(f"text {n}", message=f"{n}") for n in range(1, 6)))
            heard = [inbound.text for inbound in stage.gateway.heard]
        assert heard == [f"text {n}" for n in range(1, 6)], f"heard {heard}"
        assert all(acks), "a stored message was not acknowledged"

    @on_loop
    async def test_every_captured_payload_becomes_a_message_or_is_ignored_on_purpose(self) -> None:
        async with self.stage() as stage:
            samples = stage.rig.captured()
            assert samples, "a rig needs captured payloads"
            for sample in samples:
                before = len(stage.gateway.heard)
                (acknowledged,) = await stage.rig.inject([sample.payload])
                heard = stage.gateway.heard[before:]
                assert acknowledged, f"{sample.name}: not acknowledged"
                assert len(heard) == (0 if sample.ignored else 1), f"{sample.name}: became {heard}"
                assert all(inbound.source.connection == stage.rig.platform.account for inbound in heard), sample.name
                assert all(inbound.text or inbound.attachments for inbound in heard), f"{sample.name}: empty"

    @on_loop
    async def test_ids_of_received_messages_are_left_as_they_are(self) -> None:
        async with self.stage() as stage:
            for name in stage.rig.ids:
                await stage.say(Utterance("hi", chat=name, user=name, message=name))
                assert stage.gateway.heard, "the gateway got nothing"
                source = stage.gateway.heard[-1].source
                got = (source.chat_id, source.user_id, source.message_id)
                assert got == (name, name, name), f"{name!r} became {got}"

    @on_loop
    async def test_ids_of_sent_messages_are_left_as_they_are(self) -> None:
        async with self.stage() as stage:
            for name in stage.rig.ids:
                await stage.rig.platform.send(stage.delivery(chat=name, reply_to=(name,)))
                seen = stage.rig.seen[-1]
                assert seen.chat == name, f"{name!r} became {seen.chat!r}"
                assert seen.reply_to in ((), (name,)), f"{name!r} became {seen.reply_to}"

    @on_loop
    async def test_a_second_copy_has_the_key_of_the_first_and_another_message_has_another(self) -> None:
        async with self.stage() as stage:
            pairs = list(product(stage.rig.ids, repeat=2))
            messages = [Utterance("hi", chat=chat, message=message) for chat, message in pairs]
            await stage.say(*messages)
            first = [inbound.dedupe_key for inbound in stage.gateway.heard]
            acks = await stage.say(*messages)
            second = [inbound.dedupe_key for inbound in stage.gateway.heard[len(first) :]]
        assert len(set(first)) == len(pairs), "two messages share a key"
        # chats may overtake one another, and a driver may know a copy by itself
        assert set(second) <= set(first), "a second copy has another key"
        assert all(acks), "a second copy was not acknowledged"

    @on_loop
    async def test_a_message_that_could_not_be_stored_is_not_acknowledged(self) -> None:
        async with self.stage() as stage:
            for error in (StorageFailed("the disk is full"), Busy("too many wait here")):
                said = Utterance("hello", message=type(error).__name__)
                stage.gateway.errors.append(error)
                assert await stage.say(said) == [False], f"acknowledged in spite of {error!r}"
                assert await stage.say(said) == [True], f"stuck after {error!r}"
                assert stage.gateway.heard.pop().text == "hello"

    @on_loop
    async def test_a_refused_message_disturbs_no_other(self) -> None:
        async with self.stage() as stage:
            stage.gateway.errors.append(Refused("not for you"))
            await stage.say(Utterance("one", message="1"))
            assert await stage.say(Utterance("two", message="2")) == [True]
            assert [inbound.text for inbound in stage.gateway.heard] == ["two"]

    @on_loop
    async def test_a_text_of_exactly_the_limit_arrives_whole(self) -> None:
        async with self.stage() as stage:
            text = filled(stage.rig.platform.capabilities)
            await stage.rig.platform.send(stage.delivery(text))
            assert [seen.text for seen in stage.rig.seen] == [text], "a text that fits was changed"

    @on_loop
    async def test_a_text_over_the_limit_is_refused_and_never_cut(self) -> None:
        async with self.stage() as stage:
            error = await stage.failure(stage.delivery(filled(stage.rig.platform.capabilities) + "x"))
            assert isinstance(error, SendPermanent), f"got {error!r}"
            assert not stage.rig.seen, "a part of it was sent"

    @on_loop
    async def test_each_fault_is_told_by_its_kind(self) -> None:
        for fault, kind in _FAULTS.items():
            async with self.kept() as stage:
                await stage.rig.fault(fault)
                error = await stage.failure(stage.delivery())
                assert isinstance(error, kind), f"{fault}: got {error!r}, not {kind.__name__}"

    @on_loop
    async def test_the_wait_that_a_rate_limit_asks_for_is_passed_on(self) -> None:
        async with self.stage() as stage:
            named = stage.rig.platform.capabilities.names_wait
            played(stage.rig, object, declared=named, ability="wait when it limits the rate")
            await stage.rig.fault("rate_limited")
            error = await stage.failure(stage.delivery())
            assert isinstance(error, SendTemporary), f"got {error!r}"
            assert error.retry_after == RETRY_AFTER, f"retry_after is {error.retry_after}"

    @on_loop
    async def test_a_send_works_again_after_a_fault(self) -> None:
        for fault in ("rate_limited", "server_error", "disconnect"):
            async with self.kept() as stage:
                await stage.rig.fault(fault)
                await stage.failure(stage.delivery("one"))
                await asyncio.sleep(_AGAIN_SECONDS)
                await stage.rig.logged_in()
                await stage.rig.platform.send(stage.delivery("two"))
                assert stage.rig.seen[-1].text == "two", f"after {fault}"

    @on_loop
    async def test_no_secret_is_in_a_log_an_error_or_a_repr(self) -> None:
        with overheard() as log:
            for fault in _FAULTS:
                async with self.kept() as stage:
                    secrets = list(stage.rig.secrets)
                    assert secrets, "a rig names its secrets"
                    await stage.say(Utterance("hello"))
                    await stage.rig.platform.send(stage.delivery())
                    await stage.rig.fault(fault)
                    log.write(told(await stage.failure(stage.delivery())))
                    log.write(repr(stage.rig.platform))
        found = [secret for secret in secrets if secret in log.getvalue()]
        assert not found, "a secret can be read"

    @on_loop
    async def test_a_blank_secret_refuses_to_start(self) -> None:
        async with self.rig() as rig:
            starting = asyncio.ensure_future(rig.start_blank())
            await asyncio.wait({starting}, timeout=60)
            assert starting.done(), "it runs without a secret"
            error = starting.exception()
        assert isinstance(error, Startup), f"got {error!r}"
        assert str(error), "the refusal does not say why"

    @on_loop
    async def test_it_runs_until_it_is_cancelled_and_then_stops_at_once(self) -> None:
        async with self.rig() as rig:
            running = asyncio.ensure_future(rig.platform.run(Gateway()))
            done, _ = await asyncio.wait({running}, timeout=60)
            assert not done, "it stopped by itself"
            running.cancel()
            done, _ = await asyncio.wait({running}, timeout=10)
            assert done, "it does not stop"
            assert running.cancelled(), "it swallowed the cancelling"
