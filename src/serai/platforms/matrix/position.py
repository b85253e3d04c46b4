"""How far the account's sync has come: kept over a restart, so that nothing is missed and nothing replayed."""

from pathlib import Path

import msgspec


class Position(msgspec.Struct, frozen=True):
    """A sync token, and whose it is."""

    user_id: str
    device_id: str
    since: str


class PositionFile:
    """Keeps a position in a folder. A file that cannot be read is none: the account then begins anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "position.json"
        self._written: Position | None = None

    def read(self, user_id: str, device_id: str) -> str | None:
        """The sync token of this user and device, None where there is none yet."""
        try:
            position = msgspec.json.decode(self._path.read_bytes(), type=Position)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeError):
            return None
        return position.since if (position.user_id, position.device_id) == (user_id, device_id) else None

    def write(self, position: Position) -> None:
        """Replaces what was there, as a whole. Raises OSError."""
        if position == self._written:
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(position))
        fresh.replace(self._path)
        self._written = position
