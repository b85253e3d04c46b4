"""`serai cron edit`: a job's fields by options, or all of them in an editor (SPEC 12)."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from serai.cli.cron.options import agent_option, fields, given, job_argument
from serai.cli.document import json_option, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.core.error import SeraiError

if TYPE_CHECKING:
    from serai.cli.cron.book import Book, Job

_USUAL: Final = (
    "name",
    "prompt",
    "timezone",
    "repeat",
    "model",
    "skills",
    "script",
    "no_agent",
    "context_from",
    "enabled_toolsets",
    "workdir",
    "deliver",
    "origin",
    "silent_ok",
)
"""Fields that a job need not have."""


class Unfit(SeraiError):
    """What somebody has left in the editor is no job."""


class Changed(NamedTuple):
    """A job as it is now, and its targets that mean no chat as it is."""

    job: "Job"
    nowhere: Collection[str]


@click.command("edit")
@job_argument
@agent_option
@fields
@click.option("--clear", metavar="FIELD", type=click.Choice(_USUAL), multiple=True, help="Back to what is usual.")
@json_option
@click.pass_obj
def edit(
    place: Place, /, job: str, agent: str | None, clear: tuple[str, ...], as_json: bool, **settings: Any
) -> None:
    """Change a job. Only what is given changes; without options its JSON is opened in $EDITOR."""
    from serai.cli.cron.add import print_made
    from serai.cli.cron.find import find
    from serai.cli.cron.open_book import open_book

    opened = open_book(place)
    found = find(place, opened, job, agent)
    wanted = {**dict.fromkeys(clear), **given(settings)}
    done = _changed(place, opened, found, wanted) if wanted else _edited(place, opened, found)
    if as_json:
        print_json(done.job if done else found)
    elif done is None:
        click.echo("Nothing was changed.")
    else:
        print_made(place, opened, done.job, "Changed", done.nowhere)


def _changed(place: Place, opened: "Book", job: "Job", wanted: Mapping[str, Any]) -> Changed:
    from serai.cli.cron.check import checked

    fit = checked(place, opened, job["agent"], wanted, job=job)
    return Changed(opened.change(job, fit.fields), fit.nowhere)


def _edited(place: Place, opened: "Book", job: "Job") -> Changed | None:
    """The job as somebody leaves it in an editor; None where it stays as it is."""
    import json

    before = _written(job)
    text = json.dumps(before, ensure_ascii=False, indent=2) + "\n"
    while True:
        text = _in_editor(place, text)
        try:
            wanted = _difference(before, _parsed(text))
            return _changed(place, opened, job, wanted) if wanted else None
        except SeraiError as error:
            _ask_again(str(error))


def _written(job: "Job") -> dict[str, Any]:
    """The fields that its file has, without the id, which stays."""
    from serai.jobs.read import FIELDS

    usual = {"enabled": True, "silent_ok": True, "no_agent": False}
    found = {name: job[name] for name in FIELDS if name != "id"}
    given = {
        name: value for name, value in found.items() if value not in (None, "", [], ()) and usual.get(name) != value
    }
    if job["enabled_toolsets"] is not None:
        given["enabled_toolsets"] = job["enabled_toolsets"]
    return given


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be set; None takes a field away."""
    from serai.cli.nearest import hint
    from serai.jobs.read import FIELDS

    for name in after:
        if name not in FIELDS or name == "id":
            raise Unfit(f"`{name}` cannot be set{hint(name, FIELDS[1:])}.")
    if not after.get("schedule"):
        raise Unfit("A job needs a `schedule`.")
    gone = dict.fromkeys(name for name in before if name not in after)
    return gone | {name: value for name, value in after.items() if name not in before or before[name] != value}


def _parsed(text: str) -> dict[str, Any]:
    import json

    try:
        found = json.loads(text)
    except ValueError as error:
        raise Unfit(f"This is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise Unfit("A job is a JSON object: fields with their values in braces.")
    return found


def _in_editor(place: Place, text: str) -> str:
    """The text as it was saved. Raises Failed where there is no editor to be had."""
    editor = place.environment.get("VISUAL") or place.environment.get("EDITOR")
    left = click.edit(text, editor=editor, extension=".json", require_save=False)
    return text if left is None else left


def _ask_again(fault: str) -> None:
    """Whether the editor is opened once more; Failed where nobody can be asked, or nobody wants it."""
    import sys

    if not sys.stdin.isatty():
        raise Failed(f"Nothing was changed: {fault}")
    click.secho(f"Error: {fault}", fg="red", err=True)
    if not click.confirm("Open it again?", default=True):
        click.echo("Nothing was changed.")
        raise click.exceptions.Exit(1)
