"""The help of `serai` and of its groups, written from the catalogue alone."""

import sys

from serai.cli.catalogue import ABOUT, GROUPS, names
from serai.cli.stdout import READER_GONE, abandon_stdout

HELP_OPTIONS = ("--help", "-h")

_OPTIONS = {
    "--home PATH": "Where everything is kept  [SERAI_HOME, else ~/.serai]",
    "--version": "Print the version",
    "-h, --help": "Print this help",
}


def overview_asked(arguments: list[str]) -> str | None:
    """The path of the group whose help is asked for, "" for `serai`; None where the arguments are anything else."""
    *words, last = arguments or [""]
    path = " ".join(words)
    return path if last in HELP_OPTIONS and (not path or path in GROUPS) else None


def overview(path: str) -> str:
    """The whole text, with a newline at its end. `path` is "" or a group."""
    usage = " ".join(filter(None, ["serai", path, "[OPTIONS] COMMAND [ARGS]..."]))
    about = GROUPS[path] + "." if path else ABOUT
    options = {"-h, --help": _OPTIONS["-h, --help"]} if path else _OPTIONS
    parts = [
        f"Usage: {usage}\n",
        f"  {about}\n",
        "Commands:\n" + _columns(names(path)),
        "Options:\n" + _columns(options),
        f"`{' '.join(filter(None, ['serai', path]))} COMMAND --help` tells more about a command.\n",
    ]
    return "\n".join(parts)


def print_overview(path: str) -> int:
    """Prints it and returns the exit code."""
    try:
        sys.stdout.write(overview(path))
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
        return READER_GONE
    return 0


def _columns(texts: dict[str, str]) -> str:
    width = max(map(len, texts))
    return "".join(f"  {name:<{width}}  {text}\n" for name, text in texts.items())
