"""`serai chat` itself."""

import click

from serai.cli.place import Place
from serai.cli.suggest import agents, sessions


@click.command("chat")
@click.option("--agent", metavar="ID", shell_complete=agents, help="Who answers; routing decides without it.")
@click.option("--session", metavar="ID", shell_complete=sessions, help="Go on with this conversation.")
@click.pass_obj
def chat(place: Place, agent: str | None, session: str | None) -> None:
    """Talk to an agent. /help lists what can be typed besides; Ctrl-C stops an answer, Ctrl-D leaves.

    Where input or output is no terminal, each line of standard input is a message, and answers are plain text.
    """
    from serai.cli.chat import slash
    from serai.cli.chat.conversation import Conversation
    from serai.cli.chat.loop import converse
    from serai.cli.chat.reader import reader
    from serai.cli.chat.screen import screen
    from serai.cli.gateway import required

    layout = place.layout
    required(layout.lock)
    conversation = Conversation(place, agent)
    lines = reader(layout.chat_history, lambda line: slash.offered(conversation, line))
    if session is not None:
        earlier = conversation.resume(session)
        if lines.interactive:
            slash.show_last(earlier)
    if lines.interactive:
        click.echo("/help lists the commands, Ctrl-D leaves.", err=True)
    converse(conversation, lines, screen())
