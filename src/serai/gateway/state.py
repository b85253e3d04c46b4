"""The configuration in force. Swapped as a whole; every reader takes what it needs from one snapshot."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from serai.core.ids import Account, AgentId
from serai.core.profile import AgentProfile
from serai.core.redact import Redactor
from serai.core.snapshot import AccountSettings, Snapshot
from serai.ports.secrets import Secrets

_held: ContextVar[Secrets] = ContextVar("serai_secrets")


class State:
    """The one place that knows which snapshot is in force, with the secrets that belong to it.

    `snapshot` shows agents that somebody has stopped as refused; `configured` is what the files say alone. `stopped`
    may name agents that are not configured. `standing` are the accounts that are there without configuration.
    `redactor` knows all values that must not be seen outside, those of earlier configurations too (SPEC 14).
    """

    def __init__(
        self, snapshot: Snapshot, secrets: Secrets, standing: Mapping[Account, AccountSettings] | None = None
    ) -> None:
        self.configured = self.snapshot = snapshot
        self.secrets = secrets
        self.redactor = Redactor(secrets.values())
        self._standing = standing or {}
        self.stopped: frozenset[AgentId] = frozenset()
        self._former: dict[AgentId, AgentProfile] = {}

    def swap(self, snapshot: Snapshot, secrets: Secrets) -> None:
        """Puts a new configuration in force, in one step as far as any task can see."""
        self._former |= self.configured.agents
        self.configured, self.secrets = snapshot, secrets
        self.redactor = self.redactor.with_values(secrets.values())
        self.snapshot = snapshot.with_stopped(self.stopped)

    def stop(self, agents: Collection[AgentId]) -> None:
        """From now on these agents refuse, configured or not, and no others but for what the files say."""
        self.stopped = frozenset(agents)
        self.snapshot = self.configured.with_stopped(self.stopped)

    @contextmanager
    def held(self) -> Iterator[Snapshot]:
        """Holds on to the configuration in force: a turn that runs in the block finishes on it (SPEC 2.6)."""
        token = _held.set(self.secrets)
        try:
            yield self.snapshot
        finally:
            _held.reset(token)

    def held_secrets(self) -> Secrets:
        """The secrets of the running turn's configuration; outside of turns those in force."""
        return _held.get(self.secrets)

    def clean(self, text: str) -> str:
        """The text without the secrets that are known now."""
        return self.redactor.clean(text)

    def hide(self, value: str) -> None:
        """From now on this must not be seen outside either, though no file says it."""
        self.redactor = self.redactor.with_values([value])

    def account(self, connection: Account) -> AccountSettings | None:
        return self.snapshot.accounts.get(connection) or self._standing.get(connection)

    @property
    def accounts(self) -> Mapping[Account, AccountSettings]:
        """All connections that there are."""
        return {**self._standing, **self.snapshot.accounts}

    def identity(self, agent: AgentId) -> AgentProfile | None:
        """Under whose profile something is sent that an agent said, also one that was removed since."""
        return self.snapshot.agents.get(agent) or self._former.get(agent)
