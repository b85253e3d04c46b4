"""Jobs files that cannot be used: told, never written over, and nobody else's jobs wait for them (SPEC 9.1, 16.4)."""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.schedules.cast import Actor, job
from tests.schedules.world import House, until, until_it, world

pytestmark = pytest.mark.slow

JOB = "0123456789ab"
CONTROL = "ba9876543210"
WHOLE = json.dumps({"jobs": [job(JOB, "every 1s")]})
SEEN_SECONDS = 5.0
TRIES = 3


def _text(data: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_bytes(data)

    return spoil


def _unreadable(path: Path) -> None:
    path.write_text(WHOLE)
    path.chmod(0)


DAMAGE: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (_text(WHOLE[:-9].encode()), "jobs.json is no JSON"),
    "empty": (_text(b""), "jobs.json is"),
    "control": (_text(WHOLE.replace("[", "[\x01").encode()), "jobs.json is no JSON"),
    "list": (_text(f"[{WHOLE}]".encode()), "jobs.json"),
    "large": (_text(WHOLE.encode() + b" " * 10_000_000), "is larger than 5,000,000 bytes"),
    "latin": (_text(WHOLE.replace("do ", "f\xfcr ").encode("latin-1")), "is not UTF-8 (line 1)"),
    "folder": (Path.mkdir, "is no regular file"),
    "locked": (_unreadable, "cannot be read: Permission denied"),
    "linked": (lambda path: path.symlink_to("../../main/cron/jobs.json"), "is a link to a file outside"),
}
"""What is wrong with a file: how it is made so, and what is said of it."""


def contents(actor: Actor) -> object:
    """What is there in the place of a jobs file: all that writing would change."""
    found = actor.file.lstat()
    kept = (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)
    return kept, None if actor.file.is_dir() else actor.file.read_bytes()


async def test_damaged_files_are_told_and_left_alone_and_mended_ones_run(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        main, whole = on.actor("main"), on.actor("whole")
        damaged = {kind: on.actor(kind) for kind in DAMAGE}
        house = on.house(main, whole, *damaged.values())
        for kind, (spoil, _) in DAMAGE.items():
            damaged[kind].cron.mkdir()
            spoil(damaged[kind].file)
        main.write(job(CONTROL, "every 1s"))
        whole.cron.mkdir()
        whole.file.write_bytes(WHOLE.replace("do ", "do\x01\\u0002 ").encode())
        before = {one.id: contents(one) for one in (main, whole, *damaged.values())}
        await house.up(bound=True)

        for kind, actor in damaged.items():
            said = DAMAGE[kind][1]

            await until_it(partial(_is_told, house, kind))
            events = [one for one in house.log() if one.get("agent") == kind and said in one.get("problem", "")]
            assert [one["level"] for one in events] == ["error"], kind
            assert events[0]["file"] == str(actor.file)
            new = {"agent": kind, "schedule": "every 1s", "prompt": "x"}
            status, document = await house.api("POST", "/api/jobs", new)
            assert (status, document["error"]["code"]) == (409, "jobs_damaged"), kind
        assert (await house.api("DELETE", f"/api/jobs/{JOB}?agent=truncated"))[0] == 409

        await until(lambda: len(house.ran(main, CONTROL)) >= 4 and bool(on.recorder.of(whole)))
        assert {one.id: contents(one) for one in (main, whole, *damaged.values())} == before
        await house.settles(main, CONTROL)
        assert any("control characters" in text for text in await house.problems("whole"))
        assert on.recorder.of(whole)[0].user_text == f"do {JOB}"
        assert not any(on.recorder.of(one) for one in damaged.values())

        took: list[float] = []
        while min(took, default=SEEN_SECONDS + 1) >= SEEN_SECONDS + 1:
            assert len(took) < TRIES, f"it took {took} s"
            for kind, actor in damaged.items() if took else ():
                _damage_again(kind, actor)
                await until_it(partial(_is_told, house, kind))
            began, before = time.time(), {kind: len(house.ran(one, JOB)) for kind, one in damaged.items()}
            for actor in damaged.values():
                _mend(actor)
            await until(lambda before=before: all(len(house.ran(damaged[k], JOB)) > n for k, n in before.items()))
            took.append(min(house.ran(damaged[k], JOB)[n] - began for k, n in before.items()))
        await house.settles(main, CONTROL)
        for kind in damaged:
            assert await house.problems(kind) == []


async def _is_told(house: House, kind: str) -> bool:
    return any(DAMAGE[kind][1] in text for text in await house.problems(kind))


def _damage_again(kind: str, actor: Actor) -> None:
    actor.file.unlink()
    DAMAGE[kind][0](actor.file)


def _mend(actor: Actor) -> None:
    if actor.file.is_dir():
        actor.file.rmdir()
    actor.file.unlink(missing_ok=True)
    actor.file.write_text(WHOLE)


async def test_a_file_that_is_damaged_under_a_running_gateway_rests_until_it_is_mended(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        main, ops = on.actor("main"), on.actor("ops")
        house = on.house(main, ops)
        ops.write(job(JOB, "every 1s"))
        await house.up()
        await until(lambda: bool(house.ran(ops, JOB)))
        ops.file.write_text(WHOLE[: len(WHOLE) // 2])

        async def is_told() -> bool:
            return bool(await house.problems("ops"))

        await until_it(is_told)
        rested = len(house.ran(ops, JOB))
        main.write(job(CONTROL, "every 1s"))
        await until(lambda: len(house.ran(main, CONTROL)) >= 3)
        assert len(house.ran(ops, JOB)) <= rested + 1  # one may have been on its way
        rested = len(house.ran(ops, JOB))
        ops.file.write_text(WHOLE)
        await until(lambda: len(house.ran(ops, JOB)) >= rested + 2)
        await house.settles(ops, JOB)


async def test_a_hand_edit_is_seen_within_five_seconds(tmp_path: Path) -> None:
    """By the best of several tries: what disturbs one of them is the machine."""
    took: list[float] = []
    async with world(tmp_path) as on:
        ops = on.actor("ops")
        house = on.house(on.actor("main"), ops)
        ops.write(job(JOB, "every 1h"))
        await house.up()

        async def is_slow() -> bool:
            schedule: str = (await house.get(f"/api/jobs/{JOB}"))["schedule"]
            return schedule == "every 1h"

        while min(took, default=SEEN_SECONDS + 1) >= SEEN_SECONDS + 1:
            assert len(took) < TRIES, f"it took {took} s"
            began, before = time.time(), len(house.ran(ops, JOB))
            ops.write(job(JOB, "every 1s"))
            await until(lambda before=before: len(house.ran(ops, JOB)) > before)
            took.append(house.ran(ops, JOB)[before] - began)
            ops.write(job(JOB, "every 1h"))
            await until_it(is_slow)
