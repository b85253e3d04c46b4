"""One gateway per home (SPEC 2.1)."""

import json
import os
import stat
from pathlib import Path

import pytest

from serai.app.lock import hold
from serai.core.error import Startup


def test_a_second_gateway_is_told_the_firsts_pid(tmp_path: Path) -> None:
    path = tmp_path / "gateway.lock"
    with hold(path), pytest.raises(Startup, match=rf"already runs .*pid {os.getpid()}"), hold(path):
        pass


def test_the_lock_tells_its_home_where_the_gateway_is_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "gateway.lock"
    with hold(path) as lock:
        lock.announce("http://127.0.0.1:1", "fake-token")
        assert json.loads(path.read_text()) == {
            "pid": os.getpid(),
            "url": "http://127.0.0.1:1",
            "token": "fake-token",
        }
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_lock_of_a_process_that_is_gone_is_free(tmp_path: Path) -> None:
    path = tmp_path / "gateway.lock"
    path.write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:1", "token": "old"}))
    with hold(path):
        assert "old" not in path.read_text()
