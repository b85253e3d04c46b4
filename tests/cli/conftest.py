"""An empty home for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal
from tests.port import reserved


@pytest.fixture
def serai(tmp_path: Path) -> Terminal:
    home = tmp_path / "home"
    home.mkdir()
    return Terminal(home)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens."""
    with reserved() as port:
        yield port


@pytest.fixture
def gateway(serai: Terminal) -> Iterator[FakeGateway]:
    """A gateway that runs for the terminal's home and answers as it is told to."""
    with FakeGateway(serai.home) as fake:
        yield fake
