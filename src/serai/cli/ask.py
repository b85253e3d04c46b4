"""`serai ask`: one question to an agent, the answer as it is written (SPEC 12)."""

import click

from serai.cli.document import json_option
from serai.cli.place import Place
from serai.cli.suggest import agents, sessions


@click.command("ask")
@click.argument("text")
@click.option("--agent", metavar="ID", shell_complete=agents, help="The agent to ask; routing decides without it.")
@click.option("--session", metavar="ID", shell_complete=sessions, help="Go on with this conversation.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete.")
@json_option
@click.pass_obj
def ask(place: Place, text: str, agent: str | None, session: str | None, no_stream: bool, as_json: bool) -> None:
    """Ask an agent one question. TEXT may be `-` to read it from standard input."""
    import sys

    from serai.cli.completion import Question, print_answer
    from serai.cli.gateway import required

    words = sys.stdin.buffer.read().decode(errors="replace") if text == "-" else text
    if not words.strip():
        raise click.UsageError("The question is empty.")
    question = Question(words, agent, session, streamed=not (no_stream or as_json))
    print_answer(required(place.layout.lock), question, as_json=as_json)
