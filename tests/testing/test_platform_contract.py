"""The platform contract catches drivers that break it: each of these is broken in one way."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from serai.core.delivery import Delivery
from serai.core.error import Refused, SendFailed, SendPermanent, SendTemporary, SendUnknown, StorageFailed
from serai.core.ids import InputId
from serai.core.message import Inbound
from serai.ports.platform import Capabilities, Link, Receipt, Sent
from serai.testing.platform import TOKEN, FakePlatform
from serai.testing.platform_contract import PlatformContract
from serai.testing.platform_rig import PlatformRig
from serai.testing.platform_stage import Listening
from tests.platforms.fake.rig import CAPABILITIES, FakeRig

TESTS = sorted(name for name in dir(PlatformContract) if name.startswith("test_"))


class Hasty(FakePlatform):
    """Acknowledges before the gateway has stored the message."""

    async def run(self, link: Link) -> None:
        tasks: set[asyncio.Future[tuple[Receipt | BaseException]]] = set()

        async def pretend(inbound: Inbound) -> Receipt:
            tasks.add(asyncio.gather(link.receive(inbound), return_exceptions=True))
            return Receipt(InputId("pretended"))

        await super().run(Listening(pretend))


class Shuffling(FakePlatform):
    """Does not wait for one message before it hands over the next."""

    async def delivers(self, inbound: Inbound) -> Receipt:
        assert self._link
        return await self._link.receive(inbound)


class Careless(FakePlatform):
    """Acknowledges what could not be stored."""

    async def run(self, link: Link) -> None:
        async def pretend(inbound: Inbound) -> Receipt:
            try:
                return await link.receive(inbound)
            except StorageFailed:
                return Receipt(InputId("lost"))

        await super().run(Listening(pretend))


class Changing(FakePlatform):
    """Hands over something else than it got."""

    def change(self, inbound: Inbound) -> Inbound:
        raise NotImplementedError

    async def run(self, link: Link) -> None:
        await super().run(Listening(lambda inbound: link.receive(self.change(inbound))))


class Lowering(Changing):
    """Takes ids for case-insensitive."""

    def change(self, inbound: Inbound) -> Inbound:
        return replace(inbound, source=replace(inbound.source, chat_id=str(inbound.source.chat_id).lower()))


class Shortening(Changing):
    """Has a column of 255 characters in mind."""

    def change(self, inbound: Inbound) -> Inbound:
        return replace(inbound, source=replace(inbound.source, message_id=str(inbound.source.message_id)[:255]))


class Ambiguous(Changing):
    """Joins ids with a sign that ids may hold."""

    def change(self, inbound: Inbound) -> Inbound:
        return replace(inbound, dedupe_key=f"{inbound.source.chat_id}:{inbound.source.message_id}")


class Forgetful(Changing):
    """Takes each copy for a new message."""

    count = 0

    def change(self, inbound: Inbound) -> Inbound:
        self.count += 1
        return replace(inbound, dedupe_key=f"{self.count}")


class Emptying(Changing):
    """Loses the text of messages in threads."""

    def change(self, inbound: Inbound) -> Inbound:
        return replace(inbound, text="") if inbound.source.thread_id else inbound


class Picky(FakePlatform):
    """Drops messages of groups without a word."""

    async def delivers(self, inbound: Inbound) -> Receipt:
        if inbound.source.chat_type == "group":
            return Receipt(InputId("dropped"))
        return await super().delivers(inbound)


class Fragile(FakePlatform):
    """Is beside itself once a message was refused."""

    broken = False

    async def delivers(self, inbound: Inbound) -> Receipt:
        if self.broken:
            raise StorageFailed("still broken")
        try:
            return await super().delivers(inbound)
        except Refused:
            self.broken = True
            raise


class Cutting(FakePlatform):
    """Cuts what is too long."""

    async def send(self, delivery: Delivery) -> Sent:
        return await super().send(replace(delivery, text=delivery.text[:2048]))


class Shy(FakePlatform):
    """Refuses a text that just fits."""

    async def send(self, delivery: Delivery) -> Sent:
        if len(delivery.text) > 2000:
            raise SendPermanent("too long for my taste")
        return await super().send(delivery)


class Miscounting(FakePlatform):
    """Counts characters where the platform counts UTF-16."""

    def __init__(self, *, capabilities: Capabilities = CAPABILITIES, token: str = TOKEN) -> None:
        super().__init__(capabilities=replace(capabilities, text_unit="codepoint"), token=token)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES


class Trimming(FakePlatform):
    """Sends to the first part of a chat id."""

    async def send(self, delivery: Delivery) -> Sent:
        target = replace(delivery.target, chat_id=delivery.target.chat_id.partition(":")[0])
        return await super().send(replace(delivery, target=target))


class Translating(FakePlatform):
    """Tells of failures in its own way."""

    def translate(self, error: SendFailed) -> SendFailed | None:
        raise NotImplementedError

    async def send(self, delivery: Delivery) -> Sent:
        try:
            return await super().send(delivery)
        except SendFailed as error:
            translated = self.translate(error)
            if translated is None:
                return Sent()
            raise translated from error.__cause__


class Sulking(Translating):
    """Sends nothing more once a send has failed."""

    def translate(self, error: SendFailed) -> SendFailed:
        self.fails(*[error] * 9)
        return error


class Guessing(Translating):
    """Takes an unknown outcome for a failure, so that messages are doubled."""

    def translate(self, error: SendFailed) -> SendFailed:
        return SendTemporary("timeout") if isinstance(error, SendUnknown) else error


class Hoping(Translating):
    """Takes an unknown outcome for a success, so that messages are lost."""

    def translate(self, error: SendFailed) -> SendFailed | None:
        return None if isinstance(error, SendUnknown) else error


class Stubborn(Translating):
    """Tries for ever what was refused for good."""

    def translate(self, error: SendFailed) -> SendFailed:
        return SendTemporary("refused") if isinstance(error, SendPermanent) else error


class Impatient(Translating):
    """Does not say how long to wait."""

    def translate(self, error: SendFailed) -> SendFailed:
        return SendTemporary("slow down") if isinstance(error, SendTemporary) else error


class Blabbing(Translating):
    """Names its token in an error."""

    def translate(self, error: SendFailed) -> SendFailed:
        return SendPermanent(f"refused for {TOKEN}") if isinstance(error, SendPermanent) else error


class Chaining(Translating):
    """Names its token in the error behind the error."""

    def translate(self, error: SendFailed) -> SendFailed:
        error.__cause__ = ConnectionError(f"https://chat.example/bot{TOKEN}/send")
        return error


class Logging(FakePlatform):
    """Writes its token into a log."""

    async def send(self, delivery: Delivery) -> Sent:
        logging.getLogger("chatty").debug("sending with %s", TOKEN)
        return await super().send(delivery)


class Showing(FakePlatform):
    """Has its token in its repr."""

    def __repr__(self) -> str:
        return f"Showing({TOKEN!r})"


class Endless(FakePlatform):
    """Waits for an answer for as long as it takes."""

    def fails(self, *errors: SendFailed, seconds: float = 0.0, arrived: bool = False) -> None:
        super().fails(*errors, seconds=seconds * 100, arrived=arrived)


class Trusting(FakePlatform):
    """Starts without a credential."""

    def __init__(self, *, capabilities: Capabilities = CAPABILITIES, token: str = TOKEN) -> None:
        super().__init__(capabilities=capabilities, token=token.strip() or TOKEN)


class Leaving(FakePlatform):
    """Stops by itself."""

    async def run(self, link: Link) -> None:
        self._link = link


class Clinging(FakePlatform):
    """Takes a cancelling for a normal end."""

    async def run(self, link: Link) -> None:
        try:
            await super().run(link)
        except asyncio.CancelledError:
            return


BROKEN = {
    Hasty: "test_a_message_that_could_not_be_stored_is_not_acknowledged",
    Shuffling: "test_messages_are_received_in_the_order_in_which_they_were_sent",
    Careless: "test_a_message_that_could_not_be_stored_is_not_acknowledged",
    Lowering: "test_ids_of_received_messages_are_left_as_they_are",
    Shortening: "test_ids_of_received_messages_are_left_as_they_are",
    Ambiguous: "test_a_second_copy_has_the_key_of_the_first_and_another_message_has_another",
    Forgetful: "test_a_second_copy_has_the_key_of_the_first_and_another_message_has_another",
    Emptying: "test_every_captured_payload_becomes_a_message_or_is_ignored_on_purpose",
    Picky: "test_every_captured_payload_becomes_a_message_or_is_ignored_on_purpose",
    Fragile: "test_a_refused_message_disturbs_no_other",
    Shy: "test_a_text_of_exactly_the_limit_arrives_whole",
    Sulking: "test_a_send_works_again_after_a_fault",
    Cutting: "test_a_text_over_the_limit_is_refused_and_never_cut",
    Miscounting: "test_a_text_over_the_limit_is_refused_and_never_cut",
    Trimming: "test_ids_of_sent_messages_are_left_as_they_are",
    Guessing: "test_each_fault_is_told_by_its_kind",
    Hoping: "test_each_fault_is_told_by_its_kind",
    Stubborn: "test_each_fault_is_told_by_its_kind",
    Impatient: "test_the_wait_that_a_rate_limit_asks_for_is_passed_on",
    Blabbing: "test_no_secret_is_in_a_log_an_error_or_a_repr",
    Chaining: "test_no_secret_is_in_a_log_an_error_or_a_repr",
    Logging: "test_no_secret_is_in_a_log_an_error_or_a_repr",
    Showing: "test_no_secret_is_in_a_log_an_error_or_a_repr",
    Endless: "test_each_fault_is_told_by_its_kind",
    Trusting: "test_a_blank_secret_refuses_to_start",
    Leaving: "test_it_runs_until_it_is_cancelled_and_then_stops_at_once",
    Clinging: "test_it_runs_until_it_is_cancelled_and_then_stops_at_once",
}


class Contract(PlatformContract):
    """The contract around one class of fakes."""

    def __init__(self, kind: type[FakePlatform]) -> None:
        self._kind = kind

    @asynccontextmanager
    async def _rig(self) -> AsyncIterator[FakeRig]:
        yield FakeRig(self._kind(capabilities=CAPABILITIES))

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        return self._rig()

    def failed(self) -> set[str]:
        """The names of the tests that fail."""
        return {name for name in TESTS if self._fails(name)}

    def _fails(self, name: str) -> bool:
        try:
            getattr(self, name)()
        except (AssertionError, SendFailed):
            return True
        return False


def test_a_sound_driver_passes() -> None:
    assert Contract(FakePlatform).failed() == set()


@pytest.mark.parametrize(("broken", "caught_by"), BROKEN.items(), ids=[kind.__name__ for kind in BROKEN])
def test_a_broken_driver_is_caught(broken: type[FakePlatform], caught_by: str) -> None:
    assert caught_by in Contract(broken).failed()


def test_no_test_of_the_contract_goes_without_a_driver_that_fails_it() -> None:
    assert set(BROKEN.values()) == set(TESTS)
