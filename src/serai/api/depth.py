"""How deep JSON may be nested that is passed on as it is: what can be read must be possible to write again, too."""

from collections.abc import Mapping
from typing import Any, Final

from serai.api.error import invalid

DEPTH_MOST: Final = 100
"""Levels. Reading and writing both end near a thousand, by where in the program they happen."""


def check_depth(value: Mapping[str, Any] | None, param: str) -> None:
    """Raises ApiError 400 for a document that is nested too deeply."""
    level: list[Any] = [value or {}]
    depth = 0
    while level := [child for node in level for child in _children(node)]:
        depth += 1
        if depth > DEPTH_MOST:
            raise invalid(param, f"`{param}` is nested more than {DEPTH_MOST} levels deep.")


def _children(node: Any) -> list[Any]:
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [one for one in inside if isinstance(one, dict | list)]
