"""The shapes of a run's events (SPEC 11.5, 16.7): their name stands in `event:` and in `type`.

`run.event` writes those of runs, `session.chat` those of what is said in a session.
"""

from typing import Any

from msgspec import Struct


class RunUsage(Struct):
    """Tokens of all model calls of a run."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class MessageDelta(Struct, tag_field="type", tag="message.delta"):
    """A piece of the answer."""

    run_id: str
    delta: str


class MessageRestarted(Struct, tag_field="type", tag="message.restarted"):
    """What was told of this text counts no more; it comes again from its beginning."""

    run_id: str


class ToolStart(Struct, tag_field="type", tag="tool.started"):
    """The agent uses a tool."""

    run_id: str
    tool: str
    call_id: str


class ToolEnd(Struct, tag_field="type", tag="tool.completed"):
    """The tool has answered; `ok`: as it should."""

    run_id: str
    tool: str
    call_id: str
    ok: bool


class ApprovalAsked(Struct, tag_field="type", tag="approval.request"):
    """A tool call waits for somebody's leave, until `expires_at`, in seconds since the epoch."""

    run_id: str
    approval_id: str
    question: str
    expires_at: float
    tool: str
    call_id: str
    arguments: str


class ApprovalGiven(Struct, tag_field="type", tag="approval.responded"):
    """Somebody has answered, or the time is over."""

    run_id: str
    approval_id: str
    choice: str
    by: str


class RunCompleted(Struct, tag_field="type", tag="run.completed"):
    """The last event: the whole answer."""

    run_id: str
    output: str
    usage: RunUsage


class RunFailed(Struct, tag_field="type", tag="run.failed"):
    """The last event of a run without an answer; `error` is as in every error."""

    run_id: str
    error: dict[str, Any]


class RunCancelled(Struct, tag_field="type", tag="run.cancelled"):
    """The last event of a run that somebody stopped."""

    run_id: str


SessionTold = (
    MessageDelta | ToolStart | ToolEnd | ApprovalAsked | ApprovalGiven | RunCompleted | RunFailed | RunCancelled
)
RunTold = SessionTold | MessageRestarted
