"""Secrets: looked up once per loading, each reader with the names that its settings mention (SPEC 2.5)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from serai.config.dotenv import EnvFile
from serai.config.report import Place
from serai.config.value import is_placeholder, named
from serai.core.ids import AgentId
from serai.ports.secrets import SecretMissing

LOCAL_KEY: Final = "local model"
"""The name of a local model's key. It holds a blank, so that no settings can mention it."""

_ENVIRONMENT: Final = "the environment"


class LoadedSecrets:
    """The values of one snapshot (implements `serai.ports.secrets.Secrets`)."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[tuple[AgentId | None, str], str]) -> None:
        self._values = values

    def get(self, reader: AgentId | None, name: str) -> str:
        """The value. Raises SecretMissing."""
        try:
            return self._values[reader, name]
        except KeyError:
            who = "the gateway" if reader is None else f"agent `{reader}`"
            raise SecretMissing(f"{who} has no value for {named(name)}") from None

    def values(self) -> Iterable[str]:
        """Each known value once."""
        return tuple(dict.fromkeys(self._values.values()))

    def renewed(self, earlier: "LoadedSecrets") -> frozenset[tuple[AgentId | None, str]]:
        """Readers and names whose value is another one than before."""
        return frozenset(key for key, value in self._values.items() if earlier._values.get(key, value) != value)

    def __repr__(self) -> str:
        return f"<LoadedSecrets of {len({name for _, name in self._values})} names>"


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in the settings that names a secret."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A value, with the file (or the environment) that it came from."""

    value: str
    origin: str
    label: str


class Lookup:
    """Finds values: in the reader's own `.env`, then the gateway's, then the environment."""

    def __init__(self, gateway: EnvFile, environment: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._environment = EnvFile(_ENVIRONMENT, _ENVIRONMENT, environment)

    def find(self, name: str, own: EnvFile | None = None) -> Found | str:
        """The value, or the sentence that says why there is none.

        The first file that sets the name decides, also with a blank value: an agent whose own key was emptied must
        not fall back to another's.
        """
        files = [file for file in (own, self._gateway, self._environment) if file is not None]
        for file in files:
            value = file.values.get(name)
            if value is None:
                continue
            if not value.strip():
                return f"{named(name)} is blank in {file.label}"
            if is_placeholder(value):
                return f"{named(name)} still holds the placeholder of an example in {file.label}"
            return Found(value, file.path, file.label)
        first = "neither" if own is None else "neither in the agent's own .env nor"
        return f"{named(name)} is not set, {first} in {self._gateway.label} nor in {_ENVIRONMENT}"


@dataclass(frozen=True, slots=True)
class Taking:
    """A secret that one agent gets. `agent` None: the gateway's own model.

    `inherited`: the agent gets it with the gateway's model, and names no endpoint of its own for it.
    """

    agent: AgentId | None
    mention: Mention
    origin: str
    label: str
    inherited: bool = False


def undeclared(takings: Iterable[Taking], shared: frozenset[str]) -> Iterator[tuple[Taking, Taking]]:
    """Each taking that needs to stand in `shared_secrets` and does not, with another of the same secret.

    Inheriting the gateway's model is sharing by design. Whoever names the secret itself must not thereby get what
    others have from the same place, and never what the gateway's model has.
    """
    groups: dict[tuple[str, str], list[Taking]] = {}
    for taking in takings:
        if not taking.inherited and taking.mention.name not in shared:
            groups.setdefault((taking.origin, taking.mention.name), []).append(taking)
    for group in groups.values():
        readers = {taking.agent: taking for taking in group}
        for taking in readers.values():
            other = next((one for one in readers.values() if one.agent != taking.agent), None)
            if taking.agent is not None and other is not None:
                yield taking, other
