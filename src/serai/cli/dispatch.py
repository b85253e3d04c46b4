"""Asks the running gateway to send a text, and looks after its deliveries until they are settled.

What the gateway has accepted is stored, and sent whatever becomes of this process, or of that one.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from serai.cli.failure import Failed
from serai.cli.gateway import Gateway, fault

PATIENCE_S: Final = 10.0
"""For which an outcome is awaited."""

_PAUSE_S: Final = 0.1
_LEAST_S: Final = 0.5
"""For which an answer of the gateway is awaited even where the time is over."""

_GONE: Final = "stored; the gateway went away"
_SLOW: Final = "stored; the gateway does not answer"
_SETTLED: Final = frozenset({"sent", "unknown", "dead"})

State = Literal["sent", "waiting", "unknown", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target. `reason` says why it is not sent (yet)."""

    target: str
    agent: str | None
    deliveries: tuple[str, ...]
    state: State
    reason: str | None

    def document(self) -> Mapping[str, Any]:
        """The API's object (`POST /api/deliveries`) with the state that it came to."""
        return {
            "object": "dispatched",
            "target": self.target,
            "agent_id": self.agent,
            "deliveries": list(self.deliveries),
            "error": self.reason,
            "state": self.state,
        }


def dispatch(gateway: Gateway, target: str, text: str, agent: str | None, patience: float) -> Sequence[Outcome]:
    """Sends, and waits until every delivery is settled, `patience` seconds at most. Raises Failed where it is not
    known to be accepted; from then on nothing is a failure but what becomes of the deliveries."""
    deadline = time.monotonic() + patience
    asked = {"target": target, "text": text, **({"agent": agent} if agent is not None else {})}
    status, document = _accepted(gateway, asked, deadline)
    if status != 202:
        raise Failed(fault(status, document))
    results = document["data"]
    known = _settled(gateway, [name for one in results for name in one["deliveries"]], deadline)
    return [_outcome(one, [known[name] for name in one["deliveries"]]) for one in results]


def _accepted(gateway: Gateway, asked: Mapping[str, Any], deadline: float) -> tuple[int, Any]:
    try:
        return gateway.ask("POST", "/api/deliveries", asked, answer_s=_left(deadline))
    except Failed as error:
        if isinstance(error.__cause__, ConnectionRefusedError):
            raise
        raise Failed(f"{error} It may have taken the text; `serai delivery list` tells.") from error


def _settled(gateway: Gateway, names: Sequence[str], deadline: float) -> Mapping[str, Mapping[str, Any]]:
    """The deliveries as they are in the end, by their ids."""
    known: dict[str, Mapping[str, Any]] = {}
    while True:
        for name in _open(names, known):
            try:
                known[name] = _delivery(gateway, name, deadline)
            except Failed as error:
                return known | dict.fromkeys(_open(names, known), _waiting(error))
        if not _open(names, known) or time.monotonic() >= deadline:
            return known
        time.sleep(_PAUSE_S)


def _open(names: Iterable[str], known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [name for name in names if name not in known or known[name]["state"] not in _SETTLED]


def _delivery(gateway: Gateway, name: str, deadline: float) -> Mapping[str, Any]:
    """What the gateway says of it. Raises Failed where it does not answer."""
    status, document = gateway.ask("GET", f"/api/deliveries/{name}", answer_s=_left(deadline))
    return document if status == 200 else {"state": "new", "error": f"stored; {fault(status, document)}"}


def _waiting(error: Failed) -> Mapping[str, Any]:
    """A delivery of which the gateway tells nothing any more."""
    return {"state": "new", "error": _SLOW if isinstance(error.__cause__, TimeoutError) else _GONE}


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), _LEAST_S)


def _outcome(result: Mapping[str, Any], deliveries: Sequence[Mapping[str, Any]]) -> Outcome:
    """The worst that happened to one of the pieces is what happened to the text."""
    target, agent, names = result["target"], result["agent_id"], tuple(result["deliveries"])
    if not deliveries:
        return Outcome(target, agent, names, "failed", result["error"])
    return Outcome(target, agent, names, *_worst(deliveries))


def _worst(deliveries: Sequence[Mapping[str, Any]]) -> tuple[State, str | None]:
    by_state = {one["state"]: one["error"] for one in reversed(deliveries)}
    if "dead" in by_state:
        return "failed", by_state["dead"]
    if "unknown" in by_state:
        return "unknown", by_state["unknown"] or "it may have arrived"
    waiting = [state for state in by_state if state != "sent"]
    if waiting:
        return "waiting", by_state[waiting[0]] or "it is being sent"
    return "sent", None
