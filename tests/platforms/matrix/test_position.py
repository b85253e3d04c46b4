"""What a sync's position survives, and where it is none."""

from pathlib import Path

import pytest

from serai.platforms.matrix.position import Position, PositionFile


def test_a_position_is_read_back_by_its_own_session_only(tmp_path: Path) -> None:
    PositionFile(tmp_path).write(Position("@bot:x", "DEVICE", "s1"))
    assert PositionFile(tmp_path).read("@bot:x", "DEVICE") == "s1"
    assert PositionFile(tmp_path).read("@bot:x", "OTHER") is None
    assert PositionFile(tmp_path).read("@else:x", "DEVICE") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"user_id": "@bot:x"'])
def test_a_file_that_cannot_be_read_is_no_position(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "position.json").write_bytes(content)
    assert PositionFile(tmp_path).read("@bot:x", "DEVICE") is None


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert PositionFile(tmp_path).read("@bot:x", "DEVICE") is None
