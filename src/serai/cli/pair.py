"""`serai pair list|approve|revoke`: strangers who asked to be admitted (SPEC 6.7, 12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from serai.cli.document import json_option, listing, print_json
from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.ports.store import Store
    from serai.ports.store.people import Person

HEADS = ("account", "user", "name", "state")


@click.command("list")
@json_option
@click.pass_obj
def list_people(place: Place, as_json: bool) -> None:
    """List people who were admitted by a code, and those whose code is still valid."""
    import time

    from serai.cli.archive import change
    from serai.cli.view import person_document

    now = time.time()

    async def everybody(store: "Store") -> "Sequence[Person]":
        return await store.people(now)

    found = change(place, everybody, ())
    if as_json:
        print_json(listing(map(person_document, found)))
    elif found:
        _print_people(found, now)
    else:
        click.echo("Nobody was admitted by a code, and nobody asks to be")


@click.command("approve")
@click.argument("code", metavar="CODE")
@click.pass_obj
def approve(place: Place, code: str) -> None:
    """Admit the person who was told this code."""
    import time

    from serai.cli.archive import change

    async def admit(store: "Store") -> "Person | None":
        return await store.admit(code.strip().upper(), time.time())

    found = change(place, admit, None)
    if found is None:
        raise Failed(f"There is no code `{code}`, or it has expired; `serai pair list` shows those that are valid.")
    click.echo(f"Admitted {_named(found)} to {found.connection}.")


@click.command("revoke")
@click.argument("account", metavar="ACCOUNT")
@click.argument("user", metavar="USER")
@click.pass_obj
def revoke(place: Place, account: str, user: str) -> None:
    """Take an admission back, such as `revoke telegram 42` or `revoke telegram@work 42`."""
    from serai.cli.archive import change
    from serai.core.ids import DEFAULT_ACCOUNT, Account

    platform, _, name = account.partition("@")

    async def expel(store: "Store") -> bool:
        return await store.expel(Account(platform, name or DEFAULT_ACCOUNT), user)

    if not change(place, expel, False):
        raise Failed(f"Nobody with the id `{user}` was admitted to {account}; `serai pair list` shows who was.")
    click.echo(f"{user} may not write through {account} any more, unless the configuration allows it.")


def _print_people(people: "Sequence[Person]", now: float) -> None:
    from serai.cli.table import print_table

    rows = [(str(one.connection), one.user, one.name, _state(one, now)) for one in people]
    print_table(HEADS, rows, whole=("account", "user"))


def _state(person: "Person", now: float) -> str:
    from serai.cli.moment import ago

    if person.code is None or person.expires_at is None:
        return f"admitted {ago(person.since, now)}"
    return f"asks with code {person.code}, valid for {max(0, round((person.expires_at - now) / 60))} min"


def _named(person: "Person") -> str:
    from serai.cli.printable import one_line

    return one_line(f"{person.name} ({person.user})" if person.name else person.user)
