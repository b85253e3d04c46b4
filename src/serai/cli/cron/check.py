"""What is wrong with a job's fields that only the whole configuration can tell (SPEC 9.5)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    place: Place, snapshot: "Snapshot", book: Book, agent: str, fields: Mapping[str, Any], *, origin: bool = False
) -> dict[str, Any]:
    """The fields, with whole ids for those that were shortened. `origin` tells that the job was made in a chat.

    Warns of what may become right. Raises Failed for what cannot.
    """
    profile = place.agent(snapshot, agent)
    _toolsets(fields.get("enabled_toolsets") or ())
    if fields.get("deliver"):
        _targets(Chats.of(place, snapshot), fields["deliver"], origin=origin)
    for text in absent(profile, fields):
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


def _targets(chats: "Chats", values: Sequence[str], *, origin: bool) -> None:
    for value in values:
        wrong = chats.fault(value, origin=origin)
        if wrong is None:
            continue
        if not chats.may_become_right(value, origin=origin):
            raise Failed(f"Nothing can be delivered to `{value}`: {wrong}.")
        click.echo(f"Warning: as it is, nothing is delivered to `{value}`: {wrong}", err=True)


@dataclass(frozen=True, slots=True)
class Chats:
    """The places that targets can mean, as the configuration and the database have them."""

    accounts: "Mapping[Account, AccountSettings]"
    homes: "Mapping[Account, HomeChat]"

    @classmethod
    def of(cls, place: Place, snapshot: "Snapshot") -> "Chats":
        """Those of a home. Raises Startup, StorageFailed."""
        import asyncio

        from serai.app.offline_jobs import accounts, home_chats

        return cls(accounts(snapshot), asyncio.run(home_chats(place.layout, snapshot)))

    def fault(self, value: str, *, origin: bool) -> str | None:
        """Why a target means no place now. `origin`: the job was made in a chat."""
        from serai.core.target import NOWHERE, expand

        chat = _some_chat(self.accounts) if origin else None
        problems = expand([value], owner=None, origin=chat, accounts=self.accounts, homes=self.homes).problems
        return problems[0].text.removeprefix(f"{NOWHERE}: ") if problems else None

    def may_become_right(self, value: str, *, origin: bool) -> bool:
        """Whether it would mean one if accounts were enabled, or one of them had a home chat."""
        from serai.core.home_chat import HomeChat

        enabled = {name: replace(one, refusal=None) for name, one in self.accounts.items()}
        homes = [self.homes, *({**self.homes, name: HomeChat("home")} for name in enabled)]
        return any(Chats(enabled, some).fault(value, origin=origin) is None for some in homes)


def _some_chat(accounts: "Mapping[Account, AccountSettings]") -> "Target":
    """Stands for the chat that a job was made in."""
    from serai.core.delivery import Target

    account = next(iter(accounts))
    return Target(account.platform, "origin", account.name)


def absent(profile: "AgentProfile", fields: Mapping[str, Any]) -> Iterator[str]:
    """What of scripts and skills is not there, in sentences."""
    from serai.jobs.script import script_fault
    from serai.jobs.skill import read_skill

    script = fields.get("script")
    if script is not None and (fault := script_fault(profile.cron, script)):
        yield f"the script `{script}` {fault}"
    for name in fields.get("skills") or ():
        if read_skill(profile.skills, name) is None:
            yield f"the agent `{profile.id}` has no skill `{name}`"
