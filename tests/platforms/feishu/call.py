"""One request of an app, and what may come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.feishu.state import AppState


class ApiError(Exception):
    """An answer with an error code."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass
class Call:
    """One request of an app. `parts` are what the route has left open."""

    app: AppState
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Blob:
    """An answer that is a file."""

    data: bytes
