"""Everything a plugin implements: all hooks, one signature each (SPEC 8, 16.2).

A plugin is a package with an entry point in the group `serai.plugins`, or a folder `plugins/<name>/plugin.py` in
SERAI_HOME whose functions are marked with `hookimpl`. Either is off unless named in `plugins.enabled`; the order
there is the order in which hooks are asked. A hook may be a plain function or `async def`, and may take fewer
arguments than its specification.

    from serai.plugin import hookimpl

    @hookimpl
    def select_agent(source, route_match):
        return "ops" if source["chat_id"] == "100" else None

A plain function runs in a thread of its own, `async def` on the gateway's event loop, which it must not block. Every
argument is the plugin's own copy: changing it changes nothing. Where a hook has an `agent_id`, that agent's profile
is bound while it runs (`serai.ports.scope.current_profile`), in threads too.

Each plugin has the hook's deadline (`DEADLINES`) for itself. One that raises, takes longer, or answers something
that makes no sense is logged and passed over; the next one is asked. All hooks are awaited, also those whose answer
is not used (`on_…`, `post_…`, `subagent_…`), so that a plugin sees the moments of a turn in their order.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

import pluggy

from serai.ports.hooks import HookName

GROUP: Final = "serai.plugins"

DEADLINES: Final[Mapping[HookName, float]] = MappingProxyType(
    {
        "select_agent": 1.0,
        "pre_gateway_dispatch": 1.0,
        "on_session_start": 2.0,
        "on_session_end": 2.0,
        "on_session_finalize": 2.0,
        "on_session_reset": 2.0,
        "pre_llm_call": 5.0,
        "post_llm_call": 2.0,
        "pre_tool_call": 5.0,
        "post_tool_call": 2.0,
        "transform_tool_result": 5.0,
        "transform_llm_output": 5.0,
        "pre_approval_request": 2.0,
        "post_approval_response": 2.0,
        "on_delivery": 2.0,
    }
)
"""Seconds that one plugin has for one call of a hook. A hook that is not here is not called yet."""

hookspec = pluggy.HookspecMarker("serai")
hookimpl = pluggy.HookimplMarker("serai")


@hookspec
def select_agent(source: Mapping[str, Any], route_match: str | None) -> str | None:
    """Chooses the agent of a message (SPEC 4.4).

    Asked for every message that carries no stamp, also when a route matched; a stored decision is never asked
    again. `source` is a plain mapping of the fields of SPEC 3.2; `route_match` the agent of the matching route,
    else None. The first non-blank text wins, blanks trimmed; anything else is ignored.
    """


@hookspec
def pre_gateway_dispatch(agent_id: str, source: Mapping[str, Any], text: str) -> str | Literal[False] | None:
    """Sees a message before it is stored: its sender is authorised, its agent is chosen.

    None leaves it as it is; another text that is not blank takes the place of its text; False drops it. Each plugin
    sees the text as the one before left it; after a False nobody else is asked. What is dropped starts no turn: a
    chat platform is told that it arrived, and a second copy is not asked about; a caller of the API gets 403.
    Commands of chats are not asked about, and while a plugin has this hook, edits of waiting messages are ignored.
    """


@hookspec
def on_session_start(agent_id: str, session_id: str, source: Mapping[str, Any]) -> None:
    """A session begins with this message: told before its first turn does anything else, at most once."""


@hookspec
def on_session_end(
    agent_id: str, session_id: str, turn_id: int, outcome: Literal["done", "failed", "cancelled"]
) -> None:
    """A turn has ended, and its end is stored; the session goes on. Told before the lane's next turn begins."""


@hookspec
def on_session_finalize(agent_id: str, session_id: str, reason: str) -> None:
    """A session is closed and nothing is added to it any more.

    `reason` is `expired` where the reset policy closed it, else the command that did: `new` or `stop`. Told before
    `on_session_reset`. The end of a turn that the command stops may be told later.
    """


@hookspec
def on_session_reset(agent_id: str, session_id: str, old_session_id: str) -> None:
    """A fresh session `session_id` takes the place of one that was closed. Its first message begins it."""


