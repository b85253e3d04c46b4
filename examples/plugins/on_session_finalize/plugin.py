"""Keeps a list of closed sessions in the agent's home, for a job that summarises them at night."""

from serai.plugin import hookimpl
from serai.ports.scope import current_profile


@hookimpl
def on_session_finalize(session_id, reason):
    with (current_profile().home / "closed.txt").open("a", encoding="utf-8") as file:
        file.write(f"{session_id} {reason}\n")
