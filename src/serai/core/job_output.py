"""What is kept of the runs of jobs (SPEC 9.5)."""

from typing import Final

from serai.core.message import is_silence

_FAILED: Final = "(The run failed: "


def failed_output(reason: str, wrote: str = "") -> str:
    """What is kept of a run that failed: why, and what its script wrote before."""
    text = f"{_FAILED}{reason})\n"
    return f"{text}\n{wrote.rstrip()}\n" if wrote.strip() else text


def is_result(output: str) -> bool:
    """Whether what is kept of a run is of use to another job: neither silence nor word of a failure."""
    return not output.startswith(_FAILED) and not is_silence(output)
