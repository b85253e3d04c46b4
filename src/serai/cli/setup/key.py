"""The key of a model: from where it is already, from a file, or typed unseen."""

import click

from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.setup.given import Given


def the_key(place: Place, name: str, given: Given) -> tuple[str, bool]:
    """The value of the variable `name`, and whether it has still to be written into .env. Raises Failed."""
    from serai.config.dotenv import read_env
    from serai.config.report import Place as Anywhere
    from serai.config.report import Report
    from serai.config.secret import Found, Lookup

    if given.api_key is not None:
        return _checked(name, given.api_key), True
    env = place.layout.env
    found = Lookup(read_env(env, env.name, Anywhere(), Report(), []), place.environment).find(name)
    if isinstance(found, Found):
        return found.value, False
    if given.yes:
        raise Failed(f"{found}. Put the key there, or give --api-key-file.")
    return _checked(name, click.prompt(f"Key (kept as {name} in .env; it is not shown)", hide_input=True)), True


def _checked(name: str, value: str) -> str:
    if not value.strip():
        raise Failed(f"The key for {name} is empty.")
    return value.strip()
