"""`serai doctor` itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.cli.doctor.finding import Finding


@click.command("doctor")
@json_option
@click.pass_obj
def doctor(place: Place, as_json: bool) -> None:
    """Look for everything that could be wrong; exit 1 where something is serious.

    Each finding is one line, with the command that mends it. Endpoints are asked for their models; nothing is sent to
    anybody, and nothing is changed.
    """
    import time

    from serai.cli.doctor.examine import examine
    from serai.cli.doctor.patient import Patient
    from serai.cli.view import finding_document

    found = examine(Patient(place, time.time()))
    if as_json:
        print_json(listing(map(finding_document, found)))
    else:
        _print(found)
    if any(finding.level == "serious" for finding in found):
        raise click.exceptions.Exit(1)


def _print(found: "Sequence[Finding]") -> None:
    from serai.cli.printable import one_line

    for finding in found:
        click.echo(one_line(f"{finding.level}: {finding.about}: {finding.text}  ->  {finding.mend}"))
    if not any(finding.level in ("serious", "warning") for finding in found):
        click.echo("Nothing is wrong.")
