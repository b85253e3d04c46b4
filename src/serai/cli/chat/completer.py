"""Completion of commands for the line editor."""

from collections.abc import Callable, Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document


class SlashCompleter(Completer):
    """Offers what `offer` says for a line that begins with `/`."""

    def __init__(self, offer: Callable[[str], Iterable[str]]) -> None:
        self._offer = offer

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        line = document.text_before_cursor
        if line.startswith("/"):
            typed = len(line.rpartition(" ")[2])
            yield from (Completion(word, start_position=-typed) for word in self._offer(line))