@hookspec
def pre_llm_call(
    agent_id: str, session_id: str, turn_id: int, model: str, messages: Sequence[Mapping[str, Any]]
) -> str | None:
    """The model is about to be called; a turn with tools calls it several times.

    `messages` is all that it will see, in the OpenAI chat shape. A text is added below the turn's last user message,
    for this call alone: the history keeps what the user wrote. The texts of several plugins are all added, in their
    order; none sees another's. `model` is the agent's first model.
    """


@hookspec
def post_llm_call(
    agent_id: str, session_id: str, turn_id: int, model: str, text: str, usage: Mapping[str, int]
) -> None:
    """The model has answered with `text`, which is mostly empty where it calls tools.

    `model` is the one that answered. `usage` has `input_tokens`, `output_tokens`, `cached_tokens` and
    `reasoning_tokens` of this call. A call that failed is not told.
    """


@hookspec
def pre_tool_call(
    agent_id: str, session_id: str, turn_id: int, tool_name: str, args: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """A tool is about to run; asked for all calls of one answer of the model before the first of them runs.

    None lets it run. `{"block": reason}` keeps it from running, and tells the model the reason. `{"args": {...}}`
    gives it other arguments, which are what is recorded. Each plugin sees the arguments as the one before left them;
    after a block nobody else is asked. A call that is repeated after a crash is not asked about again. A plugin that
    fails blocks nothing.
    """


@hookspec
def post_tool_call(
    agent_id: str,
    session_id: str,
    turn_id: int,
    tool_name: str,
    args: Mapping[str, Any],
    result: str,
    status: Literal["done", "failed", "blocked"],
    duration_ms: float,
) -> None:
    """A tool call has come to its end, and its result is recorded.

    `args` and `result` are what was recorded: the arguments after `pre_tool_call`, the text that the model gets.
    Not told again when a turn goes on after a crash.
    """


@hookspec
def transform_tool_result(agent_id: str, tool_name: str, args: Mapping[str, Any], result: str) -> str | None:
    """A tool has run, or failed; `result` is the text for the model. A text takes its place, before it is recorded.

    Each plugin sees the result as the one before left it. Not asked about calls that were blocked.
    """


@hookspec
def transform_llm_output(agent_id: str, session_id: str, text: str) -> str | None:
    """The turn's answer is complete. A text takes its place: for whoever gets it, and in the history.

    Each plugin sees the text as the one before left it. While a plugin has this hook, answers are not streamed word
    by word: a listener gets the whole text when it is final.
    """


@hookspec
def pre_approval_request(
    agent_id: str, session_id: str, approval_id: str, tool_name: str, args: Mapping[str, Any]
) -> None:
    """People are about to be asked whether a tool may run; `args` are the arguments of its call.

    Told once for each question, unless the process dies before it is stored: then it is asked anew.
    """


@hookspec
def post_approval_response(
    agent_id: str,
    session_id: str,
    approval_id: str,
    choice: Literal["once", "session", "always", "deny", "expired"],
    decided_by: str | None,
) -> None:
    """An approval was given, denied, or not answered in time (`expired`), and that is stored.

    `decided_by` is `platform:id` of a person, the name of an API key, or None where nobody answered.
    """


@hookspec
def subagent_start(agent_id: str, child_agent_id: str, turn_id: int, goal: str) -> None:
    """An agent has asked another one. Not called yet."""


@hookspec
def subagent_stop(agent_id: str, child_agent_id: str, turn_id: int, status: str) -> None:
    """An agent that was asked by another one has come to its end. Not called yet."""


@hookspec
def on_delivery(
    agent_id: str, delivery_id: str, target: Mapping[str, Any], state: Literal["sent", "unknown", "dead"]
) -> None:
    """An outgoing message has come to its end, and that is stored: told before the chat's next one is sent.

    `target` has `platform`, `account`, `chat_id`, `chat_type`, `thread_id`, `user_id`, `agent_id` and `reply_to`.
    `unknown` and `dead` messages can be sent again, and are then told about again.
    """
