"""What is wrong with a job's fields that only the whole configuration can tell (SPEC 9.5)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from serai.cli.cron.book import Book
from serai.cli.cron.find import chosen
from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from serai.core.delivery import Target
    from serai.core.home_chat import HomeChat
    from serai.core.ids import Account
    from serai.core.profile import AgentProfile
    from serai.core.snapshot import AccountSettings, Snapshot


def checked(
    place: Place, book: Book, agent: str, fields: Mapping[str, Any], *, origin: bool = False
) -> dict[str, Any]:
    """The fields, with whole ids for those that were shortened. `origin` tells that the job was made in a chat.

    Warns of what may become right. Raises Failed for what cannot.
    """
    snapshot = place.snapshot()
    profile = place.agent(snapshot, agent)
    _toolsets(fields.get("enabled_toolsets") or ())
    _targets(place, snapshot, fields.get("deliver") or (), origin)
    for text in _absent(profile, fields):
        click.echo(f"Warning: {text}", err=True)
    names = fields.get("context_from")
    if not names:
        return dict(fields)
    jobs = book.jobs(agent)
    return {**fields, "context_from": [chosen(jobs, name)["id"] for name in names]}


def _toolsets(names: Collection[str]) -> None:
    from serai.app import toolsets
    from serai.cli.nearest import hint

    known = toolsets.names()
    for name in names:
        if name not in known:
            raise Failed(f"There is no toolset `{name}`{hint(name, known)}.")


def _targets(place: Place, snapshot: "Snapshot", values: Sequence[str], origin: bool) -> None:
    import asyncio

    from serai.app.offline_jobs import accounts, home_chats

    if not values:
        return
    atlas = _Atlas(accounts(snapshot), asyncio.run(home_chats(place.layout, snapshot)), origin)
    for value in values:
        wrong = atlas.fault(value)
        if wrong is None:
            continue
        if not atlas.may_become_right(value):
            raise Failed(f"Nothing can be delivered to `{value}`: {wrong}.")
        click.echo(f"Warning: as it is, nothing is delivered to `{value}`: {wrong}", err=True)


class _Atlas:
    """The places that targets can mean."""

    def __init__(
        self, accounts: "Mapping[Account, AccountSettings]", homes: "Mapping[Account, HomeChat]", origin: bool
    ) -> None:
        self._accounts = accounts
        self._homes = homes
        self._origin = _some_chat(accounts) if origin else None

    def fault(self, value: str) -> str | None:
        """Why it means no place now."""
        return self._fault(value, self._accounts, self._homes)

    def may_become_right(self, value: str) -> bool:
        """Whether it would mean one if accounts were enabled, or one of them had a home chat."""
        from serai.core.home_chat import HomeChat

        enabled = {name: replace(one, refusal=None) for name, one in self._accounts.items()}
        homes = [self._homes, *({**self._homes, name: HomeChat("home")} for name in enabled)]
        return any(self._fault(value, enabled, some) is None for some in homes)

    def _fault(
        self, value: str, accounts: "Mapping[Account, AccountSettings]", homes: "Mapping[Account, HomeChat]"
    ) -> str | None:
        from serai.core.target import NOWHERE, expand

        problems = expand([value], owner=None, origin=self._origin, accounts=accounts, homes=homes).problems
        return problems[0].text.removeprefix(f"{NOWHERE}: ") if problems else None


def _some_chat(accounts: "Mapping[Account, AccountSettings]") -> "Target":
    """Stands for the chat that a job was made in, which its file knows."""
    from serai.core.delivery import Target

    account = next(iter(accounts))
    return Target(account.platform, "origin", account.name)


def _absent(profile: "AgentProfile", fields: Mapping[str, Any]) -> Iterator[str]:
    """Files that are not there yet."""
    from serai.jobs.script import script_fault
    from serai.jobs.skill import read_skill

    script = fields.get("script")
    if script is not None and (fault := script_fault(profile.cron, script)):
        yield f"the script `{script}` {fault}"
    for name in fields.get("skills") or ():
        if read_skill(profile.skills, name) is None:
            yield f"the agent `{profile.id}` has no skill `{name}`"
