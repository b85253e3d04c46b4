"""Telling what is wrong with a configuration from what its variables merely lack here."""

from collections.abc import Iterator, Mapping


class Given(Mapping[str, str]):
    """An environment in which every variable has a value: what is still wrong then is not for want of one.

    A gateway started by the system often has variables that the shell of a command does not.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> str:
        value = self._known.get(name, "")
        return value if value.strip() else f"given-elsewhere-{name}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
