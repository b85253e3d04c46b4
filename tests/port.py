"""Ports of loopback that are nobody else's."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved(port: int = 0) -> Iterator[int]:
    """Keeps a port (0: a free one) from being given by chance to the server of another test; yields it.

    Nobody listens there but a server that asks for this very port, and reuses addresses as servers do. Linux alone
    lets both have it; elsewhere the port is free, and chance remains.
    """
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", port))
        number: int = place.getsockname()[1]
        if sys.platform != "linux":
            place.close()
        yield number
