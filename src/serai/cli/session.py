"""`serai session list|show`: conversations, read from the database (SPEC 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.suggest import agents, sessions

if TYPE_CHECKING:
    from serai.ports.store.archive import Archive, MessageRow, SessionRow

HEADS = ("id", "key", "state", "messages", "last")


@click.command("list")
@click.option("--agent", metavar="ID", shell_complete=agents, help="Of this agent alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@click.option("--before", metavar="NEXT", help="Go on after a list whose `next` was this.")
@json_option
@click.pass_obj
def list_sessions(place: Place, agent: str | None, limit: int, before: str | None, as_json: bool) -> None:
    """List conversations, the latest first."""
    from serai.cli.archive import read
    from serai.cli.view import session_document
    from serai.core.cursor import Cursor
    from serai.core.ids import AgentId
    from serai.ports.store.archive import SessionFilter

    try:
        behind = Cursor.parse(before) if before else None
    except ValueError:
        raise click.BadParameter("this is no `next` of an earlier list.", param_hint="--before") from None
    wanted = SessionFilter(frozenset({AgentId(agent)}) if agent else None)

    async def latest(archive: "Archive") -> "Sequence[SessionRow]":
        return await archive.sessions(wanted, limit=limit + 1, before=behind)

    found = read(place, latest, ())
    rows, more = found[:limit], len(found) > limit
    after = str(Cursor(rows[-1].last_at, rows[-1].id)) if more else None
    if as_json:
        print_json(listing(map(session_document, rows), after=after))
    elif rows:
        _print_rows(rows)
    else:
        click.echo("No sessions yet")
    if after and not as_json:
        click.echo(f"There are more: serai session list --before {after}", err=True)


@click.command("show")
@click.argument("session", metavar="ID", shell_complete=sessions)
@json_option
@click.pass_obj
def show(place: Place, session: str, as_json: bool) -> None:
    """Print one conversation. ID may be a session's id or its key, such as `agent:main:telegram:dm:99`."""
    from serai.cli.archive import read
    from serai.cli.view import history_document

    async def whole(archive: "Archive") -> "tuple[SessionRow, Sequence[MessageRow]] | None":
        row = await archive.session(session)
        return None if row is None else (row, await archive.messages(row.id))

    found = read(place, whole, None)
    if found is None:
        raise Failed(f"Session `{session}` not found.")
    row, messages = found
    if as_json:
        print_json(history_document(row, messages))
    else:
        _print_session(row, messages)


def _print_rows(rows: "Sequence[SessionRow]") -> None:
    import time

    from serai.cli.moment import ago
    from serai.cli.table import print_table

    now = time.time()
    cells = [(row.id, row.key, row.state, str(row.messages), ago(row.last_at, now)) for row in rows]
    print_table(HEADS, cells, right=("messages",), whole=("id", "last"))


def _print_session(row: "SessionRow", messages: "Sequence[MessageRow]") -> None:
    from serai.cli.moment import local_time
    from serai.cli.printable import harmless
    from serai.cli.table import print_fields
    from serai.cli.transcript import spoken

    print_fields(
        [
            ("id", row.id),
            ("key", row.key),
            ("agent", row.agent),
            ("title", row.title or ""),
            ("state", row.state),
            ("opened", local_time(row.opened_at)),
            ("last", local_time(row.last_at)),
            ("messages", str(row.messages)),
        ]
    )
    for entry in messages:
        click.echo(f"\n{entry.message.role}  {local_time(entry.created_at)}")
        for line in harmless(spoken(entry)).splitlines():
            click.echo(f"  {line}".rstrip())
