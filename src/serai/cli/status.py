"""`serai status`: how the running gateway is (SPEC 16.5)."""

from typing import TYPE_CHECKING, Any

import click

from serai.cli.document import json_option, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.gateway import Gateway
    from serai.ports.store.archive import Archive, Counts


@click.command("status")
@json_option
@click.pass_obj
def status(place: Place, as_json: bool) -> None:
    """Tell how the running gateway is; exit 1 where none runs."""
    from serai.cli.gateway import required, running

    lock = place.layout.lock
    if as_json and running(lock) is None:
        print_json({"object": "status", "running": False})
        raise click.exceptions.Exit(1)
    document = _status(place, required(lock))
    if as_json:
        print_json(document)
    else:
        _print_status(document)


def _status(place: Place, gateway: "Gateway") -> dict[str, Any]:
    import time

    from serai.cli.archive import read
    from serai.cli.view import counts_document

    async def counts(archive: "Archive") -> "Counts | None":
        return await archive.counts()

    code, ready = gateway.ask("GET", "/ready")
    found = read(place, counts, None)
    return {
        "object": "status",
        "running": True,
        "pid": gateway.pid,
        "url": gateway.url,
        "started_at": gateway.started_at,
        "uptime_s": round(time.time() - gateway.started_at, 3),
        "ready": code == 200,
        "readiness": ready,
        "counts": counts_document(found) if found else None,
        "jobs": _jobs(gateway),
    }


def _jobs(gateway: "Gateway") -> dict[str, Any] | None:
    """How jobs stand; None where the gateway does not tell."""
    from serai.cli.cron.remote import RemoteBook
    from serai.cli.cron.summary import summary
    from serai.cli.failure import Failed

    try:
        book = RemoteBook(gateway)
        return summary(book.jobs(), book.problems())
    except Failed:
        return None


def _print_status(document: dict[str, Any]) -> None:
    import time

    from serai.cli.cron.summary import summary_fields
    from serai.cli.moment import lasting
    from serai.cli.table import print_fields

    fields = [
        ("gateway", f"running, pid {document['pid']}"),
        ("url", document["url"]),
        ("uptime", lasting(document["uptime_s"])),
        ("ready", "yes" if document["ready"] else "no"),
        *(field for field in _flat(document["readiness"]) if field[0] != "ready"),
        *_flat(document["counts"]),
        *(summary_fields(document["jobs"], time.time()) if document["jobs"] else ()),
    ]
    print_fields(fields)


def _flat(document: Any, prefix: str = "") -> list[tuple[str, str]]:
    """A document's leaves as fields, named by their path."""
    if not isinstance(document, dict):
        return []
    fields: list[tuple[str, str]] = []
    for key, value in document.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            fields += _flat(value, f"{name} ")
        else:
            fields += [(name, _text(item)) for item in (value if isinstance(value, list) else [value])]
    return fields


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
