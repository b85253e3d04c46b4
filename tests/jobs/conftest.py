"""A home for each test."""

from pathlib import Path

import pytest


@pytest.fixture
def cron(tmp_path: Path) -> Path:
    """Where an agent's jobs would be; the folder itself is not there yet."""
    home = tmp_path / "home"
    home.mkdir()
    return home / "cron"
