"""`/cron` in a terminal: written as in every chat, done by the commands of `serai cron` (SPEC 6.4, 16.7).

A terminal is no chat that anything could be sent to, so there are no jobs of this chat; they are the agent's.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from serai.cli.catalogue import COMMANDS
from serai.cli.failure import Failed

if TYPE_CHECKING:
    from serai.cli.place import Place

USAGE: Final = """\
/cron list [all]           What the agent does by itself; or what all agents do
/cron add SCHEDULE PROMPT  Do that then: /cron add 0 9 * * 1-5 What is new?
/cron pause|resume ID      Do not run it for a while; let it run again
/cron run ID               Run it now, too, and show what it says
/cron remove ID            Take it away
What a job says is kept in its agent's cron/output, and sent to a chat after
`serai cron edit ID --deliver TARGET`."""


def cron(place: "Place", agent: str | None, words: str) -> None:
    """Does what `/cron` asks for, of one agent or of all. Raises Failed, and as the commands do."""
    verb, _, rest = words.partition(" ")
    verb, rest = verb.lower() or "list", rest.strip()
    if verb == "help":
        click.echo(USAGE)
        return
    if verb not in VERBS:
        raise Failed(f"`/cron {verb}` is nothing that I know. `/cron help` tells more.")
    everywhere = verb == "list" and rest.lower() == "all"
    chosen = [] if agent is None or everywhere else ["--agent", agent]
    _invoke(place, verb, [*chosen, *VERBS[verb](rest)])


def _list(words: str) -> Sequence[str]:
    if words.lower() not in ("", "all"):
        raise Failed("Write `/cron list`, or `/cron list all`.")
    return []


def _add(words: str) -> Sequence[str]:
    from serai.core.appointment import parse_appointment

    wanted = parse_appointment(words) if words else None
    if wanted is None or wanted.prompt == "-":  # which would read standard input
        raise Failed("Write when and what: `/cron add every 2h Check the mail`. `/cron help` tells more.")
    return [f"--schedule={wanted.schedule}", f"--prompt={wanted.prompt}"]


def _job(*options: str) -> Callable[[str], Sequence[str]]:
    def named(words: str) -> Sequence[str]:
        if not words:
            raise Failed("Name the job: `/cron list` shows them.")
        return [*options, "--", words.strip("`")]

    return named


VERBS: Final[Mapping[str, Callable[[str], Sequence[str]]]] = MappingProxyType(
    {
        "list": _list,
        "add": _add,
        "pause": _job(),
        "resume": _job(),
        "run": _job("--wait"),
        "remove": _job("--yes"),
    }
)
"""What may follow `/cron`, and the arguments of the command that does it."""


def _invoke(place: "Place", verb: str, arguments: Sequence[str]) -> None:
    """Runs `serai cron VERB`. Its exit code is for scripts: what went wrong, it has told."""
    from importlib import import_module

    module, _, attribute = COMMANDS[f"cron {verb}"][0].partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    try:
        with command.make_context(f"/cron {verb}", [*arguments], obj=place) as context:
            command.invoke(context)
    except click.exceptions.Exit:
        return
    except click.ClickException as error:
        raise Failed(error.format_message()) from error
