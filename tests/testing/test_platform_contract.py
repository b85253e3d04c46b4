"""The platform contract catches drivers that break it: each of these is broken in one way."""

import asyncio
import json
import logging
import unittest
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from serai.core.delivery import Delivery, Target
from serai.core.error import (
    LoggedInElsewhere,
    Refused,
    SendFailed,
    SendPermanent,
    SendTemporary,
    SendUnknown,
    Shut,
    StorageFailed,
)
from serai.core.ids import InputId
from serai.core.message import Attachment, Inbound, Press, Revision
from serai.ports.platform import Capabilities, Link, Receipt, Sent
from serai.testing.platform.ability import PlatformAbilityContract
from serai.testing.platform.contract import PlatformContract
from serai.testing.platform.fake import TOKEN, FakePlatform
from serai.testing.platform.live import PlatformLiveContract
from serai.testing.platform.rig import PlatformRig
from serai.testing.platform.stage import Listening
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


class Ending(FakePlatform):
    """Takes one kind of end for the end of everything, and stays as it is."""

    ends_with = ""
    _dead = False

    def drops(self, error: Exception) -> None:
        if str(error) == self.ends_with:
            self._die()
        else:
            super().drops(error)

    def _die(self) -> None:
        self._go_offline()
        self._dead = True
        self._ended.set()

    async def _beat(self) -> None:
        while self._dead:
            self._told.alive()
            await asyncio.sleep(1)
        await super()._beat()

    async def run(self, link: Link) -> None:
        self._told = link
        await super().run(link)


class Contented(Ending):
    """Is content when the other side has said goodbye."""

    ends_with = "closed_1000"


class Polite(Ending):
    """Does not come back where the other side has gone away."""

    ends_with = "closed_1001"


class Despairing(FakePlatform):
    """Takes a cut connection for a reason never to come back."""

    def drops(self, error: Exception) -> None:
        super().drops(Shut("it was cut") if str(error) == "cut" else error)


class Deaf(Ending):
    """Takes its own clock for a sign of life of the other side."""

    def hangs(self) -> None:
        self._die()


class Repeating(Changing):
    """Tells everything anew after each connection, as something new."""

    def __init__(self, *, capabilities: Capabilities = CAPABILITIES, token: str = TOKEN) -> None:
        super().__init__(capabilities=capabilities, token=token)
        self._all: list[Inbound] = []

    def change(self, inbound: Inbound) -> Inbound:
        self._all.append(inbound)
        return inbound

    async def run(self, link: Link) -> None:
        for inbound in self._all:
            await link.receive(replace(inbound, dedupe_key=f"{inbound.dedupe_key}:{self.connections}"))
        await super().run(link)


class Renumbering(Changing):
    """Counts anew in each connection."""

    def change(self, inbound: Inbound) -> Inbound:
        return replace(inbound, dedupe_key=f"{self.connections}:{inbound.dedupe_key}")


class Ascending(FakePlatform):
    """Takes a smaller number than the last for something that it has had."""

    last = ""

    async def delivers(self, inbound: Inbound | Revision | Press) -> Receipt:
        number = str(inbound.source.message_id) if isinstance(inbound, Inbound) else ""
        if number and number < self.last:
            return Receipt(None, duplicate=True)
        self.last = number or self.last
        return await super().delivers(inbound)


class Ordering(FakePlatform):
    """Waits a while, and puts in order what has come."""

    def __init__(self, *, capabilities: Capabilities = CAPABILITIES, token: str = TOKEN) -> None:
        super().__init__(capabilities=capabilities, token=token)
        self._waiting: list[str] = []

    async def delivers(self, inbound: Inbound | Revision | Press) -> Receipt:
        number = str(inbound.source.message_id) if isinstance(inbound, Inbound) else ""
        self._waiting.append(number)
        await asyncio.sleep(0.1)
        while number != min(self._waiting):
            await asyncio.sleep(0.1)
        try:
            return await super().delivers(inbound)
        finally:
            self._waiting.remove(number)


class Brittle(FakePlatform):
    """Gives the connection up over whatever it cannot read."""

    async def tells(self, frame: bytes) -> Receipt | None:
        receipt = await super().tells(frame)
        if receipt is None:
            self.drops(ConnectionError("what was that?"))
            await asyncio.sleep(0)
        return receipt


class Choking(FakePlatform):
    """Tries for ever to read what it cannot."""

    choked = False

    async def tells(self, frame: bytes) -> Receipt | None:
        receipt = await super().tells(frame)
        self.choked = receipt is None
        return receipt

    async def delivers(self, inbound: Inbound | Revision | Press) -> Receipt:
        while self.choked:
            await asyncio.sleep(1)
        return await super().delivers(inbound)


