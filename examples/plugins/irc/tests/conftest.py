"""The servers that the tests run against: the peer, and ngIRCd where there is one."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from ngircd import PROGRAM, WHY_NOT, Ngircd
from peer import Peer
from person import Server

Serving = Callable[[], AbstractAsyncContextManager[Server]]


@pytest.fixture(params=["peer", "ngircd"])
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Serving:
    """Each of the servers in turn."""
    if request.param == "peer":
        return Peer
    if PROGRAM is None:
        pytest.skip(WHY_NOT)
    return lambda: Ngircd(tmp_path)
