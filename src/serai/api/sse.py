"""What all streams of the API have in common (WHATWG, HTML: Server-sent events)."""

from typing import Final

KEEP_ALIVE: Final = b": keep-alive\n\n"

PATIENCE_S: Final = 15.0
"""Silence after which a stream says that it is still there."""


def failure(body: bytes) -> bytes:
    """An error in the midst of a stream."""
    return b"data: %b\n\n" % body


def untold(told: str, final: str) -> str:
    """What is left to say so that the listener has the final text whole.

    The pieces are volatile and may be those of an attempt that was given up.

    >>> untold("", "It is 4."), untold("It ", "It is 4."), untold("Let me see. It is 4.", "It is 4.")
    ('It is 4.', 'is 4.', '')
    >>> untold("I think", "It is 4.")
    '\\n\\nIt is 4.'
    """
    if final.startswith(told):
        return final[len(told) :]
    return "" if told.endswith(final) else f"\n\n{final}"