class Credulous(FakePlatform):
    """Hands over whatever comes."""

    async def tells(self, frame: bytes) -> Receipt | None:
        try:
            written = json.loads(frame)
            return await self.says(written["text"], chat=written["chat"], message=written["message"])
        except (ValueError, RecursionError, LookupError, TypeError):
            return None


class Nameless(FakePlatform):
    """Does not know who it is."""

    async def run(self, link: Link) -> None:
        up = link.up
        link.up = lambda identity="": up()  # type: ignore[method-assign]
        await super().run(link)


class Echoing(Changing):
    """Takes its own words for somebody else's."""

    def change(self, inbound: Inbound) -> Inbound:
        return replace(inbound, source=replace(inbound.source, is_bot=False))


class Hopeful(FakePlatform):
    """Tries for ever what the platform has refused for good."""

    def drops(self, error: Exception) -> None:
        super().drops(ConnectionError(str(error)) if isinstance(error, Shut) else error)


class Fighting(FakePlatform):
    """Takes the login back from whoever has it now."""

    def drops(self, error: Exception) -> None:
        super().drops(ConnectionError("kicked") if isinstance(error, LoggedInElsewhere) else error)


class Boasting(FakePlatform):
    """Declares what it cannot do."""

    typing = None  # type: ignore[assignment]


class Posting(FakePlatform):
    """Sends a new message for each edit."""

    async def edit(self, delivery: Delivery) -> Sent:
        return await self.send(delivery)


class Anonymous(FakePlatform):
    """Does not tell which message it has sent."""

    async def send(self, delivery: Delivery) -> Sent:
        await super().send(delivery)
        return Sent()


class Editing(FakePlatform):
    """Changes a message in its own way."""

    def change(self, delivery: Delivery) -> Delivery:
        raise NotImplementedError

    async def edit(self, delivery: Delivery) -> Sent:
        return await super().edit(self.change(delivery))


class Clipping(Editing):
    """Cuts what has grown too long."""

    def change(self, delivery: Delivery) -> Delivery:
        return replace(delivery, text=delivery.text[:1000])


class Stingy(FakePlatform):
    """Lets a text grow to half of the limit."""

    async def edit(self, delivery: Delivery) -> Sent:
        if len(delivery.text) > 2000:
            raise SendPermanent("too long for my taste")
        return await super().edit(delivery)


class Misplacing(Editing):
    """Edits in the first part of a chat id."""

    def change(self, delivery: Delivery) -> Delivery:
        chat = delivery.target.chat_id.partition(":")[0]
        return replace(delivery, target=replace(delivery.target, chat_id=chat))


class Sticky(Editing):
    """Leaves the buttons where they are."""

    def change(self, delivery: Delivery) -> Delivery:
        before = next(sent for sent in self.sent if sent.remote_id == delivery.remote_id)
        return replace(delivery, buttons=before.buttons)


class Fussy(FakePlatform):
    """Passes on that a message is not modified."""

    async def edit(self, delivery: Delivery) -> Sent:
        if any(sent.text == delivery.text for sent in self.sent):
            raise SendPermanent("message is not modified")
        return await super().edit(delivery)


class Mute(FakePlatform):
    """Never shows that it is typing."""

    async def typing(self, target: Target, on: bool) -> None: ...


class Pressing(FakePlatform):
    """Tells of a press in its own way."""

    def change_press(self, press: Press) -> Press:
        raise NotImplementedError

    async def delivers(self, inbound: Inbound | Revision | Press) -> Receipt:
        return await super().delivers(self.change_press(inbound) if isinstance(inbound, Press) else inbound)


class Clipped(Pressing):
    """Has room for a short value only."""

    def change_press(self, press: Press) -> Press:
        return replace(press, value=press.value[:20])


class Indifferent(Pressing):
    """Does not care who pressed."""

    def change_press(self, press: Press) -> Press:
        return replace(press, source=replace(press.source, user_id=None))


class Sulky(Pressing):
    """Lets a refused press hang."""

    def change_press(self, press: Press) -> Press:
        return press

    async def delivers(self, inbound: Inbound | Revision | Press) -> Receipt:
        try:
            return await super().delivers(inbound)
        except Refused:
            raise StorageFailed("refused") from None


class Decoding(FakePlatform):
    """Takes every file for text."""

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        return (await super().fetch(attachment, limit)).decode(errors="ignore").encode()


class Sampling(FakePlatform):
    """Reads as much of a file as it may."""

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        return (await super().fetch(attachment, 2**30))[:limit]


