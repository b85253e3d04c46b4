"""A conversation as text for people."""

from collections.abc import Iterator, Sequence

from serai.cli.moment import local_time
from serai.cli.printable import harmless, one_line
from serai.ports.store.archive import MessageRow, SessionRow


def spoken(entry: MessageRow) -> str:
    """What was said, and which tools were called."""
    calls = [f"(calls {call.name} with {call.arguments})" for call in entry.message.tool_calls]
    images = ["(an image)"] * len(entry.message.images)
    return "\n".join(filter(None, [entry.message.text, *images, *calls]))


def markdown(row: SessionRow, messages: Sequence[MessageRow]) -> str:
    """The whole conversation as a Markdown document, with a newline at its end."""
    return "\n".join(_lines(row, messages))


def _lines(row: SessionRow, messages: Sequence[MessageRow]) -> Iterator[str]:
    yield f"# {one_line(row.title or row.id)}\n"
    yield f"- session: `{one_line(row.id)}`"
    yield f"- key: `{one_line(row.key)}`"
    yield f"- agent: {row.agent}"
    yield f"- from {local_time(row.opened_at)} to {local_time(row.last_at)}\n"
    for entry in messages:
        yield f"## {entry.message.role}, {local_time(entry.created_at)}\n"
        yield f"{harmless(spoken(entry))}\n"
