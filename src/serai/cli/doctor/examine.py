"""All checks, in the order in which their findings are read best."""

from collections.abc import Callable, Iterable
from typing import Final

from serai.cli.doctor import account, configuration, home, job, model, storage, surroundings
from serai.cli.doctor.finding import LEVELS, Finding
from serai.cli.doctor.patient import Patient
from serai.core.error import SeraiError

CHECKS: Final[tuple[Callable[[Patient], Iterable[Finding]], ...]] = (
    home.private,
    home.room,
    configuration.sound,
    configuration.told,
    configuration.plugins,
    model.endpoints,
    model.local,
    configuration.personas,
    storage.whole,
    storage.deliveries,
    storage.stopped,
    job.sound,
    job.complete,
    job.failed,
    surroundings.port,
    surroundings.time,
    surroundings.callbacks,
    account.credentials,
    account.connections,
    home.held,
    configuration.known,
)


def examine(patient: Patient) -> list[Finding]:
    """Everything that is found, the gravest first."""
    found = list(home.usable(patient))
    if not found:
        found = [finding for check in CHECKS for finding in _findings(check, patient)]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def _findings(check: Callable[[Patient], Iterable[Finding]], patient: Patient) -> list[Finding]:
    """What a check finds; that it could not look is a finding too."""
    try:
        return list(check(patient))
    except (SeraiError, OSError) as error:
        about = check.__module__.rpartition(".")[2]
        return [Finding("serious", about, f"this could not be examined: {error}", "serai logs")]
