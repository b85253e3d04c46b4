"""`serai session export`: one conversation as a document (SPEC 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import print_json
from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.suggest import sessions

if TYPE_CHECKING:
    from serai.ports.store.archive import Archive, MessageRow, SessionRow


@click.command("export")
@click.argument("session", metavar="ID", shell_complete=sessions)
@click.option(
    "--format", "form", type=click.Choice(("md", "json")), default="md", show_default=True, help="What it becomes."
)
@click.pass_obj
def export(place: Place, session: str, form: str) -> None:
    """Write one conversation to standard output, to be kept. ID may be a session's id or its key."""
    from serai.cli.archive import read
    from serai.cli.transcript import markdown
    from serai.cli.view import history_document

    async def whole(archive: "Archive") -> "tuple[SessionRow, Sequence[MessageRow]] | None":
        row = await archive.session(session)
        return None if row is None else (row, await archive.messages(row.id))

    found = read(place, whole, None)
    if found is None:
        raise Failed(f"Session `{session}` not found.")
    if form == "json":
        print_json(history_document(*found))
    else:
        click.echo(markdown(*found), nl=False)
