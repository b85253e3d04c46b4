"""Whether targets mean a chat, as the configuration and the database are now (SPEC 9.5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from serai.cli.place import Place
from serai.core.delivery import Target
from serai.core.home_chat import HomeChat
from serai.core.ids import Account
from serai.core.snapshot import AccountSettings, Snapshot
from serai.core.target import NOWHERE, ORIGIN, expand


@dataclass(frozen=True, slots=True)
class Chats:
    """The places that targets can mean. `origin` is everywhere the chat that a job was made in."""

    accounts: Mapping[Account, AccountSettings]
    homes: Mapping[Account, HomeChat]

    @classmethod
    def of(cls, place: Place, snapshot: Snapshot) -> "Chats":
        """Those of a home. Raises Startup, StorageFailed."""
        import asyncio

        from serai.app.offline_jobs import accounts, home_chats

        return cls(accounts(snapshot), asyncio.run(home_chats(place.layout, snapshot)))

    @property
    def platforms(self) -> frozenset[str]:
        return frozenset(account.platform for account in self.accounts)

    def faults(self, deliver: Sequence[str] | None, origin: Target | None) -> Iterator[tuple[str, str]]:
        """The targets of a job that mean no place now, and why; without any it is the chat that it was made in."""
        usual = [ORIGIN] if origin is not None else []
        for value in usual if deliver is None else deliver:
            fault = self.fault(value, origin)
            if fault is not None:
                yield value, fault

    def fault(self, value: str, origin: Target | None) -> str | None:
        """Why a target means no place now."""
        problems = expand([value], owner=None, origin=origin, accounts=self.accounts, homes=self.homes).problems
        return problems[0].text.removeprefix(f"{NOWHERE}: ") if problems else None

    def may_become_right(self, value: str, origin: Target | None) -> bool:
        """Whether it would mean one if accounts were enabled, or one of them had a home chat."""
        enabled = {name: replace(one, refusal=None) for name, one in self.accounts.items()}
        homes = [self.homes, *({**self.homes, name: HomeChat("home")} for name in enabled)]
        return any(Chats(enabled, some).fault(value, origin) is None for some in homes)
