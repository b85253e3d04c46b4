"""What is said: incoming messages, the history of a session, tool calls, usage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from serai.core.ids import Account, AgentId, InputId
from serai.core.job import JobRun
from serai.core.source import Source

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by address: an `https:` or `data:` URL, with the level of detail the model should use."""

    url: str
    detail: Literal["auto", "low", "high"] = "auto"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to run a tool. `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a session's history, in the order in which the model sees it.

    A `tool` message answers the call named by `tool_call_id`; only `assistant` messages carry `tool_calls`.
    """

    role: Role
    text: str = ""
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: by address, or by a handle (`ref`) that only its platform understands and
    gives for the bytes (`ports.platform.Fetching`). `size` in bytes where known."""

    url: str = ""
    name: str | None = None
    media_type: str | None = None
    size: int | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as a platform received it, before anything was decided about it.

    `dedupe_key` is built by the platform from whatever is unique there (SPEC 5.1). `mentioned`: it is said to the bot
    (a mention, or a reply to it). `near_limit`: it is so long that the sender's client may have cut it.
    `admin`: the platform itself knows the sender to be the operator. `agents` are those that a sender with an API key
    may reach, None all. `run` is the id that its input shall have, from a platform that listens to the turn: then the
    answer is told as it is written.
    """

    source: Source
    text: str
    dedupe_key: str
    attachments: tuple[Attachment, ...] = ()
    mentioned: bool = False
    near_limit: bool = False
    admin: bool = False
    agents: frozenset[AgentId] | None = None
    run: InputId | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button under a message of ours. `value` is the button's own; `source.message_id` names the
    message that has it. A copy of a press has the same `dedupe_key`. `admin` and `agents` as for `Inbound`."""

    source: Source
    value: str
    dedupe_key: str
    admin: bool = False
    agents: frozenset[AgentId] | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A message that was edited, or deleted where `text` is None (SPEC 6.8)."""

    connection: Account
    chat_id: str
    message_id: str
    text: str | None


@dataclass(frozen=True, slots=True)
class ClientTool:
    """A function of the API's client: the model may call it, the client runs it. `parameters` is a JSON Schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ClientTools:
    """What a client offers for one turn. `forced`: it wants one of them called, so the agent's own are left out."""

    tools: tuple[ClientTool, ...]
    forced: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(tool.name for tool in self.tools)


@dataclass(frozen=True, slots=True)
class InputBody:
    """What an input asks of the agent; stored with it.

    `history` is what the client of a stateless call brought along; `system` is the client's own instruction,
    added after the agent's persona. `options` are sampling settings, passed to the model as they are. `speaker` names
    the sender where several people share the conversation. `before` are messages that came with `message` and stand
    before it, for good: above all the results of the client's tools that an earlier turn had ended with.
    `attachments` came with it and are taken into the agent's workspace before its model is asked.
    `job`: nobody said it, a job's time has come.
    `approvable`: whoever asked over the API can be asked whether a tool may run. (In chats people always can.)
    """

    message: Message
    history: tuple[Message, ...] = ()
    system: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    speaker: str = ""
    before: tuple[Message, ...] = ()
    client: ClientTools | None = None
    approvable: bool = False
    attachments: tuple[Attachment, ...] = ()
    job: JobRun | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """How a turn ended for its asker: the text, and what the API reports about it.

    `tool_calls` are for the client to run: its next turn brings their results.
    """

    text: str
    usage: Usage = Usage()
    model: str = ""
    finish_reason: str = "stop"
    tool_calls: tuple[ToolCall, ...] = ()


_SILENT_WORDS = frozenset({"[SILENT]", "...", "…"})


def may_become_silence(text: str) -> bool:
    """Whether an answer that begins so may still turn out to be only silence."""
    word = text.strip()
    return any(silent.startswith(word) for silent in _SILENT_WORDS) or "NO_REPLY".startswith(word.upper())


def is_silence(text: str) -> bool:
    """Whether an answer is only silence: saved, not sent (SPEC 10.3, 16.4)."""
    word = text.strip()
    return word in _SILENT_WORDS or word.upper() == "NO_REPLY"
