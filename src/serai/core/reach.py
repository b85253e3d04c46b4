"""Whether targets mean a place, now or one day (SPEC 9.5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from serai.core.delivery import Target
from serai.core.home_chat import HomeChat
from serai.core.ids import Account
from serai.core.snapshot import AccountSettings
from serai.core.target import NOWHERE, ORIGIN, expand


@dataclass(frozen=True, slots=True)
class Chats:
    """The places that targets can mean: all accounts, and those of them that have a home chat."""

    accounts: Mapping[Account, AccountSettings]
    homes: Mapping[Account, HomeChat]

    def faults(self, deliver: Sequence[str] | None, origin: Target | None) -> Iterator[tuple[str, str]]:
        """The targets of a job that mean no place now, and why; without any it is the chat that it was made in."""
        usual = [ORIGIN] if origin is not None else []
        for value in usual if deliver is None else deliver:
            fault = self.fault(value, origin)
            if fault is not None:
                yield value, fault

    def fault(self, value: str, origin: Target | None) -> str | None:
        """Why a target means no place now; None where it does. `origin` is the chat that its job was made in."""
        problems = expand([value], owner=None, origin=origin, accounts=self.accounts, homes=self.homes).problems
        return problems[0].text.removeprefix(f"{NOWHERE}: ") if problems else None

    def may_become_right(self, value: str, origin: Target | None) -> bool:
        """Whether it would mean one if accounts were enabled, or one of them had a home chat."""
        enabled = {name: replace(one, refusal=None) for name, one in self.accounts.items()}
        homes = [self.homes, *({**self.homes, name: HomeChat("home")} for name in enabled)]
        return any(Chats(enabled, some).fault(value, origin) is None for some in homes)
