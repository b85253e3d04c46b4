"""What a job's script has done, as the first step of its turn records it (SPEC 9.4)."""

from typing import Final

import msgspec

from serai.core.turn import Step

_INTERRUPTED: Final = "its script was interrupted by a restart, and not run again"


class Scripted(msgspec.Struct, array_like=True, frozen=True):
    """What it wrote, whether the model is to be asked then, and the sentence where it failed."""

    output: str
    wakes: bool = True
    fault: str | None = None


_decode: Final = msgspec.json.Decoder(Scripted).decode


def result_of(scripted: Scripted) -> bytes:
    """As the step has it."""
    return msgspec.json.encode(scripted)


def scripted_of(step: Step) -> Scripted:
    """What a step that is not under way says."""
    try:
        return _decode(step.result)
    except msgspec.DecodeError:  # of a step that has no result, or of one that was written as a mere sentence
        return Scripted("", fault=step.result.decode() or _INTERRUPTED)
