"""Every call about one job, or one session: what is another's must be there for none of them (SPEC 11.7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Calls = Sequence[tuple[str, str, Any]]
"""Method, path, body."""

SESSION_CALLS: Final[Calls] = (
    ("GET", "", None),
    ("GET", "/messages", None),
    ("PATCH", "", {"title": "x"}),
    ("DELETE", "", None),
    ("POST", "/fork", {}),
    ("POST", "/chat", {"message": "hello"}),
)
"""Paths behind that of the session."""


def job_calls(run: Mapping[str, Any]) -> Calls:
    """Those about a job that has that run; `{}` in a path is the job's id."""
    return (
        ("GET", "/api/jobs/{}", None),
        ("PATCH", "/api/jobs/{}", {"prompt": "mine"}),
        ("DELETE", "/api/jobs/{}", None),
        ("POST", "/api/jobs/{}/pause", None),
        ("POST", "/api/jobs/{}/resume", None),
        ("POST", "/api/jobs/{}/run", None),
        ("GET", "/api/jobs/{}/runs", None),
        ("GET", f"/api/jobs/{{}}/runs/{run['id']}", None),
    )
