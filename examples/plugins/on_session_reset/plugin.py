"""Remembers which session followed which, so that a conversation can be read as a whole."""

from serai.plugin import hookimpl

earlier = {}


@hookimpl
async def on_session_reset(session_id, old_session_id):
    earlier[session_id] = old_session_id


def chain(session_id):
    """The session and all before it, newest first."""
    while session_id is not None:
        yield session_id
        session_id = earlier.get(session_id)
