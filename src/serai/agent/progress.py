"""How far a turn has come."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from serai.core.delivery import Enclosure
from serai.core.message import Answer, Message, ToolCall, Usage
from serai.core.redact import Redactor
from serai.core.redact_message import clean_call, clean_message
from serai.core.turn import Step
from serai.ports.model import ModelReply


@dataclass(slots=True)
class Progress:
    """How far a turn has come. `unwritten` steps are left for the transaction that finishes the turn; `handed_over`
    are the calls that it ended with, for the client to run; `enclosures` are files that go along with the answer.

    `new` is as it was said, for the history. Whatever leaves is without what `redactor` knows (SPEC 16.4).
    """

    new: list[Message]
    redactor: Redactor = field(default_factory=Redactor)
    usage: Usage = Usage()
    model: str = ""
    finish_reason: str = "stop"
    step: int = 0
    model_calls: int = 0
    unwritten: list[Step] = field(default_factory=list)
    handed_over: tuple[ToolCall, ...] = ()
    enclosures: list[Enclosure] = field(default_factory=list)
    _shown: list[Message] = field(default_factory=list)

    def answer(self) -> Answer:
        """What its asker gets."""
        said = next(one for one in reversed(self.new) if one.role == "assistant")
        calls = tuple(clean_call(self.redactor, call) for call in self.handed_over)
        return Answer(self.redactor.clean(said.text), self.usage, self.model, self.finish_reason, calls)

    def shown(self) -> Sequence[Message]:
        """The new messages as the model sees them. Each is looked at once: from the first call on, `new` must only
        grow."""
        self._shown += [clean_message(self.redactor, one) for one in self.new[len(self._shown) :]]
        return self._shown

    def complete_messages(self) -> tuple[Message, ...]:
        """The new messages up to the last point where no tool call lacks its result: what history may keep. The
        client brings the results of those that were handed over."""
        kept = len(self.new)
        handed_over = {call.id for call in self.handed_over}
        missing: set[str] = set()
        for n, message in enumerate(self.new):
            if message.tool_calls:
                missing = {call.id for call in message.tool_calls} - handed_over
                kept = n
            missing.discard(message.tool_call_id or "")
            if not missing:
                kept = n + 1
        return tuple(self.new[:kept])

    def take(self, reply: ModelReply) -> None:
        """The model has said more."""
        self.new.append(reply.message)
        self.usage += reply.usage
        self.model = reply.model
        self.finish_reason = reply.finish_reason
        self.model_calls += 1

    def take_result(self, call: ToolCall, text: str) -> None:
        """A call has its result."""
        self.new.append(Message("tool", text, tool_call_id=call.id, name=call.name))
