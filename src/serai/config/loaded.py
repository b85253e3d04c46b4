"""What goes into a loading besides files, and what comes out of it."""

from dataclasses import dataclass, field

from serai.config.look import Looks
from serai.config.secret import LoadedSecrets
from serai.core.profile import Endpoint
from serai.core.snapshot import Problem, Snapshot


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model found on loopback, or the embedded one, with its key (empty for none); SPEC 7.2."""

    endpoint: Endpoint
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loading's result. `snapshot` is None where a problem of the gateway forbids to start with it.

    `needs_local`: some agent has no model configured, so a local one should be looked for. `notices` are sentences
    that the operator should see although nothing is wrong. `files` are all that were looked for, each with its look
    before it was read.
    """

    snapshot: Snapshot | None
    secrets: LoadedSecrets
    problems: tuple[Problem, ...]
    needs_local: bool
    notices: tuple[str, ...] = ()
    files: Looks = field(default_factory=dict)
