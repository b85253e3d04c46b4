"""Taking turns: a line, an answer, until the lines end."""

import click

from serai.cli.chat import slash
from serai.cli.chat.conversation import Conversation
from serai.cli.chat.reader import Reader
from serai.cli.chat.screen import Screen
from serai.core.error import SeraiError


def converse(conversation: Conversation, reader: Reader, screen: Screen) -> None:
    """Runs until the reader has no more lines, or is told to leave.

    With a person there, an error is a sentence, and a message that got no answer stands on the line again; else it
    is raised.
    """
    draft = ""
    while True:
        try:
            line = reader.read(f"{conversation.agent}> ", draft)
        except KeyboardInterrupt:
            draft = ""
            continue
        if line is None:
            return
        draft = ""
        try:
            if not _taken(line.rstrip("\n"), conversation, screen):
                return
        except KeyboardInterrupt:
            click.echo("(stopped)", err=True)
        except SeraiError as error:
            if not reader.interactive:
                raise
            click.echo(f"Error: {error}", err=True)
            draft = "" if _is_command(line) else line


def _taken(line: str, conversation: Conversation, screen: Screen) -> bool:
    """Does what the line says; False where it asks to leave."""
    if _is_command(line):
        return slash.run(conversation, line)
    if line.strip():
        screen.show(conversation.ask(line.removeprefix("/") if line.startswith("//") else line))
    return True


def _is_command(line: str) -> bool:
    return line.startswith("/") and not line.startswith("//")
