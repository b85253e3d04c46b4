"""Platform drivers; each a folder of its own, and a stranger to the others.

A folder's `__init__` is its manifest: `NAME`, `TITLE` (for people), `SETTINGS` and `DRIVER` (where the model of an
account's settings and the driver are, as `module:name`), `EXTRA` (the extra of the package that brings its library,
"" where none is needed), `STEPS` (what to do at the platform's own console, a line each) and `CHECK` (where the
function is that looks at an account's credentials, "" where there is nothing to look at). Importing a manifest
imports no library. One whose chat ids hold colons may have `CHAT_FORM`, a regular expression that they match
(`serai.core.place`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from serai.core.snapshot import AccountSettings
from serai.ports.clock import Clock, Entropy
from serai.ports.secrets import Secrets

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a driver is made of. `folder` is the account's own directory, 0700, for what must outlive a restart and is
    no message (a sync token, encryption keys); it may not exist yet."""

    settings: AccountSettings
    secrets: Secrets
    session: "aiohttp.ClientSession"
    clock: Clock
    entropy: Entropy
    folder: Path


@dataclass(frozen=True, slots=True)
class Check:
    """What a look at an account's credentials has shown: fine, or what is wrong and what mends it.

    A manifest's `CHECK` is `async def check(surroundings: Surroundings) -> Sequence[Check]`. It asks the platform,
    and sends nothing to anybody.
    """

    ok: bool
    text: str
    mend: str = ""
