"""The commands of a chat: lines that begin with `/`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from serai.cli.chat.conversation import ROUTED, Conversation
from serai.cli.failure import Failed
from serai.cli.nearest import hint
from serai.cli.printable import harmless, one_line
from serai.core.command import COMMANDS as CHAT_COMMANDS
from serai.core.command import DEFAULT, LEVELS, levels_text, title_of
from serai.core.error import SeraiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serai.ports.store.archive import MessageRow

_NOTHING_SAID = "Nothing has been said here yet."
_SESSIONS_SHOWN = 10
_MESSAGES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Slash:
    """A command. `run` gets what was typed behind its name; `words` are what could be typed there."""

    help: str
    run: Callable[[Conversation, str], None]
    argument: str = ""
    words: Callable[[Conversation], list[str]] = lambda _: []


def run(conversation: Conversation, line: str) -> bool:
    """Runs a command; False where it asks to leave. Raises Failed for an unknown one, and as the command does."""
    name, _, rest = line.strip().partition(" ")
    if name in LEAVING:
        return False
    if name not in COMMANDS:
        if name in ELSEWHERE:
            raise Failed(f"`{name}` is for chats of platforms and the web page. /help lists what is here.")
        raise Failed(f"There is no command `{name}`{hint(name, COMMANDS)}. /help lists them; // sends a slash.")
    COMMANDS[name].run(conversation, rest.strip())
    return True


def offered(conversation: Conversation, line: str) -> Iterator[str]:
    """How the last word of an unfinished line could go on; nothing where that cannot be found out."""
    name, space, rest = line.partition(" ")
    if not space:
        yield from (command for command in (*COMMANDS, *LEAVING) if command.startswith(name))
    elif name in COMMANDS:
        try:
            yield from (word for word in COMMANDS[name].words(conversation) if word.startswith(rest))
        except SeraiError:
            return


def _help(_: Conversation, __: str) -> None:
    from serai.cli.table import print_fields

    named = [(f"{name} {slash.argument}".rstrip(), slash.help) for name, slash in COMMANDS.items()]
    keys = [("Ctrl-C", "Stop the answer, or clear the line"), ("Alt-Enter", "A new line")]
    print_fields([*named, ("/quit", "Leave, as Ctrl-D does"), *keys])


def _agents(conversation: Conversation, _: str) -> None:
    for agent in conversation.agents():
        click.echo(f"{'*' if agent == conversation.agent else ' '} {agent}")


def _agent(conversation: Conversation, agent: str) -> None:
    if agent:
        conversation.choose(agent)
    _tell(conversation)


def _new(conversation: Conversation, _: str) -> None:
    conversation.begin()
    _tell(conversation)


def _stop(_: Conversation, __: str) -> None:
    click.echo("Nothing runs. Ctrl-C stops an answer.")


def _status(conversation: Conversation, _: str) -> None:
    _tell(conversation)
    if stored := conversation.stored():
        title = f", “{one_line(stored['title'])}”" if stored["title"] else ""
        click.echo(f"{stored['agent']} answers here, {stored['messages']} messages{title}.")
    else:
        click.echo(_NOTHING_SAID)
    _reasoning(conversation, "")


def _title(conversation: Conversation, words: str) -> None:
    title = title_of(words)
    stored = conversation.entitle(title) if title else conversation.stored()
    if stored is None:
        click.echo(_NOTHING_SAID)
    elif stored["title"]:
        click.echo(f"It is called “{one_line(stored['title'])}”.")
    else:
        click.echo("It has no title yet.")


def _reasoning(conversation: Conversation, level: str) -> None:
    if level in LEVELS:
        conversation.reasoning = None if level == DEFAULT else level
    elif level:
        raise Failed(levels_text())
    click.echo(f"Reasoning: {conversation.reasoning or DEFAULT}")


def _levels(_: Conversation) -> list[str]:
    return [*LEVELS]


def _sessions(conversation: Conversation, _: str) -> None:
    import time

    from serai.cli.moment import ago
    from serai.cli.table import print_table

    now = time.time()
    rows = [
        (row.id, row.agent, str(row.messages), ago(row.last_at, now))
        for row in conversation.sessions()[:_SESSIONS_SHOWN]
    ]
    if rows:
        print_table(("session", "agent", "messages", "last"), rows, right=("messages",), whole=("session", "last"))
    else:
        click.echo("No sessions yet")


def _session(conversation: Conversation, session: str) -> None:
    if session:
        show_last(conversation.resume(session))
    _tell(conversation)


def show_last(messages: "Sequence[MessageRow]") -> None:
    """The end of a conversation that is gone on with."""
    said = [entry for entry in messages if entry.message.role in ("user", "assistant") and entry.message.text]
    for entry in said[-_MESSAGES_SHOWN:]:
        click.echo(f"{entry.message.role}: {harmless(entry.message.text)}")


def _tell(conversation: Conversation) -> None:
    agent = "routing decides who answers" if conversation.agent == ROUTED else f"agent {conversation.agent}"
    click.echo(f"Session {conversation.session}, {agent}.")


def _cron(conversation: Conversation, words: str) -> None:
    from serai.cli.chat.cron import cron

    cron(conversation.place, None if conversation.agent == ROUTED else conversation.agent, words)


def _cron_words(_: Conversation) -> list[str]:
    from serai.cli.chat.cron import VERBS

    return [*VERBS]


def _sethome(_: Conversation, __: str) -> None:
    click.echo("Nothing can be sent to a terminal. Write /sethome in a chat of the platform,")
    click.echo("or set `home_chat` of its account in config.yaml.")


def _agent_words(conversation: Conversation) -> list[str]:
    return [*conversation.agents(), ROUTED]


def _session_words(conversation: Conversation) -> list[str]:
    return [row.id for row in conversation.sessions()]


COMMANDS: Final[Mapping[str, Slash]] = MappingProxyType(
    {
        "/help": Slash("List the commands", _help),
        "/agents": Slash("List the agents", _agents),
        "/agent": Slash(
            "Talk to this agent, in a new session; `default` lets routing decide", _agent, "[ID]", _agent_words
        ),
        "/new": Slash("Begin a new session", _new),
        "/stop": Slash("Tell how an answer is stopped", _stop),
        "/status": Slash("Tell who answers, how long the conversation is, and how long the model thinks", _status),
        "/title": Slash("Name this session, or tell its name", _title, "[TEXT]"),
        "/reasoning": Slash(
            "How long the model thinks until you leave: low, medium, high, default", _reasoning, "[LEVEL]", _levels
        ),
        "/sessions": Slash("List the latest sessions of this command line", _sessions),
        "/session": Slash("Tell which session this is, or go on with another one", _session, "[ID]", _session_words),
        "/cron": Slash(
            "What the agent does by itself, at its time; /cron help tells more", _cron, "...", _cron_words
        ),
        "/sethome": Slash("Tell how a chat becomes its account's home chat", _sethome),
    }
)
LEAVING: Final = ("/quit", "/exit")
ELSEWHERE: Final = frozenset(f"/{name}" for name in CHAT_COMMANDS) - COMMANDS.keys()
"""Commands of chats that a terminal does not have."""
