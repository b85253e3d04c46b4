"""The id of a response is that of its run, with a prefix of its own."""

from typing import Final

from serai.core.ids import InputId

_RUN: Final = "run_"
_RESPONSE: Final = "resp_"


def response_id(run: InputId) -> str:
    """The id of a run's response."""
    return _RESPONSE + run.removeprefix(_RUN)


def run_id(response: str) -> InputId:
    """The run of a response; one that does not exist for an id that is none."""
    return InputId(_RUN + response.removeprefix(_RESPONSE) if response.startswith(_RESPONSE) else response)


def bare(run: InputId) -> str:
    """What is its run's own in the id of an item."""
    return run.removeprefix(_RUN)
