"""Which jobs a command works on: those of the running gateway, or those of the files."""

from typing import TYPE_CHECKING

from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.cron.book import Book
    from serai.core.snapshot import Snapshot


def open_book(place: Place, snapshot: "Snapshot | None" = None) -> "Book":
    """The gateway's where one runs, else the files'. `snapshot` is the configuration where it was read before.

    Raises Failed."""
    from serai.cli.gateway import running

    gateway = running(place.layout.lock)
    if gateway is not None:
        from serai.cli.cron.remote import RemoteBook

        return RemoteBook(gateway)
    from serai.cli.cron.local import LocalBook

    return LocalBook(place, snapshot)
