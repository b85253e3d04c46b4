"""Where a person's lines come from: an editor on a terminal, plain lines everywhere else."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyBindings

Offer = Callable[[str], Iterable[str]]
"""How an unfinished line that begins with `/` could go on: the last word, completed."""


class Reader(Protocol):
    interactive: bool
    """Whether a person is there to read what went wrong and try again."""

    def read(self, prompt: str, draft: str) -> str | None:
        """The next message; None at the end. `draft` stands on the line already. Raises KeyboardInterrupt."""
        ...


class LineReader:
    """One message a line, from standard input."""

    interactive = False

    def read(self, prompt: str, draft: str) -> str | None:  # noqa: ARG002 - nobody sees them
        return sys.stdin.buffer.readline().decode(errors="replace") or None


class Editor:
    """A line that can be edited, with history and completion. Pasted text keeps its lines, and so does Alt-Enter."""

    interactive = True

    def __init__(self, history: Path, offer: Offer) -> None:
        """`history` is kept from other users. Raises OSError where it cannot be written."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory

        from serai.cli.chat.completer import SlashCompleter

        history.touch(mode=0o600)
        self._session: PromptSession[str] = PromptSession(
            history=FileHistory(str(history)),
            completer=SlashCompleter(offer),
            complete_while_typing=True,
            complete_in_thread=True,
            key_bindings=_keys(),
            enable_open_in_editor=False,
        )

    def read(self, prompt: str, draft: str) -> str | None:
        try:
            return self._session.prompt(prompt, default=draft)
        except EOFError:
            return None


def _keys() -> "KeyBindings":
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def reader(history: Path, offer: Offer) -> Reader:
    """The one that fits standard input and output."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Editor(history, offer)
    return LineReader()
