"""People who ask to be admitted (SPEC 6.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serai.core.delivery import NewDelivery
from serai.core.ids import Account


@dataclass(frozen=True, slots=True)
class Stranger:
    """An unknown person in a direct chat, and the code that may admit them (SPEC 6.7)."""

    connection: Account
    user: str
    name: str
    code: str
    now: float
    expires_at: float
    delivery: NewDelivery


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was admitted, or asks to be: then with a code, valid until `expires_at`."""

    connection: Account
    user: str
    name: str
    since: float
    code: str | None = None
    expires_at: float | None = None


class People(Protocol):
    """Codes and admissions."""

    async def knock(self, stranger: Stranger) -> bool:
        """Stores a code and the delivery that tells it; False where a code of this person is still valid."""
        ...

    async def people(self, now: float) -> Sequence[Person]:
        """Everybody who was admitted, and everybody whose code is still valid."""
        ...

    async def admit(self, code: str, now: float) -> Person | None:
        """Admits the person with that code; None where there is none, or it has expired."""
        ...

    async def expel(self, connection: Account, user: str) -> bool:
        """Takes an admission back. Returns whether there was one."""
        ...
