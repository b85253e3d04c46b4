"""A full disk and a home that cannot be written: told clearly, and survived (SPEC 5.9)."""

import asyncio
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.harness import Harness, harness
from tests.crash.home import make_home
from tests.crash.ledger import Unfinished, read
from tests.crash.peers import mark_of
from tests.crash.traffic import Post
from tests.process import bound
from tests.process.caller import Caller
from tests.process.disk import Disk, small_disk
from tests.process.gateway import GatewayProcess, NotUp, gateways

pytestmark = pytest.mark.slow

_DISK_BYTES = 4 * 2**20
_NOWHERE = "http://127.0.0.1:9"
_BOUND = str(Path(bound.__file__))


@dataclass(frozen=True, slots=True)
class Squeeze:
    """A way to take a running gateway its space, and to give it back."""

    home: Path
    take: Callable[[GatewayProcess], None]
    give: Callable[[GatewayProcess], None]


@contextmanager
def full_disk(folder: Path) -> Iterator[Squeeze]:
    """ENOSPC on a disk of our own."""
    with small_disk(folder / "disk", _DISK_BYTES) as disk:
        yield Squeeze(disk.path / "home", lambda _: disk.fill(), lambda _: disk.empty())


@contextmanager
def small_files(folder: Path) -> Iterator[Squeeze]:
    """EFBIG for everything that the database wants to add, by a limit of the process."""
    if sys.platform != "linux":
        pytest.skip("only Linux changes the limits of another process")
    home = folder / "home"
    endless = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def limit(gateway: GatewayProcess, size: int) -> None:
        if gateway.is_alive:
            resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (size, endless))

    def wal() -> int:
        """The end of the one file that every write of the store goes behind."""
        return (home / "state.db-wal").stat().st_size

    yield Squeeze(home, lambda gateway: limit(gateway, wal()), lambda gateway: limit(gateway, endless))


@pytest.fixture(params=[full_disk, small_files], ids=["full-disk", "file-size-limit"])
def squeeze(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Squeeze]:
    with request.param(tmp_path) as made:
        yield made


def message(text: str) -> dict[str, str]:
    return {"chat_id": "room-9", "user_id": "alice", "message_id": text, "text": text}


async def refused(caller: Caller) -> None:
    """New work is refused, over both entrances, with the reason; the process answers otherwise."""
    for answer in (await caller.post(message("too much")), await caller.ask("too much")):
        assert answer.status == 503, answer
        assert answer.code == "storage_failed"
        assert "database could not be written" in answer.document["error"]["message"]
    assert '"ok"' in await caller.get("/health")


def all_posts(one: Harness) -> list[Post]:
    return [post for chat in one.traffic.chats.values() for post in chat.posts]


async def test_a_full_disk_refuses_new_work_and_loses_no_accepted_one(squeeze: Squeeze, tmp_path: Path) -> None:
    async with harness(tmp_path, home=squeeze.home) as one:
        posts = [one.traffic.say(f"room-{n}", kind) for n, kind in enumerate(("plain", "note", "plain", "both"))]
        one.model.held = {mark_of(post.text): 0 for post in posts}
        gateway = await one.start()
        caller = one.caller(gateway)
        await one.traffic.flow(caller)
        await asyncio.gather(*(one.model.waits(mark) for mark in one.model.held))
        squeeze.take(gateway)
        await refused(caller)
        one.model.go.set()
        await one.log("an answer waits to be stored")
        await refused(caller)
        squeeze.give(gateway)
        await one.quiet()
        one.traffic.say("room-0", "note")
        one.traffic.ask("plain", keyed=True)
        await one.finish(gateway)
        await one.stop(gateway)
        stored = [row.text for row in read(one.database).inputs]
        assert sorted(stored) == sorted([*(post.text for post in all_posts(one)), one.traffic.calls[0].text])
    taken = {answer.reply_to[0]: answer.text for answer in one.receiver.taken}
    assert set(taken) == {post.id for post in all_posts(one)}
    for post in all_posts(one):
        answered = taken[post.id].startswith(f"answer to {mark_of(post.text)}")
        needed_space = post in posts and "plain" not in post.text
        assert answered or (needed_space and "could not be written" in taken[post.id]), taken


async def test_an_answer_that_was_sent_while_the_disk_was_full_does_not_hold_up_its_chat(
    squeeze: Squeeze, tmp_path: Path
) -> None:
    async with harness(tmp_path, home=squeeze.home) as one:
        one.receiver.open.clear()
        one.traffic.say("room-1", "plain")
        one.traffic.say("room-1", "plain")
        gateway = await one.start()
        await one.traffic.flow(one.caller(gateway))
        await one.quiet(but=Unfinished(inputs=0, turns=0, deliveries=2))
        await one.receiver.count(1)
        squeeze.take(gateway)
        one.receiver.open.set()
        await one.log("what came of a delivery waits to be stored")
        squeeze.give(gateway)
        await one.quiet()
        await one.stop(gateway)
        assert one.judge().messages == 2


async def test_a_gateway_that_dies_on_a_full_disk_goes_on_when_there_is_space(
    squeeze: Squeeze, tmp_path: Path
) -> None:
    async with harness(tmp_path, home=squeeze.home) as one:
        post = one.traffic.say("room-1", "plain")
        one.model.held = {mark_of(post.text): 0}
        gateway = await one.start()
        await one.traffic.flow(one.caller(gateway))
        await one.model.waits(mark_of(post.text))
        squeeze.take(gateway)
        one.model.go.set()
        await one.log("an answer waits to be stored")
        await one.kill(gateway)
        squeeze.give(gateway)
        assert (await one.live()).turns == 1


async def told_in_a_sentence(home: Path, folder: Path) -> str:
    """What `serai up` says about a home that it cannot use."""
    async with gateways(folder) as nursery:
        with pytest.raises(NotUp) as death:
            await nursery.start(["-S", _BOUND, "-m", "serai", "--home", str(home), "up", "--port", "0"])
    assert death.value.code == 1
    said = death.value.errors.strip()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    assert said.startswith("Error: ")
    return said


def used_home(disk: Disk) -> Path:
    return make_home(disk.path / "home", _NOWHERE, _NOWHERE)


async def test_a_home_on_a_read_only_disk_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", _DISK_BYTES) as disk:
        home = used_home(disk)
        disk.lock()
        said = await told_in_a_sentence(home, tmp_path)
        assert str(home) in said
        assert "Read-only file system" in said


async def test_a_used_home_that_became_read_only_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", _DISK_BYTES) as disk:
        async with harness(tmp_path, home=disk.path / "home") as one:
            one.traffic.say("room-1", "note")
            await one.live()
        disk.lock()
        said = await told_in_a_sentence(one.home, tmp_path)
        assert str(one.home) in said
        assert "Read-only file system" in said


async def test_a_start_on_a_full_disk_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", _DISK_BYTES) as disk:
        home = used_home(disk)
        disk.fill()
        said = await told_in_a_sentence(home, tmp_path)
        assert "No space left on device" in said
        disk.empty()
        async with gateways(tmp_path) as nursery:
            await nursery.start(["-m", "serai", "--home", str(home), "up", "--port", "0"])


async def test_a_home_without_permission_is_refused_in_one_sentence(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", _NOWHERE, _NOWHERE)
    home.chmod(0o500)
    try:
        assert str(home) in await told_in_a_sentence(home, tmp_path)
    finally:
        home.chmod(0o700)
