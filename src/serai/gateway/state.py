"""The configuration in force. Swapped as a whole; every reader takes what it needs from one snapshot."""

from collections.abc import Iterable

from serai.core.ids import Account
from serai.core.snapshot import AccountSettings, Snapshot
from serai.ports.secrets import Secrets


class State:
    """The one place that knows which snapshot is in force, with the secrets that belong to it."""

    def __init__(self, snapshot: Snapshot, secrets: Secrets) -> None:
        self.snapshot = snapshot
        self.secrets = secrets

    def swap(self, snapshot: Snapshot, secrets: Secrets) -> None:
        """Puts a new configuration in force, in one step as far as any task can see."""
        self.snapshot, self.secrets = snapshot, secrets

    def secret_values(self) -> Iterable[str]:
        """All values that must not be seen outside (SPEC 14)."""
        return self.secrets.values()

    def account(self, connection: Account) -> AccountSettings | None:
        return self.snapshot.accounts.get(connection)
