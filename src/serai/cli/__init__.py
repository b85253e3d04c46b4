"""The command `serai` (SPEC 12).

Starting is kept cheap: help of `serai` and of its groups is written from the catalogue without anything else, a
command's module is loaded when that command runs, and what is heavy (pydantic, rich, asyncio) is imported in the
bodies of the commands that need it.
"""

import sys

from serai.cli.overview import overview_asked, print_overview


def main() -> int:
    """Runs the command line of this process and returns its exit code, as `supervise` names them."""
    arguments = sys.argv[1:]
    path = overview_asked(arguments)
    if path is not None:
        return print_overview(path)
    from serai.cli.root import root

    return root.run(arguments)