class Describing(FakePlatform):
    """Tells that there is a file, and leaves it out."""

    async def send(self, delivery: Delivery) -> Sent:
        return await super().send(replace(delivery, enclosure=None))


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
    Contented: "test_after_a_clean_close_1000_it_is_there_again",
    Polite: "test_after_a_clean_close_1001_it_is_there_again",
    Despairing: "test_after_a_cut_it_is_there_again",
    Repeating: "test_after_a_cut_it_is_there_again",
    Renumbering: "test_a_copy_that_comes_after_a_reconnect_has_the_key_of_the_first",
    Ascending: "test_messages_that_come_out_of_order_are_each_heard_once",
    Ordering: "test_messages_that_come_out_of_order_are_each_heard_once",
    Brittle: "test_what_is_malformed_is_passed_over",
    Choking: "test_what_is_malformed_is_passed_over",
    Credulous: "test_what_is_malformed_is_passed_over",
    Deaf: "test_a_silent_connection_is_noticed_and_made_anew",
    Nameless: "test_it_says_as_whom_it_has_logged_in",
    Echoing: "test_what_the_bot_itself_said_is_no_message",
    Hopeful: "test_refused_credentials_shut_the_connection",
    Fighting: "test_a_second_login_shuts_the_connection",
    Boasting: "test_it_has_the_methods_of_what_it_declares",
    Posting: "test_an_answer_that_grows_is_one_message_with_the_final_text",
    Anonymous: "test_an_answer_that_grows_is_one_message_with_the_final_text",
    Clipping: "test_a_grown_text_over_the_limit_is_refused_and_never_cut",
    Stingy: "test_a_grown_text_of_exactly_the_limit_arrives_whole",
    Misplacing: "test_ids_of_grown_messages_are_left_as_they_are",
    Fussy: "test_an_edit_that_changes_nothing_is_no_error",
    Mute: "test_typing_is_shown_in_its_chat",
    Clipped: "test_a_pressed_button_tells_its_value_and_who_pressed_it",
    Indifferent: "test_a_pressed_button_tells_its_value_and_who_pressed_it",
    Sulky: "test_a_refused_press_is_acknowledged",
    Sticky: "test_an_edit_without_buttons_takes_them_away",
    Decoding: "test_a_file_that_came_with_a_message_is_fetched_whole",
    Sampling: "test_a_file_over_the_limit_is_refused",
    Describing: "test_a_file_is_sent_whole",
}


class Contract(PlatformContract):
    """The contract around one class of fakes."""

    def __init__(self, kind: type[FakePlatform], capabilities: Capabilities = CAPABILITIES) -> None:
        self._kind = kind
        self._capabilities = capabilities

    @asynccontextmanager
    async def _rig(self) -> AsyncIterator[FakeRig]:
        yield FakeRig(self._kind(capabilities=self._capabilities))

    def rig(self) -> AbstractAsyncContextManager[PlatformRig]:
        return self._rig()

    def failed(self) -> set[str]:
        """The names of the tests that fail."""
        return {name for name in TESTS if self.fails(name)}

    def skipped(self) -> set[str]:
        """The names of the tests that are skipped."""
        return {name for name in TESTS if self._skips(name)}

    def _skips(self, name: str) -> bool:
        try:
            getattr(self, name)()
        except unittest.SkipTest:
            return True
        return False

    def fails(self, name: str) -> bool:
        try:
            getattr(self, name)()
        except (AssertionError, SendFailed):
            return True
        except unittest.SkipTest:
            return False
        return False


def test_a_sound_driver_passes() -> None:
    assert Contract(FakePlatform).failed() == set()


@pytest.mark.parametrize(("broken", "caught_by"), BROKEN.items(), ids=[kind.__name__ for kind in BROKEN])
def test_a_broken_driver_is_caught(broken: type[FakePlatform], caught_by: str) -> None:
    assert Contract(broken).fails(caught_by)


def test_only_tests_of_what_is_not_declared_are_skipped() -> None:
    assert Contract(FakePlatform).skipped() == set()
    plain = Contract(FakePlatform, Capabilities(text_limit=4096, text_unit="utf16"))
    assert plain.failed() == set()
    optional = {name for part in (PlatformLiveContract, PlatformAbilityContract) for name in vars(part)}
    assert plain.skipped() == optional & set(TESTS) - {"test_it_has_the_methods_of_what_it_declares"}


def test_a_rig_that_does_not_play_what_is_declared_fails() -> None:
    class Half:
        def __init__(self, rig: FakeRig) -> None:
            self._rig = rig

        def __getattr__(self, name: str) -> object:
            if name in ("sever", "press", "file", "typings", "log_in_elsewhere"):
                raise AttributeError(name)
            return getattr(self._rig, name)

    class Halved(Contract):
        @asynccontextmanager
        async def _rig(self) -> AsyncIterator[FakeRig]:
            yield Half(FakeRig(FakePlatform(capabilities=CAPABILITIES)))  # type: ignore[misc]

    failed = Halved(FakePlatform).failed()
    assert {"test_a_second_login_shuts_the_connection", "test_typing_is_shown_in_its_chat"} < failed


def test_no_test_of_the_contract_goes_without_a_driver_that_fails_it() -> None:
    assert set(BROKEN.values()) == set(TESTS)
