"""Files that come with messages, and files that go along with answers (SPEC 6.8)."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serai.core.delivery import Enclosure
from serai.core.error import SendTemporary
from serai.core.ids import Account, AgentId
from serai.core.live import LivePolicy
from serai.core.message import Attachment, Image, Message
from serai.core.snapshot import Access, AccountSettings
from serai.ports.model import ModelRequest
from serai.ports.platform import Capabilities, Growth
from serai.ports.tool import ToolContext
from serai.testing.clock import virtual_time
from serai.testing.model import Entry, ScriptedModel
from serai.testing.platform.fake import FakePlatform
from tests.conversations.mortal import Life
from tests.conversations.script import Kill
from tests.gateway.mortal import lives
from tests.gateway.stage import FakeInbox, Stage, snapshot
from tests.gateway.test_steps import FakeTool, call

FETCHES = Capabilities(4096, fetches=True)
PDF = b"%PDF-1.7 " + bytes(100)
PNG = b"\x89PNG " + bytes(20)
MAIN = AgentId("main")


class Scene:
    """A chat on a platform whose messages bring files."""

    def __init__(
        self, script: Sequence[Entry] = ("seen",), capabilities: Capabilities = FETCHES, **parts: Any
    ) -> None:
        self.model = ScriptedModel(script)
        self.fake = FakePlatform(capabilities=capabilities)
        self.inbox = FakeInbox()
        self.stage = Stage(self.model, platforms=[self.fake], inbox=self.inbox, **parts)

    async def answer(self, text: str, *attachments: Attachment) -> str:
        await self.fake.says(text, attachments=attachments)
        return (await self.fake.answer()).text

    @property
    def said(self) -> Message:
        """What the model was told last by people."""
        return [one for one in self.model.requests[-1].messages if one.role == "user"][-1]


@virtual_time
async def test_a_file_is_kept_in_the_agents_workspace_before_the_model_hears_of_it() -> None:
    scene = Scene()
    async with scene.stage.running():
        assert await scene.answer("read this", scene.fake.file("plan.pdf", "application/pdf", PDF)) == "seen"
    ((agent, path),) = scene.inbox.files
    assert (agent, scene.inbox.files[agent, path]) == (MAIN, PDF)
    assert (path.startswith("inbox/"), path.endswith("/plan.pdf")) == (True, True)
    assert scene.said.text == f"read this\n[file: {path} (application/pdf, 109 bytes)]"


@virtual_time
async def test_a_picture_is_shown_and_a_voice_note_is_named_as_such() -> None:
    scene = Scene()
    async with scene.stage.running():
        voice = replace(scene.fake.file("", "audio/ogg", b"OggS"), name=None)
        await scene.answer("", scene.fake.file("cat.png", "image/png", PNG), voice)
    assert scene.said.images == (Image("data:image/png;base64,iVBORyAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),)
    first, second = scene.said.text.splitlines()
    assert first.startswith("[picture: inbox/")
    assert (second.startswith("[voice note: inbox/"), "/1-voice-note.ogg (audio/ogg, 4 bytes)]" in second) == (
        True,
        True,
    )


@virtual_time
async def test_a_file_by_address_is_fetched_and_a_picture_in_the_message_needs_no_network() -> None:
    scene = Scene(["seen", "seen"])
    async with scene.stage.running():
        await scene.answer("look", Attachment("data:image/png;base64,AAAA", "dot.png", "image/png", 3))
        assert len(scene.said.images) == 1
        began = scene.stage.clock.now()
        await scene.answer("look", Attachment("https://files.example/a.pdf", "a.pdf", "application/pdf"))
        assert scene.stage.clock.now() - began == pytest.approx(30, abs=1), "it is tried for a while"
    assert "[The file `a.pdf`: there is no network here. It was not taken; tell the person so.]" in scene.said.text


@virtual_time
async def test_what_is_too_large_or_of_no_supported_kind_is_told_clearly() -> None:
    account = AccountSettings(Account("fake"), Access(open=True), merge=False, file_limit=100)
    config = snapshot(accounts={Account("fake"): account})
    scene = Scene(["seen"], config=config)
    large = scene.fake.file("plan.pdf", "application/pdf", PDF)
    async with scene.stage.running():
        alone = await scene.answer("", large)
        assert alone == "I could not take the file `plan.pdf`: it is larger than 100 bytes."
        sticker = Attachment(name=None, media_type="application/x-sticker")
        assert await scene.answer("", sticker) == "I could not take the file: this kind is not supported."
        assert scene.model.requests == [], "nobody needs a model for that"
        assert await scene.answer("what is in it?", replace(large, size=None)) == "seen"
    assert (
        "[The file `plan.pdf`: it is larger than 100 bytes. It was not taken; tell the person so.]" in scene.said.text
    )
    assert scene.inbox.files == {}


@virtual_time
async def test_where_no_files_are_wanted_none_are_taken() -> None:
    account = AccountSettings(Account("fake"), Access(open=True), merge=False, file_limit=0)
    scene = Scene(config=snapshot(accounts={Account("fake"): account}))
    async with scene.stage.running():
        answer = await scene.answer("", scene.fake.file("plan.pdf", "application/pdf", PDF))
    assert answer.startswith("I could not take the file")


@virtual_time
async def test_a_full_disk_is_told_and_costs_no_turn() -> None:
    scene = Scene()
    scene.inbox.full = True
    async with scene.stage.running():
        assert await scene.answer("read", scene.fake.file("plan.pdf", "application/pdf", PDF)) == "seen"
    assert "it could not be kept: the disk is full" in scene.said.text


@virtual_time
async def test_a_connection_that_fails_for_a_moment_is_asked_again() -> None:
    failures: list[Exception] = [SendTemporary("not now"), ConnectionError("gone"), TimeoutError()]

    class Flaky(FakePlatform):
        async def fetch(self, attachment: Attachment, limit: int) -> bytes:
            if failures:
                raise failures.pop()
            return await super().fetch(attachment, limit)

    fake = Flaky(capabilities=FETCHES)
    inbox = FakeInbox()
    async with Stage(ScriptedModel(["seen"]), platforms=[fake], inbox=inbox).running():
        await fake.says("read", attachments=(fake.file("a.txt", "text/plain", b"hi"),))
        assert (await fake.answer()).text == "seen"
    assert list(inbox.files.values()) == [b"hi"]


@virtual_time
async def test_a_driver_with_a_bug_costs_the_file_and_not_the_turn() -> None:
    class Broken(FakePlatform):
        async def fetch(self, attachment: Attachment, limit: int) -> bytes:
            raise KeyError("oops")

    fake = Broken(capabilities=FETCHES)
    model = ScriptedModel(["seen"])
    async with Stage(model, platforms=[fake]).running():
        await fake.says("read", attachments=(fake.file("a.txt", "text/plain", b"hi"),))
        assert (await fake.answer()).text == "seen"
    assert "the connection to its platform failed" in model.requests[0].messages[-1].text


@virtual_time
async def test_a_file_of_a_message_that_joins_a_turn_is_taken_too() -> None:
    account = AccountSettings(Account("fake"), Access(open=True))
    config = replace(snapshot(live=LivePolicy(busy_mode="steer")), accounts={Account("fake"): account})
    scene = Scene([call(), "seen"], config=config, tools={"act": FakeTool(delay=10)})
    async with scene.stage.running():
        await scene.fake.says("go")
        await asyncio.sleep(3)
        await scene.fake.says("and this", attachments=(scene.fake.file("cat.png", "image/png", PNG),))
        assert (await scene.fake.answer()).text == "seen"
    assert (len(scene.said.images), list(scene.inbox.files.values())) == (1, [PNG])


@pytest.mark.parametrize(("side", "write"), [("before", "fetch"), ("after", "fetch"), ("before", "finish")])
def test_a_kill_loses_no_file_and_fetches_none_twice_that_is_kept(side: str, write: str, tmp_path: Path) -> None:
    @virtual_time
    async def check() -> None:
        peer, inbox = FakePlatform(capabilities=FETCHES), FakeInbox()
        model = ScriptedModel(lambda _: "seen")
        async with lives(tmp_path / "state.db", model, peer, inbox=inbox) as gateways:
            life = Life(Kill(side, write, 1))
            await gateways.begin(life)
            await peer.says("look", attachments=(peer.file("cat.png", "image/png", PNG),))
            await life.over.wait()
            await gateways.begin(Life())
            assert (await peer.answer()).text == "seen"
            (user,) = [one for one in model.requests[-1].messages if one.role == "user"]
        assert (len(user.images), list(inbox.files.values())) == (1, [PNG])

    check()


class Sender(FakeTool):
    """A tool that sends a file of its own along."""

    def __init__(self, folder: Path, size: int = 3) -> None:
        super().__init__()
        self.folder = folder
        self.size = size

    def enclosure(self, context: ToolContext, arguments: Mapping[str, Any]) -> Enclosure | None:
        path = self.folder / f"{hashlib.blake2b(context.call_id.encode()).hexdigest()[:8]}.bin"
        path.write_bytes(b"x" * self.size)
        return Enclosure(str(path), "report.pdf", "application/pdf", self.size)


@pytest.mark.parametrize("growth", [None, Growth(1)])
def test_a_file_goes_along_with_the_answer(growth: Growth | None, tmp_path: Path) -> None:
    @virtual_time
    async def check() -> None:
        capabilities = Capabilities(4096, enclosure_bytes=100, growth=growth)
        model = ScriptedModel([call(), " ".join(["There it is."] * 5)], word_s=0.3)
        fake = FakePlatform(capabilities=capabilities)
        async with Stage(model, platforms=[fake], tools={"act": Sender(tmp_path)}).running():
            await fake.says("send it")
            await asyncio.sleep(60)
        answer, file = fake.sent
        assert (answer.text, answer.enclosure) == (" ".join(["There it is."] * 5), None)
        assert (file.text, file.enclosure and file.enclosure.name) == ("", "report.pdf")
        assert fake.enclosures["r2"] == b"xxx"

    check()


@pytest.mark.parametrize("most", [None, 2])
def test_where_no_such_file_can_be_sent_it_is_named(most: int | None, tmp_path: Path) -> None:
    @virtual_time
    async def check() -> None:
        fake = FakePlatform(capabilities=Capabilities(4096, enclosure_bytes=most))
        async with Stage(
            ScriptedModel([call(), "There it is."]), platforms=[fake], tools={"act": Sender(tmp_path)}
        ).running():
            await fake.says("send it")
            assert (await fake.answer()).text == "There it is.\n\n(The file `report.pdf` cannot be sent here.)"
            await asyncio.sleep(10)
        assert len(fake.sent) == 1

    check()


@virtual_time
async def test_a_file_of_a_turn_that_went_on_after_a_kill_is_sent_once(tmp_path: Path) -> None:
    peer = FakePlatform(capabilities=Capabilities(4096, enclosure_bytes=100))

    def answer(request: ModelRequest) -> Any:
        return call() if request.messages[-1].role == "user" else "There it is."

    async with lives(tmp_path / "state.db", ScriptedModel(answer), peer, tools={"act": Sender(tmp_path)}) as gateways:
        life = Life(Kill("before", "finish", 1))
        await gateways.begin(life)
        await peer.says("send it")
        await life.over.wait()
        await gateways.begin(Life())
        await asyncio.sleep(30)
    assert [(sent.text, bool(sent.enclosure)) for sent in peer.sent] == [("There it is.", False), ("", True)]


@virtual_time
async def test_a_file_without_words_is_sent_alone(tmp_path: Path) -> None:
    fake = FakePlatform(capabilities=Capabilities(4096, enclosure_bytes=100))
    async with Stage(
        ScriptedModel([call(), "NO_REPLY"]), platforms=[fake], tools={"act": Sender(tmp_path)}
    ).running():
        await fake.says("send it")
        assert (await fake.answer()).enclosure is not None
