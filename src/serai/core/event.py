"""What happens while a turn runs, told to whoever listens (streams, dashboards). Volatile: truth is in the store."""

from dataclasses import dataclass

from serai.core.approval import ApprovalState
from serai.core.ids import ApprovalId, InputId
from serai.core.message import Answer
from serai.core.turn import TurnEnd


@dataclass(frozen=True, slots=True)
class TurnFault:
    """Why a turn failed. `status`, `code` and `retry_after` are for HTTP callers (SPEC 11.8)."""

    text: str
    status: int = 500
    code: str = "turn_failed"
    retry_after: float | None = None

    @property
    def passing(self) -> bool:
        """Whether the same request may fare better later, so that this is not kept as its answer (SPEC 16.7)."""
        return self.status >= 500 or self.status == 429


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the text of one model call, as the model writes it. `step` is the number of the turn's step."""

    text: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call_id: str
    name: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class ToolEnded:
    call_id: str
    name: str
    ok: bool
    step: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """People are asked whether a tool may run; the turn waits. `arguments` is JSON, `question` completes
    `May I …?`."""

    approval: ApprovalId
    call_id: str
    name: str
    arguments: str
    question: str
    expires_at: float
    step: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """They have answered, or their time is over."""

    approval: ApprovalId
    choice: ApprovalState
    by: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The last event of a run. `answer` is set when `state` is done, `fault` when it is failed or cancelled."""

    state: TurnEnd
    answer: Answer | None = None
    fault: TurnFault | None = None


RunEvent = TextDelta | ToolStarted | ToolEnded | ApprovalRequested | ApprovalAnswered | TurnEnded


def run_topic(input_id: InputId) -> str:
    """The topic on which the events of an input's turn are published."""
    return f"run:{input_id}"
