"""Commands that people type in a chat (SPEC 6.4): which there are, and how a text is one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "new": "start afresh",
    "stop": "stop the answer under way; the next message starts afresh",
    "status": "who answers here, and what is going on",
    "approve": "[id] [once|session|always] allow what an agent asks for",
    "deny": "[id] do not allow it; with the name of a tool: ask again from now on",
    "agents": "the agents that you may choose",
    "agent": "[name|default] let an agent answer in this chat",
    "model": "[name|default] the model of this conversation",
    "reasoning": "[low|medium|high|default] how long the model thinks",
    "title": "[text] name this conversation",
    "usage": "the tokens of this conversation",
    "undo": "forget the last question and its answer",
    "retry": "send again what may not have arrived",
    "sethome": "[off] send here what is for nobody in particular, such as what schedules report",
    "cron": "[list|add|pause|resume|run|remove] what the agent does by itself at its time; /cron help tells more",
    "help": "this list",
}
"""Each with its line of help; words in brackets are its argument."""

DEFAULT: Final = "default"
"""The argument that takes back what was chosen."""

TITLE_MOST: Final = 200
"""Characters of a conversation's title."""

LEVELS: Final = ("low", "medium", "high", DEFAULT)
"""What `/reasoning` takes."""

_COMMAND: Final = re.compile(r"/([A-Za-z][A-Za-z_-]{0,31})(?:@\S+)?(?:\s+(.*))?", re.DOTALL)
_MENTION: Final = re.compile(r"@([A-Za-z0-9_-]{1,64})[:,]?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A typed command, its name in lower case. It may be one that does not exist."""

    name: str
    argument: str = ""

    @property
    def known(self) -> bool:
        return self.name in COMMANDS


def parse_command(text: str) -> Command | None:
    """The command that a message is, else None. A path such as `/etc/hosts` is none.

    >>> parse_command("/agent@MyBot  ops ")
    Command(name='agent', argument='ops')
    """
    found = _COMMAND.fullmatch(text.strip())
    return Command(found[1].lower(), (found[2] or "").strip()) if found else None


def parse_mention(text: str) -> tuple[str, str] | None:
    """The name and the rest of a message that begins with `@name`, else None.

    >>> parse_mention("@ops restart it")
    ('ops', 'restart it')
    """
    found = _MENTION.fullmatch(text.strip())
    return (found[1], (found[2] or "").strip()) if found else None


def without_name(text: str, agent: str) -> str:
    """What is said to an agent that a message names first; else the text itself.

    >>> without_name("@ops restart it", "ops")
    'restart it'
    """
    name, rest = parse_mention(text) or ("", "")
    return rest if rest and name == agent else text


def title_of(argument: str) -> str:
    """The title that `/title` gives: one line of at most `TITLE_MOST` characters.

    >>> title_of(" The   capital ")
    'The capital'
    """
    return " ".join(argument.split())[:TITLE_MOST]


def levels_text() -> str:
    """What another level is answered."""
    return f"Say one of: {', '.join(LEVELS)}."


def help_text() -> str:
    """What `/help` answers."""
    return "\n".join(f"/{name} {text}" for name, text in COMMANDS.items()) + "\n@name question: ask that agent once"


def unknown_text(name: str) -> str:
    """What a command that does not exist is answered."""
    near = get_close_matches(name, COMMANDS, n=1)
    hint = f" Did you mean /{near[0]}?" if near else ""
    return f"There is no command /{name}.{hint} /help lists them."
